"""Every reader, and everything that may be wrong with an archive on disk.

Each pair of a format and a failure ends in one sentence: an error of one line that names
the file and says what to do, or a counted warning in the notes. A format that is added to
the registry without a made-up archive here fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from lentigo.datasets import FORMATS, guess_format, read_archive, read_table
from lentigo.errors import ColumnError, DatasetError, DatasetNotFoundError
from tests import fakes

WHAT_TO_DO = re.compile(
    r"; give |Give |; put |Keep one|; save |Did you mean|It has |It holds |call one of them"
    r"|; say |say which|should |are understood|is it |call draw_dataset|are read by"
    r"|Say what they mean"
)


def fake_csv(root: Path) -> Path:
    lines = ["image,sex,age,target", "a,female,40,0", "b,male,50,1", "c,male,60,0"]
    return fakes.fake_csv(root, lines, ["a.jpg", "b.jpg"]).parent


def fake_folder(root: Path) -> Path:
    return fakes.fake_folder(root, {"melanoma": 2, "nevus": 3})


class Archive(NamedTuple):
    fake: Callable[[Path], Path]
    table: str = ""
    """The table that names the images; empty where there is none."""
    key: str = ""
    """The column of it without which nothing can be read."""
    words: str = ""
    """A column whose unknown words must be named and counted."""


ARCHIVES = {
    "siim2020": Archive(fakes.fake_siim2020, "train.csv", "image_name", "diagnosis"),
    "ham10000": Archive(fakes.fake_ham10000, "HAM10000_metadata.csv", "image_id", "dx"),
    "isic2016": Archive(
        fakes.fake_isic2016, "ISBI2016_ISIC_Part3_Training_GroundTruth.csv", words="label"
    ),
    "isic2017": Archive(
        fakes.fake_isic2017,
        "ISIC-2017_Training_Part3_GroundTruth.csv",
        "image_id",
        "melanoma",
    ),
    "isic2018": Archive(
        fakes.fake_isic2018,
        "ISIC2018_Task3_Training_GroundTruth/ISIC2018_Task3_Training_GroundTruth.csv",
        "image",
        "nv",
    ),
    "isic2019": Archive(
        fakes.fake_isic2019, "ISIC_2019_Training_GroundTruth.csv", "image", "nv"
    ),
    "isic2024": Archive(fakes.fake_isic2024, "train-metadata.csv", "isic_id", "sex"),
    "isic_archive": Archive(fakes.fake_isic_archive, "metadata.csv", "isic_id", "sex"),
    "bcn20000": Archive(
        fakes.fake_bcn20000, "bcn_20k_train.csv", "bcn_filename", "diagnosis"
    ),
    "milk10k": Archive(
        fakes.fake_milk10k, "MILK10k_Training_Metadata.csv", "isic_id", "site"
    ),
    "pad_ufes20": Archive(fakes.fake_pad_ufes20, "metadata.csv", "img_id", "diagnostic"),
    "ph2": Archive(fakes.fake_ph2, "PH2_dataset.txt"),
    "derm7pt": Archive(fakes.fake_derm7pt, "meta/meta.csv", "derm", "diagnosis"),
    "fitzpatrick17k": Archive(
        fakes.fake_fitzpatrick17k, "fitzpatrick17k.csv", "md5hash", "label"
    ),
    "ddi": Archive(fakes.fake_ddi, "ddi_metadata.csv", "ddi_file", "disease"),
    "dicom": Archive(fakes.fake_dicom),
    "folder": Archive(fake_folder),
    "csv": Archive(fake_csv, "metadata.csv", "image", "sex"),
    "synthetic": Archive(fakes.fake_synthetic, "metadata.csv", "image_id", "sex"),
}
WITHOUT_TABLE = {"dicom", "folder"}
COLUMNLESS = {"ph2", "isic2016"}
"""Their tables have no header; what becomes of them is changed line by line below."""
TABLES = [name for name in ARCHIVES if name not in WITHOUT_TABLE]
HEADED = [name for name in TABLES if name not in COLUMNLESS]
EVERY = pytest.mark.parametrize("name", ARCHIVES)
WITH_TABLE = pytest.mark.parametrize("name", TABLES)
WITH_HEADER = pytest.mark.parametrize("name", HEADED)


def changed(name: str, root: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Path:
    """The made-up archive with its table `change`d."""
    path = ARCHIVES[name].fake(root) / ARCHIVES[name].table
    table = pd.read_csv(path, dtype="string")
    change(table.rename(columns=str.lower)).to_csv(path, index=False)
    return root


def rewritten(name: str, root: Path, change: Callable[[list[str]], list[str]]) -> Path:
    """The made-up archive with the lines of its table `change`d."""
    path = ARCHIVES[name].fake(root) / ARCHIVES[name].table
    fakes.write_lines(path, change(path.read_text(encoding="utf-8").splitlines()))
    return root


def refusal(name: str, root: Path, *, naming: str = "") -> str:
    """The error of one line that reading `root` ends in, checked for what it must say."""
    with pytest.raises(DatasetError) as caught:
        read_table(name, root)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert (naming or str(root)) in sentence
    assert WHAT_TO_DO.search(sentence), sentence
    return sentence


def test_each_format_of_the_registry_is_tried() -> None:
    assert set(ARCHIVES) == set(FORMATS)
    assert {name for name, row in ARCHIVES.items() if not row.table} == WITHOUT_TABLE


@EVERY
def test_the_archive_is_recognised_by_its_files(name: str, tmp_path: Path) -> None:
    assert guess_format(ARCHIVES[name].fake(tmp_path)) == name


@EVERY
def test_a_folder_that_is_not_there(name: str, tmp_path: Path) -> None:
    assert "does not exist" in refusal(name, tmp_path / "absent")


@EVERY
def test_a_folder_that_holds_nothing(name: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match=r"holds? no|has no|It holds nothing"):
        read_table(name, tmp_path)


@EVERY
def test_the_folder_of_another_archive(name: str, tmp_path: Path) -> None:
    if name == "csv":  # reads any table; several of them leave the choice open
        fakes.fake_siim2020(tmp_path, images=None)
    elif name == "ham10000":
        fakes.fake_isic2017(tmp_path)
    else:
        fakes.fake_ham10000(tmp_path)
    refusal(name, tmp_path)


@EVERY
def test_a_file_where_a_folder_is_expected(name: str, tmp_path: Path) -> None:
    path = tmp_path / "archive.pdf"
    path.write_bytes(b"%PDF-1.7\n\xe2\xe3\xcf\xd3\n")
    sentence = refusal(name, path)
    assert "is a file" in sentence or name in {"csv", "synthetic"}


@WITH_TABLE
def test_a_folder_where_the_table_is_expected(name: str, tmp_path: Path) -> None:
    root = ARCHIVES[name].fake(tmp_path)
    _only_the_table(root, ARCHIVES[name].table).unlink()
    (root / ARCHIVES[name].table).mkdir()
    refusal(name, root)


@WITH_TABLE
def test_an_archive_without_its_table(name: str, tmp_path: Path) -> None:
    root = ARCHIVES[name].fake(tmp_path)
    _only_the_table(root, ARCHIVES[name].table).unlink()
    with pytest.raises(DatasetNotFoundError):
        read_table(name, root)
    refusal(name, root)


def _only_the_table(root: Path, table: str) -> Path:
    """The table, after the tables of all other parts have been removed."""
    for path in root.rglob("*"):
        if path.suffix in {".csv", ".txt"} and path != root / table:
            path.unlink()
    return root / table


@WITH_TABLE
def test_a_table_that_is_empty(name: str, tmp_path: Path) -> None:
    root = ARCHIVES[name].fake(tmp_path)
    (root / ARCHIVES[name].table).write_text("")
    sentence = refusal_of_empty(name, root)
    assert ARCHIVES[name].table in sentence


def refusal_of_empty(name: str, root: Path) -> str:
    with pytest.raises(DatasetError, match=r"is empty|holds no row such as") as caught:
        read_table(name, root)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@WITH_HEADER
def test_a_table_with_a_header_alone(name: str, tmp_path: Path) -> None:
    root = changed(name, tmp_path, lambda table: table.iloc[:0])
    with pytest.raises(DatasetError, match="has no rows: there is not one") as caught:
        read_table(name, root)
    assert str(root / ARCHIVES[name].table) in str(caught.value)
    assert "\n" not in str(caught.value)


@WITH_TABLE
def test_a_table_that_is_not_in_utf_8(name: str, tmp_path: Path) -> None:
    path = ARCHIVES[name].fake(tmp_path) / ARCHIVES[name].table
    path.write_bytes(
        path.read_bytes().rstrip() + "\n\u0451\u0436\u0438\u043a".encode("cp1251")
    )
    assert "not written in UTF-8" in refusal(name, tmp_path, naming=str(path))
    path.write_bytes("a,b\n1,2\n".encode("utf-16"))
    refusal(name, tmp_path, naming=str(path))


@WITH_HEADER
def test_a_missing_column_is_named(name: str, tmp_path: Path) -> None:
    key = ARCHIVES[name].key
    root = changed(name, tmp_path, lambda table: table.rename(columns={key: f"{key}xx"}))
    with pytest.raises(ColumnError, match="has no column"):
        read_table(name, root)
    sentence = refusal_of_column(name, root)
    assert key in sentence or name == "csv"
    assert ARCHIVES[name].table in sentence


def refusal_of_column(name: str, root: Path) -> str:
    with pytest.raises(ColumnError) as caught:
        read_table(name, root)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert WHAT_TO_DO.search(sentence) or name == "synthetic"
    return sentence


@WITH_HEADER
def test_a_further_column_does_no_harm(name: str, tmp_path: Path) -> None:
    before = read_table(name, ARCHIVES[name].fake(tmp_path / "a"), unknown="missing")
    root = changed(name, tmp_path / "b", lambda table: table.assign(shoe_size="42"))
    after = read_table(name, root, unknown="missing")
    left = [c for c in before if c not in {"path", "mask_path"}]
    pd.testing.assert_frame_equal(before[left], after[left])


@WITH_HEADER
def test_an_image_that_comes_twice(name: str, tmp_path: Path) -> None:
    root = changed(name, tmp_path, lambda table: pd.concat([table, table.head(1)]))
    if name == "derm7pt":  # two lesions on one image are not unheard of there
        assert read_table(name, root)["duplicate_of"].notna().any()
        return
    with pytest.raises(ColumnError, match="names each image once") as caught:
        read_table(name, root)
    assert "\n" not in str(caught.value)
    assert str(root) in str(caught.value)


LABEL_IS_A_WORD = {
    "ham10000", "isic2017", "isic2018", "isic2019", "isic_archive", "bcn20000",
    "pad_ufes20", "derm7pt", "fitzpatrick17k", "ddi",
}  # fmt: skip
"""Archives whose label hangs on the word that is changed, and on no other column."""


@WITH_HEADER
def test_words_that_nobody_knows_are_named_and_counted(name: str, tmp_path: Path) -> None:
    def first_two(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(
            **{column: table[column].mask(table.index < 2, "wonder")},
        )

    column = ARCHIVES[name].words
    root = changed(name, tmp_path, first_two)
    if name == "synthetic":  # it knows every word that it wrote
        assert "wonder" in refusal(name, root, naming="metadata.csv")
        return
    if name in LABEL_IS_A_WORD:
        assert "not understood" in refusal(name, root)
    notes = " ".join(read_archive(name, root, unknown="missing").notes)
    # In one column a class a word that is none leaves the row without a class.
    classes = r"for (1|2) rows? of .*do not name exactly one class"
    assert re.search(r"'wonder' \(\d\)", notes) or re.search(classes, notes), notes


def test_isic2016_line_by_line(tmp_path: Path) -> None:
    table = ARCHIVES["isic2016"].table
    for place, (change, said) in enumerate(
        [
            (lambda lines: [*lines, lines[0]], "names each image once"),
            (lambda lines: [line + ",42" for line in lines], "holds 3"),
            (lambda lines: [line.partition(",")[0] for line in lines], "holds 1"),
        ]
    ):
        root = rewritten("isic2016", tmp_path / str(place), change)
        assert said in refusal("isic2016", root)
    root = rewritten("isic2016", tmp_path / "word", lambda lines: ["ISIC_9,wonder", *lines])
    assert "'wonder' (1)" in refusal("isic2016", root)
    read = read_archive("isic2016", root, unknown="missing")
    assert "melanoma is missing where the word is not in our vocabulary: 'wonder' (1)." in (
        read.notes
    )
    assert read.table["melanoma"].isna().sum() == 1
    # One line is an image, not a header.
    root = rewritten("isic2016", tmp_path / "one", lambda lines: lines[:1])
    assert len(read_table("isic2016", root, part="training")) == 1
    assert table


def test_ph2_line_by_line(tmp_path: Path) -> None:
    for place, (change, said) in enumerate(
        [
            (lambda lines: [*lines, lines[1]], "names each image once"),
            (lambda lines: [lines[1].replace("| A ", " ", 1)], r"criteria"),
            (lambda lines: lines[:1], "holds no row such as"),
        ]
    ):
        root = rewritten("ph2", tmp_path / str(place), change)
        if place == 1:
            path = root / "PH2_dataset.txt"
            path.write_text(re.sub(r"\|\s+A \|", "|", path.read_text(), count=1))
        assert said in refusal("ph2", root)

    def unknown(lines: list[str]) -> list[str]:
        return [line.replace("||                  0 ||", "|| 9 ||") for line in lines]

    root = rewritten("ph2", tmp_path / "word", unknown)
    assert "'9' (1)" in refusal("ph2", root)
    assert "'9' (1)" in " ".join(read_archive("ph2", root, unknown="missing").notes)


def test_a_folder_of_dicom_files(tmp_path: Path) -> None:
    root = fakes.fake_dicom(tmp_path / "a")
    (root / "e.dcm").write_bytes(b"")
    (root / "again").mkdir()
    (root / "again/a.dcm").write_bytes((root / "a.dcm").read_bytes())
    read = read_archive("dicom", root)
    table = read.table
    notes = " ".join(read.notes)
    assert "2 files without a header: d.dcm, e.dcm." in notes
    assert "'SKIN' (1)" in notes
    assert table["image_id"].is_unique
    fakes.draw_image(tmp_path / "b/x.jpg", seed=1)
    assert "no DICOM file" in refusal("dicom", tmp_path / "b")


def test_a_folder_of_classes(tmp_path: Path) -> None:
    root = fakes.fake_folder(tmp_path / "a", {"melanoma": 1, "wonder": 2, "empty": 0})
    (root / "wonder/notes.txt").write_text("no image")
    assert "'wonder' (2)" in refusal("folder", root)
    read = read_archive("folder", root, melanoma="melanoma")
    table = read.table
    assert table["image_id"].is_unique  # all are called 0.png, 1.png
    assert "wonder (2)" in read.notes[0]
    assert table["diagnosis"].tolist() == ["melanoma", "wonder", "wonder"]
    nameless = fakes.fake_folder(tmp_path / "b", {"this": 1, "that": 1})
    assert "no class that we know as melanoma" in refusal("folder", nameless)
    flat = fakes.fake_folder(tmp_path / "c", {".": 2})
    assert "no subfolders with images" in refusal("folder", flat)


@pytest.mark.parametrize(
    ("name", "rows", "melanomas"),
    [
        ("siim2020", 33_126, 584),
        ("ham10000", 8_013, 891),
        ("isic2017", 2_150, 404),
        ("isic2019", 22_734 + 8_238, 4_183 + 1_327),
        ("pad_ufes20", 26, 2),
    ],
)
def test_real_archives(shared: Path, name: str, rows: int, melanomas: int) -> None:
    read = read_archive(name, shared / "data" / name)
    table = read.table
    assert (len(table), int(table["melanoma"].sum())) == (rows, melanomas)
    assert table["licence"].notna().all()
    vocabulary = [n for n in read.notes if "not in our vocabulary" in n]
    assert vocabulary == []
