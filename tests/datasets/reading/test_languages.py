"""Words as they are written in clinics of other languages; `|` parts them."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest

import lentigo.datasets
from lentigo.datasets.reading.diagnoses import lineage
from lentigo.datasets.reading.known_words import LABEL_WORDS, SEX_WORDS, SITE_WORDS
from lentigo.datasets.reading.vocabulary import DIAGNOSES, is_understood, map_words

NAMED = {
    "melanoma": """Melanom|MELANOM|Malignes Melanom|malignes  melanom|Bösartiges Melanom|
        Boesartiges Melanom|bosartiges melanom der haut|Melanome|Amelanotisches Melanom|
        Schwarzer Hautkrebs|Melanoma|melanoma maligno|Melanoma maligno de la piel|
        Melanoma cutáneo|melanoma cutaneo|Mélanome|MELANOME|mélanome malin|
        Mélanome malin de la peau|
        melanoma maligno della cute|Melanoma maligno da pele|
        melanoma cutâneo|黑色素瘤|恶性黑色素瘤|皮肤恶性黑色素瘤|惡性黑色素瘤|恶性黑素瘤|
        C43.9|c43.5|C43|
        8720/3|MEL|malignant melanoma|Melanomas""",
    "melanoma in situ": """Melanoma in situ|Melanom in situ|in-situ-Melanom|
        In situ Melanom|mélanome in situ|melanoma-in-situ|MIS|D03.5|原位黑色素瘤|8720/2""",
    "superficial spreading melanoma": """SSM|ssm|superficial spreading MM|
        Superfiziell spreitendes Melanom|superfiziell spreitendes malignes Melanom|
        melanoma de extensión superficial|melanoma extensivo superficial|
        Mélanome à extension superficielle|melanoma a diffusione superficiale|
        melanoma de extensão superficial|浅表扩散型黑色素瘤|8743/3""",
    "nodular melanoma": """noduläres Melanom|Nodulaeres malignes Melanom|
        melanoma nodular|mélanome nodulaire|melanoma nodulare|结节型黑色素瘤""",
    "lentigo maligna": "Lentigo maligna|lentigo maligno|Lentigo malin|恶性雀斑样痣|8742/2",
    "lentigo maligna melanoma": """LMM|Lentigo-maligna-Melanom|Lentigo maligna Melanom|
        mélanome de Dubreuilh|melanoma lentigo maligno|lentigo malin mélanome|
        恶性雀斑样痣黑色素瘤""",
    "acral lentiginous melanoma": """ALM|Akrolentiginöses Melanom|
        akral-lentiginöses Melanom|melanoma lentiginoso acral|mélanome acral lentigineux|
        melanoma acrale lentigginoso|
        melanoma acral lentiginoso|肢端雀斑样黑色素瘤""",
    "melanoma metastasis": """Melanommetastase|métastase de mélanome|metastasi di melanoma|
        Melanom-Metastase|métastases cutanées de mélanome|Metastasi cutanee di melanoma""",
    "nevus": """Nävus|Naevus|NAEVI|Nävi|NZN|Nävuszellnävus|Naevuszellnaevus|
        Melanozytennävus|melanozytärer Nävus|Muttermal|Leberfleck|dysplastischer Nävus|
        Dysplastischer NZN|Clark-Nävus|Nevo|nevos|Nevo melanocítico|nevo melanocitico|
        lunar|Nevo displásico|nævus|Naevus mélanocytaire|grain de beauté|
        nævus dysplasique|Nevi melanocitici|nevo displastico|Nevos melanocíticos|
        nevo atípico|色素痣|黑素细胞痣|痣|D22.5|nevi|dysplastic naevus|Melanocytic naevi""",
    "junctional nevus": "Junktionsnävus|nevo de unión|nævus jonctionnel|交界痣",
    "compound nevus": "Compound-Nävus|Compoundnaevus|nevo compuesto|nevo composto|复合痣",
    "dermal nevus": """dermaler Nävus|nevo intradérmico|nevo intradermico|皮内痣|
        dermaler NZN""",
    "blue nevus": """blauer Nävus|nevo azul|nævus bleu|nevo blu|蓝痣|
        Naevus coeruleus|nevus azul""",
    "congenital nevus": "kongenitaler Nävus|nevo congénito|nevo congênito|先天性痣",
    "Spitz or Reed nevus": "Spitz-Nävus|Spitznaevus|nevo de Spitz|nævus de Spitz",
    "halo nevus": "Halo-Nävus|nevo di Sutton|晕痣",
    "basal cell carcinoma": """BCC|Basalzellkarzinom|Basaliom|BZK|Basalzellkarzinome|
        carcinoma basocelular|carcinoma de células basales|CBC|基底細胞癌|
        carcinome basocellulaire|
        carcinoma basocellulare|carcinoma de células basais|基底细胞癌|8090/3""",
    "squamous cell carcinoma": """SCC|Plattenepithelkarzinom|Spinaliom|PEK|
        spinozelluläres Karzinom|carcinoma espinocelular|carcinoma escamoso|
        carcinome épidermoïde|carcinome spinocellulaire|carcinoma spinocellulare|
        carcinoma squamocellulare|鳞状细胞癌|8070/3""",
    "carcinoma in situ": """Morbus Bowen|M. Bowen|enfermedad de Bowen|maladie de Bowen|
        malattia di Bowen|doença de Bowen|Bowen's disease|鲍温病|D04.3""",
    "actinic keratosis": """AK|aktinische Keratose|Aktinische Keratosen|
        queratosis actínica|kératose actinique|cheratosi attinica|ceratose actínica|
        光化性角化病|日光性角化病|L57.0""",
    "seborrheic keratosis": """SK|seborrhoische Keratose|Seborrhoische Warze|Alterswarze|
        queratosis seborreica|kératose séborrhéique|cheratosi seborroica|
        ceratose seborreica|脂溢性角化病|seborrhoeic keratosis|L82""",
    "solar lentigo": """Lentigo solaris|Lentigo senilis|lentigo solar|lentigo solaire|
        lentigo solare|Altersfleck|日光性黑子""",
    "dermatofibroma": "DF|Dermatofibrom|Histiozytom|dermatofibrome|皮肤纤维瘤",
    "vascular lesion": """Hämangiom|Haemangiom|Angiom|vaskuläre Läsion|Gefäßläsion|
        Gefaessläsion|hemangioma|lesión vascular|lesiones vasculares|hémangiome|angiome|
        lésion vasculaire|emangioma|lesione vascolare|lesões vasculares|血管瘤|
        血管性病变""",
    "Merkel cell carcinoma": "Merkelzellkarzinom|carcinome à cellules de Merkel",
}  # fmt: skip
DANGEROUS = """kein Melanom|no melanoma|no es melanoma|pas de mélanome|non è melanoma|
    不是黑色素瘤|非黑色素瘤|V.a. Melanom|Va Melanom|Verdacht auf Melanom|Melanom?|
    Melanoma ?|(Melanom)|Melanom (V.a.)|DD Melanom|Nävus DD Melanom|Z.n. Melanom|
    Zustand nach Melanom|history of melanoma|suspected melanoma|r/o melanoma|
    sospecha de melanoma|suspicion de mélanome|sospetto melanoma|suspeita de melanoma|
    疑似黑色素瘤|Melanom ausgeschlossen|ohne Melanom|melanoma excluded|Melanomverdacht|
    Melanomm|Melnom|Melanoma/Nevus|melanoma or nevus|MM|NM|LM|x|2|0.5|-1|10|01.|+|ja?|
    vielleicht|jein|-melanoma|yes?|nonmelanomas?|melanomatosis|melanocyte""".replace(
    "\n", ""
)
YES = "1|1.0|1,0|TRUE|True|yes|Y|ja|JA|j|sí|si|sì|oui|sim|是|有|阳性|positiv|malignant"
NO = "0|0.0|0,0|FALSE|no|N|nein|Nein|non|NON|não|nao|否|无|阴性|benign|gutartig|bénin|良性"
SEXES = {
    "female": """weiblich|Frau|W|femenino|mujer|femme|féminin|femmina|feminino|女|女性|F|
        Fr.|fem.|femmine|女士|fêmea""",
    "male": """männlich|Maennlich|Mann|masculino|hombre|varón|homme|maschio|homem|男|男性|M|
        Herr|masc.|maschi|男士""",
}
SITES = {
    "head/neck": "Kopf|Gesicht|Hals|cabeza|cuello|tête|visage|testa|collo|cabeça|头颈部",
    "torso": """Rücken|Ruecken|Stamm|espalda|tronco|dos|tronc|schiena|dorso|costas|背部|
        Leiste|AXILLA|ingle|haut du dos|natica|virilha|上背部|軀幹|groin""",
    "upper extremity": "Arm|Unterarm|brazo|bras|avant-bras|braccio|braço|上肢|前臂|\
Ellenbogen|pulgar|doigt|dorso della mano|dedo da mão|手背|MMSS|finger",
    "lower extremity": "Bein|Unterschenkel|Fuß|FUSS|pierna|jambe|gamba|perna|下肢|小腿|\
Hüfte|Ferse|talón|orteil|alluce|calcanhar|足背|MMII|toe",
    "palms/soles": "Fußsohle|Fusssohle|planta del pie|plante du pied|手掌|足底|akral",
    "oral/genital": "Schleimhaut|genitales|muqueuse|genitali|口腔|外阴",
}  # fmt: skip


