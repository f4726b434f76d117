from __future__ import annotations

from pathlib import Path
from shlex import quote

import pandas as pd
import pytest

from lentigo.curation import SplitPlan, check_split, published_pairs, split_table
from lentigo.datasets import read_archive, read_table
from lentigo.errors import ColumnError, DatasetNotFoundError, UnknownNameError
from lentigo.tables import check_table
from tests.fakes import fake_siim2020, write_lines

NOT_READ = "test.csv is there and was not read: it has no labels (--part test, or all)."


@pytest.fixture
def train(siim: pd.DataFrame) -> pd.DataFrame:
    return siim


def counts(column: pd.Series[str]) -> dict[object, int]:
    return {
        "missing" if key is pd.NA else key: int(count)
        for key, count in column.astype(object)
        .fillna(pd.NA)
        .value_counts(dropna=False)
        .items()
    }


def test_published_numbers_of_patients_and_images(train: pd.DataFrame) -> None:
    images = train.groupby("patient_id").size()
    patients = train.loc[train["melanoma"], "patient_id"]
    assert len(train) == 33_126
    assert train["patient_id"].notna().all()
    assert len(images) == 2_056
    assert (images.min(), images.max(), round(images.mean(), 1)) == (2, 115, 16.1)
    assert patients.nunique() == 428


def test_published_numbers_of_the_label(train: pd.DataFrame) -> None:
    assert counts(train["melanoma"]) == {False: 32_542, True: 584}
    assert round(100 * train["melanoma"].mean(), 3) == 1.763
    assert (train["melanoma"] == train["malignant"]).all()


def test_published_numbers_of_sex_and_age(train: pd.DataFrame) -> None:
    age = train["age"]
    assert counts(train["sex"]) == {"male": 17_080, "female": 15_981, "missing": 65}
    assert (age.isna().sum(), age.median(), round(age.mean(), 2)) == (68, 50, 48.87)
    assert (age.min(), age.max()) == (0, 90)
    assert (age.dropna() % 5 == 0).all()


def test_published_numbers_of_site_and_diagnosis(train: pd.DataFrame) -> None:
    assert counts(train["site"]) == {
        "torso": 16_845,
        "lower extremity": 8_417,
        "upper extremity": 4_983,
        "head/neck": 1_855,
        "missing": 527,
        "palms/soles": 375,
        "oral/genital": 124,
    }
    assert counts(train["diagnosis"]) == {
        "missing": 27_124,
        "nevus": 5_193,
        "melanoma": 584,
        "seborrheic keratosis": 135,
        "lentigo NOS": 44,
        "lichenoid keratosis": 37,
        "solar lentigo": 7,
        "cafe-au-lait macule": 1,
        "atypical melanocytic proliferation": 1,
    }


def test_published_numbers_of_melanoma_by_sex_and_site(train: pd.DataFrame) -> None:
    melanoma = train[train["melanoma"]]
    assert counts(melanoma["sex"]) == {"male": 364, "female": 220}
    assert counts(melanoma["site"]) == {
        "torso": 257,
        "lower extremity": 124,
        "upper extremity": 111,
        "head/neck": 74,
        "missing": 9,
        "palms/soles": 5,
        "oral/genital": 4,
    }


def test_patients_with_several_melanomas_hold_45_percent_of_them(
    train: pd.DataFrame,
) -> None:
    melanomas = train[train["melanoma"]].groupby("patient_id").size()
    several = melanomas[melanomas >= 2]
    assert len(several) == 109
    assert round(100 * several.sum() / 584) == 45


def test_published_numbers_of_the_test_part(shared: Path) -> None:
    table = read_table("siim2020", shared / "data/siim2020", part="test")
    assert len(table) == 10_982
    assert table["melanoma"].isna().all()
    assert counts(table["sex"]) == {"male": 6_255, "female": 4_727}
    assert counts(table["site"]) == {
        "torso": 5_847,
        "lower extremity": 2_501,
        "upper extremity": 1_573,
        "head/neck": 576,
        "missing": 351,
        "palms/soles": 108,
        "oral/genital": 26,
    }


def test_published_duplicates_lie_within_one_patient_and_target(
    train: pd.DataFrame,
) -> None:
    pairs = published_pairs(train)
    rows = train.set_index("image_id")
    a, b = rows.loc[pairs["a"]], rows.loc[pairs["b"]]
    assert len(pairs) == 425
    for column in ("patient_id", "melanoma"):
        assert a[column].tolist() == b[column].tolist()


@pytest.mark.parametrize("by_patient", [True, False])
def test_published_duplicates_never_cross_a_split(
    train: pd.DataFrame, shared: Path, by_patient: bool
) -> None:
    # Without patients and lesions nothing but the list of duplicates keeps them together.
    table = (
        train
        if by_patient
        else check_table(train.drop(columns=["patient_id", "lesion_id"]), source="train")
    )
    split = split_table(table, SplitPlan(folds=5)).table
    fold = split.set_index("image_id")["fold"]
    assert set(fold) == set(range(5)), "else nothing was tested"
    listed = pd.read_csv(shared / "data/siim2020/ISIC_2020_Training_Duplicates.csv")
    assert len(listed) == 425
    one, two = (fold[listed[f"image_name_{end}"]].tolist() for end in (1, 2))
    assert one == two
    pairs = published_pairs(split)
    assert (fold[pairs["a"]].to_numpy() == fold[pairs["b"]].to_numpy()).all()
    check_split(split, split["fold"], pairs)


