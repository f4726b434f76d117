from __future__ import annotations

from pathlib import Path

from lentigo.datasets import read_archive
from tests.fakes import fake_pad_ufes20


def test_the_real_photographs(shared: Path) -> None:
    read = read_archive("pad_ufes20", shared / "data/pad_ufes20")
    table = read.table
    assert len(table) == 26
    assert table["path"].notna().all()
    assert table["patient_id"].nunique() == 25
    assert table["diagnosis"].value_counts().to_dict() == {
        "seborrheic keratosis": 6,
        "basal cell carcinoma": 6,
        "squamous cell carcinoma": 4,
        "nevus": 4,
        "actinic keratosis": 4,
        "melanoma": 2,
    }
    assert int(table["malignant"].sum()) == 6 + 4 + 2
    assert table["site"].notna().all()
    assert int(table["skin_type"].isna().sum()) == 8
    assert list(read.notes) == []


def test_patients_lesions_and_skin_types(tmp_path: Path) -> None:
    read = read_archive("pad_ufes20", fake_pad_ufes20(tmp_path))
    table = read.table
    assert table["image_id"][0] == "PAT_8_15_820"
    assert table["patient_id"].tolist() == ["PAT_8", "PAT_8", "PAT_46"]
    assert table["lesion_id"].tolist() == ["15", "16", "881"]
    assert table["melanoma"].tolist() == [False, True, False]
    assert table["skin_type"].tolist()[:2] == [3, 3]
    assert table["modality"].unique().tolist() == ["clinical"]
    assert table["biopsed"].tolist() == ["True", "True", "False"]
    assert "1 of 3 images without a file: PAT_8_16_821." in read.notes
