from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lentigo.datasets.reading.column_names import key
from lentigo.datasets.reading.columns import (
    choose_columns,
    guess_columns,
    image_names,
    read_truth,
    several_images,
)
from lentigo.errors import ColumnError, DatasetNotFoundError, UnknownNameError


@pytest.mark.parametrize(
    ("names", "image", "label"),
    [
        (["image_name", "target"], "image_name", "target"),
        (["image_id", "melanoma"], "image_id", "melanoma"),
        (["image", "MEL", "NV", "BCC"], "image", "MEL"),
        (["isic_id", "benign_malignant", "diagnosis"], "isic_id", "benign_malignant"),
        (["ISIC ID", "Diagnosis"], "ISIC ID", "Diagnosis"),
        (["filename", "dx"], "filename", "dx"),
        (["target", "label", "path"], "path", "target"),
    ],
)
def test_usual_names_are_known(names: list[str], image: str, label: str) -> None:
    guess = guess_columns(names)
    assert (guess["image_id"], guess["melanoma"]) == (image, label)


def test_patient_columns_are_guessed() -> None:
    names = [
        "patient_id",
        "lesion_id",
        "gender",
        "age_approx",
        "localization",
        "fitspatrick",
    ]
    guess = guess_columns(names)
    assert guess == {
        "patient_id": "patient_id",
        "lesion_id": "lesion_id",
        "sex": "gender",
        "age": "age_approx",
        "site": "localization",
        "skin_type": "fitspatrick",
    }


@given(st.lists(st.text(), max_size=8))
def test_a_guess_names_only_columns_that_are_there(names: list[str]) -> None:
    assert set(guess_columns(names).values()) <= set(names)


@pytest.mark.parametrize(
    "values",
    [
        [1, 0],
        [1.0, 0.0],
        [True, False],
        ["1", "0"],
        ["yes", "no"],
        ["TRUE", "False"],
        ["malignant", "benign"],
        ["melanoma", "nevus"],
        ["mel", "bcc"],
    ],
)
def test_labels_are_understood_however_they_are_written(values: list[object]) -> None:
    truth, sentence = read_truth(
        pd.DataFrame({"image": ["a.jpg", "b.PNG"], "label": values})
    )
    assert truth["image_id"].tolist() == ["a", "b"]
    assert truth["melanoma"].tolist() == [True, False]
    assert truth["melanoma"].dtype == "boolean"
    assert "named by the column image" in sentence
    assert "read from label (1 of 2)" in sentence


def test_a_column_that_no_table_has_cannot_be_assigned() -> None:
    with pytest.raises(UnknownNameError, match=r"patientid.*patient_id"):
        choose_columns(["image", "person"], given={"patientid": "person"}, source="t.csv")


def test_further_columns_stay() -> None:
    table = pd.DataFrame({"image": ["a"], "MEL": [1.0], "NV": [0.0], "group": ["g"]})
    assert list(read_truth(table)[0]) == ["image_id", "melanoma", *table]


def test_contradicting_columns_are_refused_until_one_is_named() -> None:
    table = pd.DataFrame(
        {"image": ["a", "b", "c"], "target": [0, 1, 1], "label": [0, 0, 1]}
    )
    with pytest.raises(ColumnError, match=r"contradict .* for 1 image, .*: b \(target"):
        read_truth(table)
    truth, sentence = read_truth(table, columns={"melanoma": "target"})
    assert truth["melanoma"].tolist() == [False, True, True]
    assert "The column label says otherwise for 1 image; target is used." in sentence
    assert read_truth(table, columns={"melanoma": "label"})[0]["melanoma"].sum() == 1


def test_malignant_is_taken_for_melanoma_and_said_so() -> None:
    _, sentence = read_truth(
        pd.DataFrame({"image": ["a", "b"], "benign_malignant": ["benign", "malignant"]})
    )
    assert (
        "'malignant' in the column benign_malignant is taken to mean melanoma" in sentence
    )


