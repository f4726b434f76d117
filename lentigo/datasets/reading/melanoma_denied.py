"""Take out of a sentence what it says of no melanoma, of an earlier one or of a relative's.

The words are those of pathology reports and notes in English, German, French, Spanish,
Italian, Portuguese and Chinese. What is not certain is left: a suspicion stays one.
"""

from __future__ import annotations

import re

from lentigo.datasets.reading.spelling import fold, without_accents

TUMOUR = r"\w*m(?:ae|e)lan[oô]m\w*"
"""A word for melanoma in a sentence without accents, in lower case."""
_ANY = rf"(?:{TUMOUR}|mm|ssm|lmm|alm|lentigo malig\w*)"

_NO = (
    r"(?:no|not|non|without|absence|free|kein\w*|nicht|ohne|frei|pas|aucun\w*|sans|ni|sin|"
    r"ausencia|senza|nessun\w*|assenza|sem|nenhum\w*|nao)"
)
_BETWEEN = (
    r"(?:evidence|signs?|suspicion|criteria|features|residual|of|for|an|a|any|"
    r"there is|hinweis\w*|anhalt\w*|verdacht\w*|\w*zeichen|kriterien|auf|fur|fuer|ein\w*|"
    r"von|rest\w*|residu\w*|"
    r"signes?|arguments?|criteres?|pour|en faveur|du|de|d|un|"
    r"evidencias?|signos?|criterios|sospecha|datos|hay|se observa\w*|"
    r"evidenza|segn[io]|criteri|sospetto|di|per|"
    r"sinais|suspeita|ha|malign\w*|bosartig\w*|boesartig\w*)"
)
_RULED_OUT = (
    r"(?:(?:is |was |wurde |ist |a ete |e stato )?(?:excluded|ruled out|unlikely|"
    r"ausgeschlossen|unwahrscheinlich|exclu|ecarte|elimine|descartado|escluso|afastado|"
    r"excluido))\b(?! ?\?)"
)
_DENIED = re.compile(
    rf"\b{_NO}(?: {_BETWEEN}){{0,6}}[ -]{_ANY}\b|\b(?:non-?|nicht-?){TUMOUR}|"
    rf"\b{_ANY} {_RULED_OUT}|"
    # "no se descarta" and "nao se exclui" leave it open, as "不能排除" does.
    rf"(?<!\bno )(?<!\bnon )(?<!\bnao )\b(?:se descarta|se excluye|exclui-se|si esclude)"
    rf" {_ANY}\b|"
    r"(?:(?:无|無)(?!色素|法)|非(?!典型)|未见|未見|(?<![不未无無法难難以能全够夠可])(?:排除|除外))"
    r"\S{0,4}?(?:黑色?素瘤|恶黑)"
)

_BEFORE = (
    r"(?:z ?n|zn|st ?p|st ?n|s/p|h/o|hx|pmh|fh|status post|zustand nach|history|previous|"
    r"prior|former|earlier|vorgeschichte|fr(?:u|ue)her(?:e[rsnm]?)?|\w*anamnese|atcd|"
    r"antecedents?|antecedentes?|storia|pregress\w*|anamnesi|historia|historico|previo)"
)
_RELATIVE = (
    r"(?:famil\w*|mother|father|brother|sister|parents?|aunt|uncle|cousin|"
    r"grand(?:mother|father|parent|ma|pa)\w*|mutter|vater|bruder|schwester|tante|onkel|"
    r"grossmutter|grossvater|oma|opa|mere|pere|frere|soeur|madre|padre|hermano|hermana|"
    r"fratello|sorella|mae|pai|irmao|irma)"
)
_FEAR = (
    r"(?:fears?|afraid|worried|worries|anxious|angst|sorge|befurchtet|peur|craint|miedo|"
    r"teme|preoccupat\w+|paura|medo)"
)
_NOW = (
    r"(?:now|jetzt|nun|aktuell|heute|maintenant|ahora|ora|agora|lesion|mole|"
    r"n(?:ae|e|a)v\w+|biops\w+|pe|bx|shave|punch|excis\w+|exz?is\w+|exere\w+|exeres\w+|"
    r"histo\w*|scars?|narbe\w*|photos?)"
)
"""Behind these the words are about the lesion again: "Z.n. PE malignes Melanom"."""
_FEW = rf"(?: (?!{_NOW}\b)[\w(/-]+){{0,3}}? [(]?"
_IN = (
    r"(?:in|in der|bei|bei der|beim|der|des|de la|du|della|del|da|de|in the|of the|his|her)"
)
_COMPOUND = (
    r"(?:anamnese|nachsorge|vorsorge|screening|risiko|risk|angst|sprechstunde|unit|clinic|"
    r"cent(?:er|re)|zentrum|institut|scope|study)"
)
_ELSEWHERE = re.compile(
    rf"m(?:ae|e)lanom\w*[ -]?{_COMPOUND}\w*|"
    rf"\b(?:{_BEFORE}|{_FEAR}){_FEW}{_ANY}\b|\b{_RELATIVE}:?{_FEW}{_ANY}\b|"
    rf"\b{_ANY}[ (]+(?:{_IN} ){{0,2}}(?:{_RELATIVE}|vorgeschichte|\w*anamnese)\b|"
    r"(?:家族|既往|病史|母亲|父亲|兄|姐|弟|妹)\S{0,8}?(?:黑色?素瘤|恶黑)|"
    r"(?:黑色?素瘤|恶黑)\S{0,3}(?:家族史|病史|史)"
)
_ADDRESS = re.compile(r"\S*(?:@|://|_\d)\S*")
_MILLIMETRES = re.compile(r"\d ?mm\b")
_LINES = re.compile(r"[\r\n\v\f\u2028\u2029]+")
_POINTS = re.compile(r"(?<=\b[a-z])\.|(?<=\bst)\.|['`´]")


def not_denied(text: str) -> str:
    """Return `text`, in lower case without accents, less the melanomas that it denies.

    "Kein Anhalt für Melanom" is taken out, and lengths in millimetres, since MM is also
    short for malignant melanoma. What leaves a melanoma open ("cannot exclude melanoma"),
    and a word on another line, stays.
    """
    plain = _LINES.sub(" ; ", text)
    plain = _POINTS.sub(" ", without_accents(fold(plain)).replace("’", "'"))
    plain = _DENIED.sub(" ", " ".join(plain.split()))
    return _MILLIMETRES.sub(" ", plain)


def of_this_lesion(text: str) -> str:
    """Return `not_denied`, less the words that are probably on no melanoma of this lesion.

    What is past ("Z.n. Melanom"), of a relative ("mother had melanoma"), a fear, the name
    of a clinic or an address is taken out. Words can be read wrongly: it is for notes, and
    no guard may rest on it.
    """
    return _ELSEWHERE.sub(" ", _ADDRESS.sub(" ", not_denied(text)))
