"""Names of columns with a remark, and columns that nobody took."""

from __future__ import annotations

from pathlib import Path

import pytest

from lentigo.datasets import read_archive
from lentigo.datasets.reading.column_names import COLUMN_NAMES
from lentigo.datasets.reading.column_remarks import not_taken
from lentigo.datasets.reading.columns import guess_columns
from lentigo.table_files.cells import is_id


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("Geschlecht (m/w)", "sex"),
        ("Sex [M/F]", "sex"),
        ("Alter (Jahre)", "age"),
        ("Edad (años)", "age"),
        ("âge (ans)", "age"),
        ("Alter in Jahren", "age"),
        ("Age at diagnosis", "age"),
        ("Patienten-Nr.", "patient_id"),
        ("Pat.-ID", "patient_id"),
        ("Patient ID (pseudonymisiert)", "patient_id"),
        ("患者（编号）", "patient_id"),
        ("Läsion (Nr.)", "lesion_id"),
        ("Lokalisation (Text)", "site"),
        ("Melanom (ja/nein)", "melanoma"),
        ("melanoma (0/1)", "melanoma"),
        ("Diagnose (Histologie)", "diagnosis"),
        ("Bild-Nr.", "image_id"),
        ("Sex (0=female, 1=male)", "sex"),
        ("Geschlecht (bei Geburt)", "sex"),
        ("性别（男/女）", "sex"),
        ("Age (yrs at imaging)", "age"),
    ],
)
def test_a_remark_or_a_number_sign_does_not_hide_a_column(name: str, ours: str) -> None:
    assert guess_columns([name, "other"])[ours] == name


@pytest.mark.parametrize(
    "name",
    [
        "Alter (Monate)", "age (days)", "Diagnose (klinisch)", "Diagnose (Verdacht)",
        "Patient (m/w)", "Patient (Hauttyp)", "Patient (yes/no)", "Lesion (diameter)",
        "Läsion (Größe in mm)", "Lesion (diagnosis)", "Site (hospital)", "Alter (Vater)",
        "Age (lesion)", "Melanom (Familie)", "Melanom (Dicke in mm)",
        "Bild (Übersicht)", "(m/w)", "()", "Sex (partner)", "sex (physician)",
        "Geschlecht (Partner)", "Age (partner)", "Alter (Kind)",
    ],
)  # fmt: skip
def test_a_remark_that_changes_the_meaning_does(name: str) -> None:
    assert guess_columns([name]) == {}


def test_every_name_of_ids_keeps_its_column_text() -> None:
    """Else 007 would be 7, and P 1,5 a decimal number."""
    for ours in ("image_id", "patient_id", "lesion_id"):
        assert [name for name in COLUMN_NAMES[ours] if not is_id(name)] == []
    assert is_id("Patienten-Nr. (intern)")
    assert not is_id("Alter (id)")


def test_a_name_without_a_remark_comes_first_and_of_two_with_one_none_is_taken() -> None:
    assert guess_columns(["Sex (m/w)", "gender"]) == {"sex": "gender"}
    assert guess_columns(["Patient (A)", "Patient (B)"]) == {}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Nummer des Patienten", "--column patient_id='Nummer des Patienten'"),
        ("MRN", "--column patient_id=MRN"),
        ("subject code (site)", "seems to name patients"),
        ("Alter (Monate)", "An age is in years, so divide it"),
        ("age_days", "An age is in years, so divide it"),
        ("Alter bei Erstvorstellung", "--column age='Alter bei Erstvorstellung'"),
        ("Sex (partner)", "may be somebody else's"),
        ("Age (partner)", "If they are the patient's"),
        ("num_historia", "--column patient_id=num_historia"),
        ("Historia clínica", "seems to name patients"),
        ("NHC", "seems to name patients"),
        ("Nº processo", "seems to name patients"),
        ("病历号", "--column patient_id=病历号"),
        ("Fallnummer", "seems to name patients"),
        ("UR number", "seems to name patients"),
        ("N° dossier", "seems to name patients"),
        ("Cartella clinica", "seems to name patients"),
        ("record_id", "--column patient_id=record_id"),
        ("participant_id", "seems to name patients"),
        ("Nº utente", "seems to name patients"),
        ("Pseudonym", "seems to name patients"),
        ("medical history", ""),
        ("historia familiar", ""),
        ("study site", ""),
        ("file_no", ""),
        ("Falldatum", ""),
        ("Patient mother age", ""),
        ("patient hospital", ""),
        ("stage", ""),
        ("anatomical subject line", ""),
    ],
)
def test_a_column_of_patients_or_ages_that_nobody_took_is_told(
    name: str, said: str
) -> None:
    notes = " ".join(not_taken({"image_id": "image"}, ["image", name]))
    assert said in notes
    assert bool(notes) == bool(said)
    chosen = {"patient_id": "p", "age": "a", "sex": "s"}
    assert not not_taken(chosen, ["p", "a", "s", name])


def test_patients_of_a_clinic_are_not_lost_in_silence(tmp_path: Path) -> None:
    path = tmp_path / "clinic.csv"
    path.write_text("Bild;Patienten-Nr.;Alter (Jahre);Diagnose\na;7;40;Melanom\n")
    row = read_archive("csv", path).table.iloc[0]
    assert (row["patient_id"], row["age"], row["melanoma"]) == ("7", 40, True)
    path.write_text("Bild;Nr. Patient intern;Diagnose\na;7;Melanom\n")
    notes = " ".join(read_archive("csv", path).notes)
    assert "No column is read as the patient, though Nr. Patient intern seems" in notes
