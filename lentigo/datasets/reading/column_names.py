"""Names that other tables use for the columns of a lesion table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from lentigo.datasets.reading.spelling import fold, without_accents

_DIAGNOSIS = (
    "dx", "diagnostic", "diagnose", "diagnóstico", "diagnosi", "histologie",
    "histologische_diagnose", "诊断", "histology", "histopathology", "pathology",
    # Of these the first that is there counts, as of all.
    "final_diagnosis", "histological_diagnosis", "histologic_diagnosis",
    "histopathological_diagnosis", "histopathologic_diagnosis", "pathological_diagnosis",
    "pathologic_diagnosis", "pathology_diagnosis", "enddiagnose", "diagnose_histologisch",
    "diagnóstico_histológico", "diagnóstico_histopatológico", "diagnóstico_final",
    "diagnóstico_anatomopatológico", "diagnostic_histologique", "diagnostic_final",
    "diagnostic_anatomopathologique", "diagnosi_istologica", "diagnosi_finale", "病理诊断",
    "anapath", "diagnostic_anapath", "esame_istologico", "diagnostico_ap", "diagnóstico_ap",
)  # fmt: skip

COLUMN_NAMES: Mapping[str, tuple[str, ...]] = {
    "image_id": ("image_id", "image_name", "isic_id", "img_id", "image", "img", "file_name",
                 "file", "image_path", "file_path", "path", "name", "id", "bild", "bild_id",
                 "bildname", "dateiname", "datei", "imagen", "imagem", "immagine",
                 "archivo", "fichier", "arquivo", "图像", "图片", "文件名",
                 "image_file", "image_no", "image_nr", "image_number", "bild_nr",
                 "bildnummer", "bilddatei", "foto", "photo", "nome_file", "nome_del_file",
                 "nombre_archivo", "nombre_de_archivo", "nombre_imagen", "nom_fichier",
                 "nom_du_fichier", "ficheiro", "nome_do_ficheiro", "nome_arquivo",
                 "nome_do_arquivo", "图像文件", "图片名称", "图像编号"),
    "path": ("image_path", "file_path", "path", "file_name", "file"),
    "patient_id": ("patient_id", "patient", "subject_id", "subject", "patienten_id",
                   "patientennummer", "paciente", "paciente_id", "paziente", "患者编号",
                   "病人编号", "患者", "patient_no", "patient_nr", "patient_number",
                   "patient_num", "patient_code", "patienten_nr", "patienten_kennung",
                   "pat_id", "pat_nr", "pat_no", "pat_nummer", "id_patient", "n_patient",
                   "numéro_patient", "numéro_de_patient", "id_paciente",
                   "n_paciente", "número_paciente", "número_de_paciente", "id_paziente",
                   "n_paziente", "codice_paziente", "numero_paziente", "person_id",
                   "proband", "probanden_id", "患者id", "病人id", "病人"),
    "lesion_id": ("lesion_id", "lesion", "läsion", "lesione", "lésion", "lesão",
                  "病灶编号"),
    "sex": ("sex", "gender", "patient_sex", "geschlecht", "sexo", "sexe", "sesso", "género",
            "性别"),
    "age": ("age", "age_approx", "age_approximate", "age_years", "patient_age", "alter",
            "edad", "âge", "età", "idade", "年龄", "age_in_years", "age_at_diagnosis",
            "age_at_image", "age_at_visit", "alter_jahre", "alter_in_jahren",
            "alter_bei_diagnose", "patientenalter", "edad_años", "edad_en_años", "âge_ans",
            "âge_en_années", "età_anni", "età_in_anni", "idade_anos", "idade_em_anos"),
    "site": ("site", "anatom_site_general_challenge", "anatom_site_general", "anatom_site",
             "anatomical_site", "body_site", "localization", "localisation", "location",
             "region", "lokalisation", "körperstelle", "localización", "localizzazione",
             "localização", "部位", "解剖部位", "siège", "sede", "sito", "topografía"),
    "diagnosis": ("diagnosis", *_DIAGNOSIS),
    "melanoma": ("melanoma", "target", "label", "is_melanoma", "mel", "melanom",
                 "mélanome", "黑色素瘤", "truth", "ground_truth", "class", "y",
                 "benign_malignant", "malignant",
                 "diagnosis", *_DIAGNOSIS),
    "malignant": ("malignant", "benign_malignant"),
    "skin_type": ("skin_type", "fitzpatrick", "fitspatrick", "fitzpatrick_skin_type"),
}  # fmt: skip
"""For each column of a lesion table, the names that other tables use for it; the first that
occurs is taken."""

_HISTOLOGY = ("histología", "histologia", "istologia", "histopatológico",
              "anatomía_patológica", "anatomia_patologica", "anatomopathologie",
              "anatomie_pathologique", "病理", "病理诊断", "final_diagnosis",
              "biopsy_result", "histologischer_befund", "histologisches_ergebnis",
              )  # fmt: skip


_PLACE = re.compile(r"metadata\.(?:clinical|acquisition)\.")
"""Where a value stands in an answer of the ISIC Archive's API: `metadata.clinical.sex`."""


