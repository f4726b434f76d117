from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lentigo.datasets import read_archive, read_table
from lentigo.errors import DatasetNotFoundError
from tests.dicoms import dicom
from tests.fakes import fake_ddi, fake_dicom, fake_fitzpatrick17k


def test_fitzpatrick17k(tmp_path: Path) -> None:
    read = read_archive("fitzpatrick17k", fake_fitzpatrick17k(tmp_path))
    table = read.table
    assert table["diagnosis"].tolist() == [
        "melanoma", "halo nevus", "psoriasis", "actinic keratosis"
    ]  # fmt: skip
    assert table["melanoma"].tolist() == [True, False, False, False]
    assert table["malignant"].tolist() == [True, False, False, False]
    assert table["skin_type"].tolist() == [3, pd.NA, 6, 1]
    assert table["path"].notna().tolist() == [True, True, False, False]
    assert table["three_partition_label"][2] == "non-neoplastic"
    assert (
        "contradicts the diagnosis, which is believed: actinic keratosis (1)"
        in " ".join(read.notes)
    )


def test_ddi(tmp_path: Path) -> None:
    read = read_archive("ddi", fake_ddi(tmp_path))
    table = read.table
    assert table["image_id"].tolist() == ["000001", "000002", "000003", "000004"]
    assert table["diagnosis"].tolist() == [
        "melanoma in situ", "nevus", "atypical Spitz tumor", "seborrheic keratosis"
    ]  # fmt: skip
    # Malignant by DDI, and of melanocytes: it may be a melanoma.
    assert table["melanoma"].astype(object).fillna("open").tolist() == [
        True,
        False,
        "open",
        False,
    ]
    assert table["malignant"].tolist() == [True, False, True, False]  # the third by DDI
    assert table["skin_tone"].tolist() == ["5-6", "3-4", "1-2", "1-2"]
    assert table["skin_type"].isna().all()
    assert "1 of 4 images without a file: 000004." in read.notes


def test_dicom_tells_people_apart_without_saying_who_they_are(tmp_path: Path) -> None:
    read = read_archive("dicom", fake_dicom(tmp_path / "export"))
    table = read.table
    assert table["image_id"].tolist() == ["a", "b", "c", "d"]
    assert table["patient_id"].fillna("-").tolist() == ["P1", "P1", "P2", "-"]
    assert table["age"].tolist()[0] == 45
    assert pd.isna(table["age"][1])
    assert table["age"][2] == 0.5
    assert table["sex"].fillna("-").tolist() == ["-", "-", "female", "-"]
    assert table["site"].fillna("-").tolist() == ["torso", "-", "-", "-"]
    assert list(table.loc[0, ["width", "height"]]) == [24, 16]
    notes = " ".join(read.notes)
    assert "1 file without a header: d.dcm" in notes
    assert "'SKIN' (1)" in notes
    whole = table.to_csv() + notes
    assert not any(secret in whole for secret in ("007", "008", "Secret", "1970"))


def test_a_folder_without_dicom_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match="holds no DICOM file"):
        read_table("dicom", tmp_path)


def test_a_dicom_patient_called_unknown_is_nobody(tmp_path: Path) -> None:
    people = ["7", "007", "UNKNOWN", "unknown", "n/a"]
    for number, patient in enumerate(people):
        made = dicom(np.zeros((16, 24, 3), np.uint8), "RGB", PatientID=patient)
        (tmp_path / f"{number}.dcm").write_bytes(made)
    read = read_archive("dicom", tmp_path)
    assert read.table["patient_id"].fillna("-").tolist() == ["P1", "P2", "-", "-", "-"]
    assert "1 pair of ids of patients looks alike" in " ".join(read.notes)