def apart(text: str) -> list[str]:
    return [word.strip() for word in text.split("|")]


@pytest.mark.parametrize("name", NAMED)
def test_diagnoses_are_understood_in_six_languages(name: str) -> None:
    found = {word: DIAGNOSES.find(word) for word in apart(NAMED[name])}
    wrong = {
        word: meaning and meaning.name
        for word, meaning in found.items()
        if meaning is None or meaning.name != name
    }
    assert not wrong
    is_melanoma = "melanoma" in lineage(name)
    assert all(LABEL_WORDS.find(word) is is_melanoma for word in found)


def test_no_suspicion_negation_or_doubt_becomes_a_label() -> None:
    words = pd.Series(apart(DANGEROUS), dtype="string")
    assert len(words) > 45
    assert words[is_understood(words)].tolist() == []


def test_yes_and_no_are_understood() -> None:
    assert [word for word in apart(YES) if LABEL_WORDS.find(word) is not True] == []
    assert [word for word in apart(NO) if LABEL_WORDS.find(word) is not False] == []


def test_sexes_and_sites_are_understood() -> None:
    for words, ours in ((SEX_WORDS, SEXES), (SITE_WORDS, SITES)):
        for meaning, written in ours.items():
            assert [w for w in apart(written) if words.find(w) != meaning] == []


