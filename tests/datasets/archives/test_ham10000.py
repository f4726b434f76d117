from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from lentigo.datasets import read_archive, read_table
from lentigo.errors import (
    ColumnError,
    DatasetError,
    DatasetNotFoundError,
    UnknownWordsError,
)
from tests.fakes import fake_ham10000, write_lines


def test_numbers_of_the_real_archive(shared: Path) -> None:
    table = read_table("ham10000", shared / "data/ham10000")
    assert len(table) == 8_013
    assert table["path"].notna().all()
    assert int(table["melanoma"].sum()) == 891
    assert int(table["malignant"].sum()) == 891 + 411  # mel and bcc
    assert int(table["malignant"].isna().sum()) == 261  # akiec
    assert int(table["age"].isna().sum()) == 50
    assert table["sex"].value_counts().to_dict() == {"male": 4_304, "female": 3_661}
    assert int(table["site"].isna().sum()) == 189
    assert int((table["site_detail"] == "back").sum()) == 1_737
    assert table["site_detail"].nunique() == 14
    assert table["patient_id"].isna().all()


def test_sites_agree_with_those_of_the_isic_archive(shared: Path) -> None:
    table = read_table("ham10000", shared / "data/ham10000")
    isic = pd.read_csv(shared / "data/isic2019/ISIC_2019_Training_Metadata.csv")
    theirs = isic.set_index("image")["anatom_site_general"].reindex(table["image_id"])
    theirs = theirs.str.replace("^(anterior|posterior|lateral) ", "", regex=True)
    known = theirs.notna().to_numpy()
    assert (table["site"].to_numpy()[known] == theirs.to_numpy()[known]).all()


def test_each_word_is_mapped(tmp_path: Path) -> None:
    table = read_table("ham10000", fake_ham10000(tmp_path))
    assert table["melanoma"].tolist() == [False, False, True, False, False]
    assert table["malignant"].tolist() == [False, False, True, pd.NA, True]
    assert table["site"].tolist() == [
        "torso", "torso", "palms/soles", "lower extremity", pd.NA
    ]  # fmt: skip
    assert table["sex"].tolist() == ["male", "male", pd.NA, "female", "female"]
    assert table["age"].tolist()[:3] == [45, 45, 0]
    assert pd.isna(table["age"][3])
    assert table["dx_type"][4] == "confocal"


def test_images_lie_in_both_parts_and_a_mask_is_none(tmp_path: Path) -> None:
    root = fake_ham10000(tmp_path)
    read = read_archive("ham10000", root)
    table = read.table
    assert table["path"][3] == str(root / "HAM10000_images_part_2/ISIC_0024309.jpg")
    assert pd.isna(table["path"][4])
    assert "1 of 5 images without a file: ISIC_0024310." in read.notes


def test_outlines_are_found_where_they_are(tmp_path: Path) -> None:
    root = fake_ham10000(tmp_path)
    masks = read_table("ham10000", root)["mask_path"]
    folder = root / "HAM10000_segmentations_lesion_tschandl"
    assert masks[4] == str(folder / "ISIC_0024310_segmentation.png")
    assert masks.notna().sum() == 1
    (folder / "ISIC_0024310_segmentation.png").unlink()
    assert "mask_path" not in read_table("ham10000", root)


def test_flat_folder_and_table_without_ending(tmp_path: Path) -> None:
    root = fake_ham10000(tmp_path)
    for path in root.rglob("*.jpg"):
        path.rename(root / path.name.upper())
    (root / "HAM10000_metadata.csv").rename(root / "HAM10000_metadata")
    assert read_table("ham10000", root)["path"].count() == 4


def test_tab_separated_table_is_read(tmp_path: Path) -> None:
    root = fake_ham10000(tmp_path)
    lines = (root / "HAM10000_metadata.csv").read_text().replace(",", "\t")
    (root / "HAM10000_metadata.csv").unlink()
    (root / "HAM10000_metadata.tab").write_text(lines)
    assert len(read_table("ham10000", root)) == 5


def test_words_we_do_not_have_are_listed_and_never_guessed(tmp_path: Path) -> None:
    write_lines(
        tmp_path / "HAM10000_metadata.csv",
        [
            "lesion_id,image_id,dx,dx_type,age,sex,localization",
            "L1,a,nv,histo,45,male,back",
            "L2,b,chromhidrosis,histo,old,diverse,wing",
        ],
    )
    with pytest.raises(UnknownWordsError, match=r"'chromhidrosis' \(1\)"):
        read_table("ham10000", tmp_path)
    read = read_archive("ham10000", tmp_path, unknown="missing")
    table = read.table
    assert table["diagnosis"][1] == "chromhidrosis"
    assert table.loc[1, ["melanoma", "malignant", "age", "sex", "site"]].isna().all()
    notes = " ".join(read.notes)
    for word in ("'chromhidrosis' (1)", "'diverse' (1)", "'wing' (1)"):
        assert word in notes
    # A cell in the place of an age may name a person, so it is not stored.
    assert "age is missing for 1 image whose cell in the column age is no number" in notes
    assert "'old'" not in notes


@pytest.mark.parametrize(
    ("lines", "error", "message"),
    [
        ([], DatasetError, "empty"),
        (
            ["lesion_id,image_id,dx,dxtype"],
            ColumnError,
            "no column dx_type. Did you mean dxtype",
        ),
        (
            ["lesion_id,image_id,dx,dx_type,age,sex,localization"],
            DatasetError,
            "has no rows",
        ),
        (
            ["lesion_id,image_id,dx,dx_type,age,sex,localization"]
            + 2 * ["L,a,nv,histo,45,male,back"],
            ColumnError,
            "names each image once",
        ),
    ],
)
def test_broken_tables_are_refused(
    tmp_path: Path, lines: list[str], error: type[DatasetError], message: str
) -> None:
    path = tmp_path / "HAM10000_metadata.csv"
    path.write_text("\n".join(lines))
    with pytest.raises(error, match=message):
        read_table("ham10000", tmp_path)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.csv", ["x"])
    with pytest.raises(DatasetNotFoundError, match="is a file"):
        read_table("ham10000", path)
