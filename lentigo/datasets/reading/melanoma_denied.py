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
    r"(?:evidence|signs?|suspicion|criteria|features|invasive|residual|of|for|an|a|any|"
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
    r"excluido))\b"
)
_DENIED = re.compile(
    rf"\b{_NO}(?: {_BETWEEN}){{0,6}}[ -]{_ANY}\b|\b(?:non-?|nicht-?){TUMOUR}|"
    rf"\b{_ANY} {_RULED_OUT}|\b(?:se descarta|se excluye|exclui-se|si esclude) {_ANY}\b|"
    r"(?:(?:无|無)(?!色素)|非|未见|未見|(?<![不能])(?:排除|除外))\S{0,4}?(?:黑色?素瘤|恶黑)"
)

_BEFORE = (
    r"(?:z ?n|zn|st ?p|st ?n|s/p|h/o|hx|pmh|fh|status post|zustand nach|history|previous|"
    r"prior|former|earlier|vorgeschichte|fruher\w*|frueher\w*|\w*anamnese|atcd|antecedents?|antecedentes?|storia|"
    r"pregress\w*|anamnesi|historia|historico|previo|anterior)"
)
_RELATIVE = (
    r"(?:famil\w*|mother|father|brother|sister|parents?|aunt|uncle|cousin|grand\w+|mutter|"
    r"vater|bruder|schwester|tante|onkel|grossmutter|grossvater|oma|opa|mere|pere|frere|"
    r"soeur|madre|padre|hermano|hermana|fratello|sorella|mae|pai|irmao|irma)"
)
_FEAR = (
    r"(?:fears?|afraid|worried|worries|anxious|angst|sorge|befurchtet|peur|craint|miedo|"
    r"teme|preoccupat\w+|paura|medo|clinic|unit|sprechstunde|zentrum|center|centre)"
)
_OTHERS = rf"(?:{_BEFORE}|{_RELATIVE}|{_FEAR})"
_NOW = (
    r"(?:now|jetzt|nun|aktuell|heute|maintenant|ahora|ora|agora|lesion|mole|"
    r"n(?:ae|e|a)v\w+)"
)
_FEW = rf"(?:[ :]+(?!{_NOW}\b)[\w(/-]+){{0,3}}?[ :]+[(]?"
_COMPOUND = r"(?:anamnese|nachsorge|vorsorge|screening|risiko|risk|angst|sprechstunde)"
_ELSEWHERE = re.compile(
    rf"m(?:ae|e)lanom\w*[ -]?{_COMPOUND}\w*|"
    rf"\b{_OTHERS}\b{_FEW}{_ANY}\b|"
    rf"\b{_ANY}[ :(-]+(?:(?:in|in der|bei|bei der|beim|der|des|de la|du|della|del|da|de|in"
    rf" the|of|of the|his|her|19\d\d|20\d\d)[ :(]*){{0,3}}{_OTHERS}\b|"
    r"(?:家族|既往|病史|母亲|父亲|兄|姐|弟|妹)\S{0,8}?(?:黑色?素瘤|恶黑)|"
    r"(?:黑色?素瘤|恶黑)\S{0,3}(?:家族史|病史|史)"
)
_MILLIMETRES = re.compile(r"\d ?mm\b")
_POINTS = re.compile(r"(?<=\b[a-z])\.|(?<=\bst)\.|['`´]")


def of_this_lesion(text: str) -> str:
    """Return `text`, in lower case without accents, less what is no word on this lesion.

    What is denied ("kein Anhalt für Melanom"), past ("Z.n. Melanom"), of a relative
    ("mother had melanoma"), a fear or the name of a clinic is taken out; lengths in
    millimetres too, since MM is also short for malignant melanoma.
    """
    plain = _POINTS.sub(" ", without_accents(fold(text)).replace("’", "'"))
    plain = " ".join(plain.split())
    for pattern in (_DENIED, _ELSEWHERE, _MILLIMETRES):
        plain = pattern.sub(" ", plain)
    return plain