SIDES = """Rücken re.|Rücken, rechts|linker Oberschenkel|Brazo izquierdo|pierna (dcha.)|
    bras gauche|spalla sx|coxa direita|左上臂|right arm|LEFT LEG|arm, left"""


STAGED = {
    "melanoma": """Melanom, pT1a|melanoma maligno pT1a|MELANOMA PT2B N0 M0|
        Melanom, Clark-Level IV, Breslow: 1,2 mm|mal. Melanom.|Mélanome, Breslow 0.45 mm|
        恶性黑色素瘤。|melanoma (pT1b)""",
    "superficial spreading melanoma": "SSM 0,4mm|SSM, 0.4 mm|malignes Melanom (SSM)|SSM;",
    "lentigo maligna": "Melanoma in situ, lentigo maligna|Lentigo maligna, pTis",
}  # fmt: skip
UNSTAGED = """Melanom, V.a.|Melanom, Nävus|Naevus 3 mm|nevus, pT1a|SSM 4|Melanom, links|
    Melanom (?)|Melanom, Z.n. Exzision|MM 0,4 mm|melanoma, no|BCC pT1|pT1a|0,4 mm"""


def test_behind_a_word_for_melanoma_a_stage_is_ignored_and_nothing_else() -> None:
    for name, written in STAGED.items():
        found = {word: DIAGNOSES.find(word) for word in apart(written)}
        assert {word: each and each.name for word, each in found.items()} == (
            dict.fromkeys(found, name)
        )
        assert all(LABEL_WORDS.find(word) is True for word in found)
    assert [word for word in apart(UNSTAGED) if LABEL_WORDS.find(word) is not None] == []
    assert [word for word in apart(UNSTAGED) if DIAGNOSES.find(word) is not None] == []


def test_a_side_of_the_body_is_ignored_and_nothing_else() -> None:
    found = [SITE_WORDS.find(word) for word in apart(SIDES)]
    arm, leg = "upper extremity", "lower extremity"
    assert found[:4] == ["torso", "torso", leg, arm]
    assert found[4:] == [leg, arm, "torso", leg, arm, arm, leg, arm]
    for word in (
        "links",
        "left",
        "not back",
        "Rücken?",
        "left or right",
        "back arm",
        "dedo",
    ):
        assert SITE_WORDS.find(word) is None, word


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (["H", "F"], ["male", "female"]),  # homme, femme
        (["H", "M"], [None, None]),  # hombre and mujer? or m for male?
        (["h", "mujer"], ["male", "female"]),
        (["V", "M"], [None, None]),  # varón and mujer? or man and vrouw?
        (["V", "H"], [None, None]),  # varón and hembra
        (["M", "F"], ["male", "female"]),
        (["Hombre", "Mujer", "M."], ["male", "female", None]),
    ],
)
def test_an_m_beside_an_h_is_not_guessed(written: list[str], read: list[object]) -> None:
    found, _ = map_words(pd.Series(written, dtype="string"), SEX_WORDS, name="sex")
    assert [None if pd.isna(each) else each for each in found] == read


def test_each_word_has_a_source() -> None:
    folder = Path(lentigo.datasets.__file__).parent / "reading"
    for name in ("words.csv", "diagnoses.csv"):
        text = (folder / name).read_text(encoding="utf-8")
        rows = list(csv.DictReader(text.splitlines()))
        assert rows
        assert all(row["source"] for row in rows), name
        words = [(row["word"], row.get("kind")) for row in rows]
        assert len(set(words)) == len(words)
