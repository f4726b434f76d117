from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from lentigo.datasets import read_archive, read_table
from lentigo.errors import (
    ColumnError,
    DatasetError,
    DatasetNotFoundError,
    UnknownNameError,
    UnknownWordsError,
)
from tests.fakes import draw_image, fake_folder


def melanomas(table: pd.DataFrame) -> dict[str, object]:
    return dict(zip(table["diagnosis"].fillna("-"), table["melanoma"], strict=True))


def test_classes_are_told_from_the_names_of_the_folders(tmp_path: Path) -> None:
    root = fake_folder(tmp_path / "mine", {"MEL": 1, "nevus": 2, "eczema": 1, "unknown": 1})
    read = read_archive("folder", root)
    table = read.table
    assert melanomas(table) == {
        "melanoma": True,
        "nevus": False,
        "eczema": False,
        "-": pd.NA,
    }
    assert table["dataset"].unique().tolist() == ["mine"]
    assert table["path"].notna().all()
    assert list(read.notes) == [
        "The subfolders are the classes: MEL (1) taken as melanoma, against nevus (2), "
        "eczema (1); unknown (1) without a label."
    ]


@pytest.mark.parametrize(
    ("positive", "negative"),
    [
        ("malignant", "benign"),
        ("Positive", "Negative"),
        ("1", "0"),
    ],
)
def test_the_strictest_word_that_is_there_is_melanoma(
    tmp_path: Path, positive: str, negative: str
) -> None:
    root = fake_folder(tmp_path, {positive: 2, negative: 3})
    assert int(read_table("folder", root)["melanoma"].sum()) == 2


@pytest.mark.parametrize("word", ["malignant", "positive", "1", "cancer", "other", "Ja"])
def test_a_class_that_may_hold_melanomas_is_not_guessed(tmp_path: Path, word: str) -> None:
    root = fake_folder(tmp_path, {"melanoma": 1, "nevus": 1, word: 2})
    with pytest.raises(UnknownWordsError, match=rf"'{word}' \(2\).*--melanoma mel") as no:
        read_table("folder", root)
    assert f"--map 'class:{word}=MEANING'" in str(no.value)
    for meaning, melanomas in (("no", 1), ("yes", 3), ("squamous cell carcinoma", 1)):
        table = read_table("folder", root, map=f"class:{word}={meaning}")
        assert int(table["melanoma"].sum()) == melanomas
        assert table["melanoma"].notna().all()
    named = read_table("folder", root, melanoma="melanoma")
    assert named["melanoma"].fillna(True).sum() == 1


def test_classes_can_be_named(tmp_path: Path) -> None:
    root = fake_folder(tmp_path, {"a": 1, "b": 2, "c": 3})
    assert int(read_table("folder", root, melanoma="a, b")["melanoma"].sum()) == 3
    assert int(read_table("folder", root, melanoma=["c"])["melanoma"].sum()) == 3
    with pytest.raises(ColumnError, match=r"no class d. It has a, b, c"):
        read_table("folder", root, melanoma="d")
    with pytest.raises(ColumnError, match=r"no class that we know as melanoma .*a, b, c"):
        read_table("folder", root)


def test_images_called_alike_keep_their_folder_in_front(tmp_path: Path) -> None:
    root = fake_folder(tmp_path, {"melanoma": 1, "nevus": 2})
    names = read_table("folder", root)["image_id"].tolist()
    assert names == ["melanoma/0", "nevus/0", "1"]


def test_a_level_of_parts_is_seen_through(tmp_path: Path) -> None:
    root = fake_folder(
        tmp_path, {"train/melanoma": 1, "train/nevus": 2, "test/melanoma": 1}
    )
    table = read_table("folder", root)
    assert table["part"].tolist() == ["test", "train", "train", "train"]
    assert int(table["melanoma"].sum()) == 2


def test_a_folder_without_subfolders_is_refused(tmp_path: Path) -> None:
    draw_image(tmp_path / "a.png", seed=0)
    with pytest.raises(DatasetNotFoundError, match="no subfolders with images"):
        read_table("folder", tmp_path)


def test_a_name_that_no_table_can_hold_is_refused(tmp_path: Path) -> None:
    for name in ("melanoma/a.jpg", "nevus/b.jpg"):
        draw_image(tmp_path / name, seed=0)
    strange = Path(os.fsdecode(os.fsencode(tmp_path) + b"/nevus/c\xff.jpg"))
    try:
        strange.write_bytes(b"")
    except OSError:
        pytest.skip("this disk takes only names in UTF-8")
    with pytest.raises(DatasetError, match=r"1 image file that no .*nevus/c\\udcff\.jpg"):
        read_table("folder", tmp_path)


def test_images_of_a_part_without_classes_have_no_label() -> None:
    root = Path(__file__).parents[2] / "cases" / "17-unlabelled-test-folder"
    table = read_table("folder", root)
    assert len(table) == 17
    assert table["melanoma"].value_counts().to_dict() == {True: 6, False: 6}
    assert set(table.loc[table["melanoma"].isna(), "part"]) == {"test"}
    assert len(read_table("folder", root, part="test")) == 5


@pytest.mark.parametrize("level", [".", "data", "data/train"])
def test_parts_above_classes_are_read_from_any_level(tmp_path: Path, level: str) -> None:
    classes = {
        "data/train/benign": 2, "data/train/malignant": 1, "data/test/malignant": 2,
    }  # fmt: skip
    root = fake_folder(tmp_path, classes) / level
    read = read_archive("folder", root)
    table = read.table
    train = table[table["part"] == "train"]
    assert (len(train), int(train["melanoma"].sum())) == (3, 1)
    assert len(table) == (3 if level == "data/train" else 5)
    assert any("malignant, and is taken to mean melanoma" in n for n in read.notes)
    if level != "data/train":
        assert len(read_table("folder", root, part="test")) == 2
        with pytest.raises(UnknownNameError, match="Did you mean test"):
            read_table("folder", root, part="tets")


def test_parts_below_classes_are_no_classes(tmp_path: Path) -> None:
    root = fake_folder(tmp_path, {"melanoma/train": 1, "nevus/train": 2, "nevus/test": 1})
    table = read_table("folder", root)
    assert int(table["melanoma"].sum()) == 1
    assert table["part"].value_counts().to_dict() == {"train": 3, "test": 1}


def test_an_image_beside_the_classes_has_no_label(tmp_path: Path) -> None:
    root = fake_folder(tmp_path, {"Melanom": 1, "Nävus": 1})
    draw_image(root / "stray.png", seed=0)
    read = read_archive("folder", root)
    table = read.table
    assert table["melanoma"].isna().sum() == 1
    assert "1 image lies in no folder of a class: no label." in read.notes


def test_the_classes_of_a_part_are_counted_alone(tmp_path: Path) -> None:
    for name in ("train/nevus/a", "train/melanoma/b", "test/nevus/c", "test/nevus/d"):
        path = tmp_path / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    told = read_archive("folder", tmp_path, part="train").notes
    assert "melanoma (1) taken as melanoma, against nevus (1)." in told[0]