@lru_cache(maxsize=4096, typed=True)  # typed: 1 and True are equal, as names they differ
def key(name: object) -> str:
    """Return a column's name in the form for comparison: lower-case letters and digits.

    The place of a value in an answer of the ISIC Archive (`metadata.clinical.age_approx`)
    is left out.
    """
    return re.sub(r"[\W_]", "", without_accents(fold(_PLACE.sub("", str(name)))))


def header(name: object) -> str:
    """Return a column's name in the file: pandas calls a second column `dx` `dx.1`."""
    return re.sub(r"\.\d+$", "", str(name))


DIAGNOSIS_KEYS = frozenset(key(name) for name in (*COLUMN_NAMES["diagnosis"], *_HISTOLOGY))
"""Names of columns with diagnoses, in the form of `key`; a table may have several."""

MALIGNANT_KEYS = frozenset(map(key, COLUMN_NAMES["malignant"]))
"""Names of columns that tell malignant or benign, in the form of `key`."""

LABEL_KEYS = (
    frozenset(map(key, COLUMN_NAMES["melanoma"]))
    - DIAGNOSIS_KEYS
    - MALIGNANT_KEYS
    - {"y", "class"}
)
"""Names of columns that tell whether a lesion is melanoma, in the form of `key`; a table
may have several. y and class are left out: beside a label they may be anything else, such
as a coordinate."""

ABOUT_MELANOMA = frozenset(
    {"melanoma", "ismelanoma", "mel", "melanom", "melanome", "黑色素瘤"}
)
"""Names, in the form of `key`, of label columns in which yes can only mean melanoma."""

_DIAGNOSED = (
    "diagn", "histo", "istolog", "patho", "patolog", "biops", "befund", "ergebnis",
    "finding", "result", "outcome", "groundtruth", "goldstandard", "entity", "entitat",
    "lesiontype", "tumortype", "tumourtype", "cancertype", "诊断", "診斷", "病理",
)  # fmt: skip
_CODES = frozenset({"dx", "icd", "icd9", "icd10", "icd11", "icdo", "icdo3"})
_MELANOMA = ("melanom", "黑色素瘤", "黑素瘤")
_DENIED = frozenset(
    {"non", "not", "no", "nicht", "kein", "without", "free", "versus", "vs"}
)

_PEOPLE_AND_PAST = (
    "famil", "history", "histori", "anamnes", "anteced", "previous", "prior", "former",
    "earlier", "fruher", "frueher", "vorgesch", "vorerkrank", "precedent", "anterior",
    "pregress", "previ", "mother", "father", "mutter", "vater", "relative", "parent",
    "predict", "vorhersage", "prediz", "predicc", "algorithm", "model", "reader", "rater",
    "observer", "couldbe", "家族", "病史", "既往", "预测",
)  # fmt: skip
_SUSPICION = (
    "suspect", "suspic", "suspeit", "sospech", "sospett", "soupcon", "verdacht",
    "provisional", "presum", "tentativ", "working", "prelimin", "initial", "clinic",
    "cliniq", "klinisch", "differential", "diferenc", "differenz", "referr", "zuweis",
    "uberweis", "ueberweis", "疑似", "拟诊", "初步", "鉴别", "临床",
)  # fmt: skip
_SUSPECTING = frozenset({"ddx", "dd", "va", "called", "call", "ai", "ki", "ia", "hx"})
_PROVEN = ("histo", "istolog", "patho", "patolog", "biops", "病理")


def asks_diagnosis(name: object) -> bool:
    """Tell whether the name of a column says that it holds the lesion's diagnosis."""
    return any(part in key(name) for part in _DIAGNOSED) or bool(_parts(name) & _CODES)


def asks_melanoma(name: object) -> bool:
    """Tell whether the name of a column asks for melanoma, so that yes means it."""
    there = any(part in key(name) for part in _MELANOMA)
    return there and "nonmelanom" not in key(name) and not _parts(name) & _DENIED


def is_hearsay(name: object) -> bool:
    """Tell whether the name of a column speaks of more than the diagnosis of this lesion.

    Such are family and medical history, suspicions before histology, and the answers of
    readers or of a program.
    """
    if is_about_others(name):
        return True
    whole = key(name)
    suspected = any(part in whole for part in _SUSPICION) or _parts(name) & _SUSPECTING
    return bool(suspected) and not is_proven(name)


def is_proven(name: object) -> bool:
    """Tell whether a name speaks of histology."""
    return any(part in key(name) for part in _PROVEN)


def is_about_others(name: object) -> bool:
    """Tell whether a column is of relatives, of the past, or what a reader answered."""
    return any(part in key(name) for part in _PEOPLE_AND_PAST)


def _parts(name: object) -> frozenset[str]:
    return frozenset(re.split(r"[\W_]+", without_accents(fold(str(name)))))
