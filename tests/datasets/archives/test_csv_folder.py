from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from lentigo.datasets import read_archive, read_table
from lentigo.errors import (
    ColumnError,
    ConfigError,
    DatasetError,
    DatasetNotFoundError,
    UnknownNameError,
)
from tests.fakes import draw_image, fake_csv, write_lines


def test_columns_are_guessed_by_name_and_told(tmp_path: Path) -> None:
    fake_csv(
        tmp_path,
        [
            "Image Name;Patient ID;Gender;Age (years);Region;DX;Fitzpatrick",
            "a.jpg;007;F;45;THIGH;melanoma;II",
            "b.jpg;008;M;;NOSE;nv;3.0",
        ],
        ["a.jpg", "deep/down/B.JPG"],
    )
    read = read_archive("csv", tmp_path)
    table = read.table
    assert table["image_id"].tolist() == ["a", "b"]
    assert table["patient_id"].tolist() == ["007", "008"]
    assert table["sex"].tolist() == ["female", "male"]
    assert table["site"].tolist() == ["lower extremity", "head/neck"]
    assert table["skin_type"].tolist() == [2, 3]
    assert table["melanoma"].tolist() == [True, False]
    assert table["malignant"].tolist() == [True, False]
    assert [Path(path).name for path in table["path"]] == ["a.jpg", "B.JPG"]
    assert table["age"].fillna(-1).tolist() == [45, -1]
    note = read.notes[0]
    assert "image_id from Image Name" in note
    assert "melanoma from DX" in note


@pytest.mark.parametrize(
    "columns", ["melanoma=biopsy,age=years", {"melanoma": "biopsy", "age": "years"}]
)
def test_each_guess_can_be_overridden(tmp_path: Path, columns: object) -> None:
    path = fake_csv(tmp_path, ["image,label,biopsy,years", "a,0,yes,30", "b,1,no,40"])
    table = read_table("csv", path, columns=columns)
    assert table["melanoma"].tolist() == [True, False]
    assert table["age"].tolist() == [30, 40]


def test_without_a_label_nothing_is_called_malignant(tmp_path: Path) -> None:
    rows = ["image,target,benign_malignant", "a,1,", "b,0,", "c,,", "d,,malignant"]
    table = read_table("csv", fake_csv(tmp_path, rows))
    assert table["melanoma"].isna().tolist() == [False, False, True, True]
    assert table["malignant"].isna().tolist() == [False, True, True, False]
    assert table["malignant"].dropna().all()


def test_an_image_column_with_paths(tmp_path: Path) -> None:
    fake_csv(
        tmp_path,
        ["image_id,path,target", "1,left/x.png,0", "2,right\\x.png,1", "3,x.png,0"],
        ["left/x.png", "right/x.png"],
    )
    read = read_archive("csv", tmp_path)
    table = read.table
    places = [Path(path).parent.name for path in table["path"]]
    assert places == ["left", "right", "left"]
    assert "1 image has several files" in read.notes[-1]


def test_a_file_in_another_folder_than_the_table_names_is_told(tmp_path: Path) -> None:
    fake_csv(
        tmp_path,
        ["image_id,path,target", "1,pics/a.png,0", "2,/old/sub/b.png,1", "3,c,0"],
        ["sub/a.png", "sub/b.png", "sub/c.png"],
    )
    read = read_archive("csv", tmp_path)
    table = read.table
    assert table["path"].notna().all()
    assert [note for note in read.notes if "another folder" in note] == [
        "1 image found in another folder than the table names "
        f"(pics/a.png: {tmp_path / 'sub' / 'a.png'})."
    ]


def test_images_may_lie_elsewhere(tmp_path: Path) -> None:
    path = fake_csv(tmp_path / "tables", ["image,target", "a,0", "b,1"])
    draw_image(tmp_path / "pictures/a.tif", seed=0)
    table = read_table("csv", path, image_dir=str(tmp_path / "pictures"))
    assert table["path"].notna().tolist() == [True, False]
    with pytest.raises(DatasetNotFoundError, match="holds the images"):
        read_table("csv", path, image_dir=tmp_path / "absent")


def test_a_name_with_a_dot_is_not_cut(tmp_path: Path) -> None:
    fake_csv(tmp_path, ["image,target", "a.1,0", "a.2,1"], ["a.1.png", "a.png"])
    table = read_table("csv", tmp_path)
    assert table["image_id"].tolist() == ["a.1", "a.2"]
    assert table["path"].notna().tolist() == [True, False]


def test_without_a_label_the_table_is_unlabelled(tmp_path: Path) -> None:
    read = read_archive("csv", fake_csv(tmp_path, ["isic_id,age", "a,30"]))
    table = read.table
    assert table["melanoma"].isna().all()
    assert "No column holds a label" in " ".join(read.notes)


def test_real_smartphone_archive(shared: Path) -> None:
    table = read_table("csv", shared / "data/pad_ufes20")
    assert len(table) == 26
    assert table["path"].notna().all()
    assert int(table["melanoma"].sum()) == 2
    assert int(table["malignant"].sum()) == 2 + 6 + 4  # MEL, BCC, SCC
    assert table["site"].notna().all()