def test_both_parts_together_are_all_rows(shared: Path) -> None:
    table = read_table("siim2020", shared / "data/siim2020", part="all")
    assert table["part"].value_counts().to_dict() == {"train": 33_126, "test": 10_982}


@pytest.mark.parametrize(
    "folder", ["jpeg/train", "train", "ISIC_2020_Training_JPEG/train", "."]
)
def test_images_are_found_in_every_usual_place(tmp_path: Path, folder: str) -> None:
    read = read_archive("siim2020", fake_siim2020(tmp_path, images=folder))
    table = read.table
    assert [Path(path).stem for path in table["path"]] == table["image_id"].tolist()
    assert list(read.notes) == [NOT_READ]


def test_the_tables_alone_are_enough(tmp_path: Path) -> None:
    read = read_archive("siim2020", fake_siim2020(tmp_path, images=None))
    table = read.table
    assert len(table) == 6
    assert table["path"].isna().all()
    assert "No image file" in read.notes[0]


def test_missing_images_are_counted_and_named(tmp_path: Path) -> None:
    root = fake_siim2020(tmp_path)
    for number in (1, 2, 3, 5):
        (root / f"jpeg/train/ISIC_000000{number}.jpg").unlink()
    read = read_archive("siim2020", root)
    table = read.table
    assert table["path"].notna().tolist() == [False, False, False, True, False, True]
    assert list(read.notes[:-1]) == [
        "4 of 6 images without a file: ISIC_0000001, ISIC_0000002, ISIC_0000003 and 1 more."
    ]


def test_test_images_keep_the_size_that_the_table_gives(tmp_path: Path) -> None:
    table = read_table("siim2020", fake_siim2020(tmp_path), part="test")
    assert table["width"].tolist() == [6000, 1920]
    assert table["melanoma"].isna().all()


def test_lesions_and_duplicates_come_from_their_own_files(tmp_path: Path) -> None:
    table = read_table("siim2020", fake_siim2020(tmp_path)).set_index("image_id")
    assert table.loc["ISIC_0000001", "lesion_id"] == "IL_1"
    assert table.loc["ISIC_0000006", "duplicate_of"] == "ISIC_0000005"
    assert table["duplicate_of"].count() == 1


def test_official_name_of_the_truth_file_will_do(tmp_path: Path) -> None:
    root = fake_siim2020(tmp_path)
    (root / "ISIC_2020_Training_GroundTruth_v2.csv").unlink()
    (root / "train.csv").rename(root / "ISIC_2020_Training_GroundTruth.csv")
    assert len(read_table("siim2020", root)) == 6


def test_wrong_folder_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match=r"no train\.csv or .* holds nothing"):
        read_table("siim2020", tmp_path)
    with pytest.raises(DatasetNotFoundError, match="does not exist"):
        read_table("siim2020", tmp_path / "absent")


def test_missing_column_is_named_with_the_nearest(tmp_path: Path) -> None:
    write_lines(
        tmp_path / "train.csv",
        [
            "image_name,patientid,sex,age_approx,anatom_site_general_challenge",
            "a,b,male,5,torso",
        ],
    )
    with pytest.raises(ColumnError, match=r"no column patient_id. Did you mean patientid"):
        read_table("siim2020", tmp_path)


def test_unknown_part_offers_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean train"):
        read_table("siim2020", fake_siim2020(tmp_path), part="training")


def test_a_folder_with_braces_and_spaces_can_be_copied_from_the_advice(
    tmp_path: Path,
) -> None:
    root = tmp_path / "my {data}; rm"
    root.mkdir()
    (root / "train.csv").write_text(
        "image_name,patient_id,sex,age_approx,anatom_site_general_challenge,diagnosis,"
        "benign_malignant,target\na,p,male,50,torso,melanoma,malignant,0\n"
    )
    with pytest.raises(ColumnError, match="lentigo read csv") as refused:
        read_table("siim2020", root)
    assert f"lentigo read csv {quote(str(root / 'train.csv'))} --column" in str(
        refused.value
    )


def test_an_image_in_two_pairs_of_duplicates_keeps_both(tmp_path: Path) -> None:
    root = fake_siim2020(tmp_path)
    lines = ["image_name_1,image_name_2", "ISIC_0000001,ISIC_0000003"]
    lines += ["ISIC_0000002,ISIC_0000003", "ISIC_0000003,ISIC_0000001"]
    path = root / "ISIC_2020_Training_Duplicates.csv"
    path.write_text("\n".join(lines))
    found = read_table("siim2020", root).set_index("image_id")["duplicate_of"].dropna()
    assert found.to_dict() == {
        "ISIC_0000003": "ISIC_0000001", "ISIC_0000002": "ISIC_0000001",
    }  # fmt: skip


def test_an_image_of_two_lesions_is_refused(tmp_path: Path) -> None:
    root = fake_siim2020(tmp_path)
    path = root / "ISIC_2020_Training_GroundTruth_v2.csv"
    truth = pd.read_csv(path)
    pd.concat([truth, truth.head(1).assign(lesion_id="IL_0")]).to_csv(path, index=False)
    with pytest.raises(ColumnError, match="1 value of image_name, and they differ"):
        read_table("siim2020", root)