def test_a_lesion_table_is_a_truth() -> None:
    table = pd.DataFrame({"image_id": ["a"], "melanoma": pd.array([True], "boolean")})
    pd.testing.assert_frame_equal(
        read_truth(table)[0], table.astype({"image_id": "string"}), check_column_type=False
    )


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"target": [1]}, "no column that looks like the name of an image"),
        ({"image": ["a"], "colour": [1]}, "no column that looks like the label"),
        (
            {"image": ["a"], "label": [3]},
            r"label is not understood.*'3' \(1\).*If the label stands elsewhere",
        ),
        ({"image": ["a"], "label": ["?x"]}, r"label is not understood.*'\?x' \(1\)"),
        ({"image": ["a", "a.jpg"], "label": [0, 1]}, "names some images twice: a"),
        ({"image": ["a", None], "label": [0, 1]}, "does not name the image in line 3"),
    ],
)
def test_a_truth_that_cannot_be_read_is_refused(
    table: dict[str, list[object]], message: str
) -> None:
    with pytest.raises(ColumnError, match=message):
        read_truth(pd.DataFrame(table))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError):
        read_truth(tmp_path / "absent.csv")


def test_names_lose_their_folder_unless_they_would_be_alike() -> None:
    names = image_names(pd.Series(["a/x.jpg", "b/x.jpg", "c\\y.tif", "z.1", None]))
    assert names.fillna("-").tolist() == ["a/x", "b/x", "y", "z.1", "-"]


@pytest.mark.parametrize(
    ("path", "images", "melanomas"),
    [
        ("isic2019/ISIC_2019_Test_GroundTruth.csv", 8_238, 1_327),
        ("predictions/out_of_fold/isic2017_dev.csv", 2_141, 399),
        ("siim2020/train.csv", 33_126, 584),
        ("ham10000/HAM10000_metadata.csv", 8_013, 891),
    ],
)
def test_real_truths(shared: Path, path: str, images: int, melanomas: int) -> None:
    truth, _ = read_truth(shared / "data" / path)
    assert (len(truth), int(truth["melanoma"].sum())) == (images, melanomas)


@pytest.mark.parametrize("name", ["Melanom", "Mélanome", "melanome"])
def test_a_label_column_is_known_by_its_name_in_other_languages(name: str) -> None:
    assert guess_columns(["bild", name])["melanoma"] == name


def test_answers_of_the_isic_archive_keep_their_meaning_as_columns() -> None:
    names = ["isic_id", "clinical.diagnosis"]
    names += [f"metadata.clinical.{each}" for each in ("sex", "age_approx", "patient_id")]
    found = guess_columns(names)
    assert found["age"] == "metadata.clinical.age_approx"
    assert found["sex"] == "metadata.clinical.sex"
    assert found["patient_id"] == "metadata.clinical.patient_id"
    assert "diagnosis" not in found  # R writes a suspicion so


def test_addresses_of_images_lose_what_is_asked_of_the_server() -> None:
    given = ["https://a.org/x/1.jpg?key=2", "s3://b/2.png#t", "c/3?.jpg", "http://d/e?id=4"]
    names = image_names(pd.Series(given)).tolist()
    assert names[:2] == ["1", "2"]
    assert names[3] == "e?id=4"


def test_a_cell_may_name_several_images() -> None:
    for cell in ("a.jpg; b.jpg", "a.jpg|b.png", '["a.jpg","b.jpg"]', "a.jpg\nb.jpg"):
        assert len(several_images(cell)) == 2
    for cell in ("a.jpg", "a, b.jpg", "my lesion.jpg", "a;b", ""):
        assert several_images(cell) == []


def test_names_that_are_equal_as_numbers_are_told_apart() -> None:
    assert [key(name) for name in (1, True, 1.0)] == ["1", "true", "10"]