@pytest.mark.parametrize(
    ("lines", "error", "message"),
    [
        (["colour,target", "red,1"], ColumnError, "no column that looks like the name"),
        (["image,label", "a,0", "b,7"], ColumnError, r"label is not understood.*'7' \(1\)"),
        (["image,label", "a,p", "b,q"], ColumnError, "label are not understood"),
        (["image,target", "a,0", "a,1"], ColumnError, "names each image once"),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused(
    tmp_path: Path, lines: list[str], error: type[DatasetError], message: str
) -> None:
    with pytest.raises(error, match=message):
        read_table("csv", fake_csv(tmp_path, lines))


def test_wrong_options_are_refused(tmp_path: Path) -> None:
    path = fake_csv(tmp_path, ["image,target", "a,0"])
    with pytest.raises(ColumnError, match=r"no column targt. Did you mean target"):
        read_table("csv", path, columns="melanoma=targt")
    with pytest.raises(UnknownNameError, match="Did you mean melanoma"):
        read_table("csv", path, columns="melanom=target")
    with pytest.raises(ConfigError, match="no '='"):
        read_table("csv", path, columns="target")


def test_a_folder_must_hold_one_table(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match="holds no CSV"):
        read_table("csv", tmp_path)
    write_lines(tmp_path / "a.csv", ["image", "x"])
    write_lines(tmp_path / "b.csv", ["image", "x"])
    with pytest.raises(DatasetError, match=r"2 tables \(a.csv, b.csv\)"):
        read_table("csv", tmp_path)


def test_notes_survive_a_file(tmp_path: Path) -> None:
    from lentigo.tables import read_noted_file, write_table

    read = read_archive("csv", fake_csv(tmp_path, ["image,target", "a,0", "b,1"]))
    write_table(read, tmp_path / "t.parquet")
    again = read_noted_file(tmp_path / "t.parquet")
    assert again.notes == read.notes
    pd.testing.assert_frame_equal(again.table, read.table)


def test_a_whole_path_is_believed_wherever_it_leads(tmp_path: Path) -> None:
    for place in ("far", "table"):
        (tmp_path / place).mkdir()
        draw_image(tmp_path / place / "one.jpg", seed=0)
    lines = f"image_id,path,melanoma\none,{tmp_path}/far/one.jpg,1\ntwo,one.jpg,0\n"
    (tmp_path / "table" / "t.csv").write_text(lines)
    table = read_table("csv", tmp_path / "table" / "t.csv")
    assert table["path"].tolist() == [
        str(tmp_path / "far" / "one.jpg"), str(tmp_path / "table" / "one.jpg"),
    ]  # fmt: skip


def test_image_files_that_no_row_names_are_counted(tmp_path: Path) -> None:
    images = ["i/a.png", "i/a_mask.png", "i/b.png", "i/c.png"]
    path = fake_csv(tmp_path, ["image,label", "a,1"], images)
    notes = read_archive("csv", path).notes
    told = [note for note in notes if "named by no row" in note]
    assert told == [
        f"2 image files under {tmp_path} are named by no row, and not read: b, c."
    ]
    path = fake_csv(tmp_path, ["image,label", "a,1", "b,0", "c,0"])
    assert not any("no row" in note for note in read_archive("csv", path).notes)


def test_a_column_named_as_that_of_patients_keeps_its_text(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("datei;Kürzel;melanoma\n1;1.234;1\n2;1,234;0\n3;999;0\n4;999;0\n")
    read = read_archive("csv", path, columns={"patient_id": "Kürzel"})
    assert read.table["patient_id"].tolist() == ["1.234", "1,234", "999", "999"]
    assert 'If 999 means "not known", leave these cells empty.' in " ".join(read.notes)


def test_columns_of_image_files_are_proposed_by_what_they_hold(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("bcn_filename,dx\na.jpg,MEL\nb.jpg,NV\n")
    with pytest.raises(ColumnError, match="--column image_id=bcn_filename"):
        read_archive("csv", path)
    path.write_text("image_1,image_2,dx\na.jpg,b.jpg,MEL\nb.jpg,c.jpg,NV\n")
    with pytest.raises(ColumnError, match="a row for each"):
        read_archive("csv", path)


def test_several_images_in_a_cell_and_addresses_are_told_or_found(tmp_path: Path) -> None:
    for seed, name in enumerate("abc"):
        draw_image(tmp_path / f"{name}.png", seed=seed)
    path = tmp_path / "t.csv"
    path.write_text("image;sex;dx\na.png, b.png;1;MEL\nhttps://x.org/c.png?key=1;2;NV\n")
    read = read_archive("csv", path)
    assert read.table["path"].notna().tolist() == [False, True]
    notes = " ".join(read.notes)
    assert "1 row names several images in one cell ('a.png, b')" in notes
    assert "--map 'sex:1=male,2=female'" in notes
