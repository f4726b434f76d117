from __future__ import annotations

import bz2
import gzip
import lzma
import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lentigo.errors import DatasetError, DatasetNotFoundError
from lentigo.files import write_csv
from lentigo.table_files import opened
from lentigo.table_files.door import is_table, read_any_table, split_sheet, table_name

CASES = Path(__file__).parents[1] / "cases"
ROWS = "image;age;label\n007;45,5;1\n010;;0\n"


def saved(folder: Path, data: bytes | str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def cells(path: Path) -> list[list[object]]:
    table = read_any_table(path)
    return table.astype("object").where(table.notna(), None).to_numpy().tolist()


@pytest.mark.parametrize(
    "encoding",
    [
        "utf-8",
        "utf-8-sig",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "cp1252",
        "mac_roman",
    ],
)
def test_a_table_is_read_in_any_of_the_usual_encodings(
    tmp_path: Path, encoding: str
) -> None:
    text = "image,sex,site\nnävus_ü,weiß,Rücken\nlésion,männlich,Fuß\n"
    table = read_any_table(saved(tmp_path, text.encode(encoding)))
    assert table["image"].tolist() == ["nävus_ü", "lésion"]
    assert table["site"].tolist() == ["Rücken", "Fuß"]


@pytest.mark.parametrize("encoding", ["cp1251", "gb18030", "shift_jis", "cp1253"])
def test_letters_that_could_be_any_alphabet_are_not_guessed(
    tmp_path: Path, encoding: str
) -> None:
    words = {
        "cp1251": "меланома",
        "gb18030": "黑色素瘤",
        "shift_jis": "黒色腫",
        "cp1253": "μελάνωμα",
    }
    text = f"image,dx\na,{words[encoding]}\nb,{words[encoding]}\n"
    with pytest.raises(DatasetError, match=r"not written in UTF-8.*save it as CSV UTF-8"):
        read_any_table(saved(tmp_path, text.encode(encoding)))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_the_separator_is_the_one_that_the_lines_agree_on(
    tmp_path: Path, separator: str, ending: str
) -> None:
    rows = [["image", '"age, in years; or so"', "n"], ["a", "4", "1"], ["b", "5", "2"]]
    text = ending.join(separator.join(row) for row in rows) + ending
    table = read_any_table(saved(tmp_path, text))
    assert list(table) == ["image", "age, in years; or so", "n"]
    assert table["n"].tolist() == [1, 2]


def test_rows_that_are_too_short_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = 'image,site,age\na,"back, low",45\n\nb,hand\nc\nd,"arm, leg",\n'
    assert cells(saved(tmp_path, rows))[1:3] == [["b", "hand", None], ["c", None, None]]
    assert "2 rows (the first in line 4) have fewer cells than the header" in caplog.text
    caplog.clear()
    cells(saved(tmp_path, "image,site,age\na,hand,45\nb,,\n", "whole.csv"))
    assert caplog.text == ""


@pytest.mark.parametrize("first", ["sep=;\n", "sep=;\r\n", '"sep=;"\n', "SEP=;\n"])
def test_a_line_that_names_the_separator_is_no_header(tmp_path: Path, first: str) -> None:
    assert cells(saved(tmp_path, first + ROWS)) == [["007", 45.5, 1], ["010", None, 0]]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_packed_table_is_read_by_its_content(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    data = pack(ROWS.encode())
    assert cells(saved(tmp_path, data, "t.csv.gz")) == cells(saved(tmp_path, ROWS))
    assert cells(saved(tmp_path, data + pack(b"011;;1\n"), "t.csv"))[2] == ["011", None, 1]
    with pytest.raises(DatasetError, match="cannot be read as a table"):
        read_any_table(saved(tmp_path, data[:-12], "cut.csv.gz"))


def test_a_zip_of_one_table_is_that_table(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("deep/t.csv", ROWS)
    assert cells(path)[0] == ["007", 45.5, 1]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (["0060", "0061"], ["0060", "0061"]),  # in any column: it may be named as the id
        (["+7", "8"], ["+7", "8"]),
        (["1e7", "8"], ["1e7", "8"]),
        (["7", "8"], [7, 8]),
        (["0.5", "1e-7"], [0.5, 1e-7]),
        (["-1.5", ""], [-1.5, None]),
        (["True", "False"], [True, False]),
        (["NA", "x"], [None, "x"]),
        (["12345678901234567890", "1"], ["12345678901234567890", "1"]),
    ],
)
def test_a_cell_becomes_a_number_only_where_nothing_is_lost(
    tmp_path: Path, column: list[str], values: list[object]
) -> None:
    text = "image,code\n" + "".join(f"{n},{cell}\n" for n, cell in enumerate(column))
    assert [row[1] for row in cells(saved(tmp_path, text))] == values


@pytest.mark.parametrize("name", ["id", "image", "patient_id", "Patienten-ID", "file"])
def test_ids_stay_text_and_an_image_may_be_called_na(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path, f"{name},x\n1,1\n1.0,2\n")
    assert read_any_table(path)[name].tolist() == ["1", "1.0"]
    assert read_any_table(saved(tmp_path, "image\nNA\n"))["image"].tolist() == ["NA"]


def test_numbers_are_read_to_the_last_digit(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).random(2000)
    write_csv(pd.DataFrame({"image": range(2000), "p": numbers}), tmp_path / "t.csv")
    assert (read_any_table(tmp_path / "t.csv")["p"].to_numpy() == numbers).all()


def test_decimal_commas(tmp_path: Path) -> None:
    rows = "image;p;label;age\n1;0,669;1,0;45,5\n2;1,234;0,0;\n"
    assert cells(saved(tmp_path, rows)) == [
        ["1", 0.669, 1.0, 45.5],
        ["2", 1.234, 0.0, None],
    ]
    text = read_any_table(saved(tmp_path, rows), text=True)
    assert text["label"].tolist() == ["1.0", "0.0"]
    quoted = 'image,age,count\n1,"45,5","1,234"\n2,"46,0","2,000"\n'
    assert cells(saved(tmp_path, quoted)) == [["1", 45.5, "1,234"], ["2", 46.0, "2,000"]]


PER_CENT = """image;p;q;r;s;t
a;12,5 %;100%;5%;7%;5 %
b;0,05%;.5％;0.5;;1e-2%
c;;-3%;1%;NA;1 234 %
"""


def test_per_cent_are_shares_where_every_cell_has_the_sign(tmp_path: Path) -> None:
    table = read_any_table(saved(tmp_path, PER_CENT)).astype("object")
    assert table["p"].tolist()[:2] == [0.125, 0.0005]
    assert table["q"].tolist() == [1.0, 0.005, -0.03]
    assert table["r"].tolist() == ["5%", "0.5", "1%"]  # nobody knows what 0.5 is
    assert table["s"].iloc[0] == 0.07
    assert table["s"].isna().tolist() == [False, True, True]
    assert table["t"].tolist() == ["5 %", "1e-2%", "1 234 %"]


def test_an_index_of_parquet_is_a_column(tmp_path: Path) -> None:
    path = CASES / "37-parquet-with-the-id-as-index/table.parquet"
    assert read_any_table(path)["image_id"].tolist() == ["00000", "00001", "00002", "00003"]
    table = pd.DataFrame({"x": [1, 2]}, index=["a", "b"])
    table.to_parquet(tmp_path / "t.parquet")
    assert list(read_any_table(tmp_path / "t.parquet")) == ["index", "x"]
    table.reset_index().iloc[1:].to_parquet(tmp_path / "t.parquet")  # a rest of numbers
    assert list(read_any_table(tmp_path / "t.parquet")) == ["index", "x"]


def test_packed_images_in_a_parquet_file_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = pd.DataFrame({"image_id": ["a"], "image": [{"bytes": b"x"}], "raw": [b"x"]})
    table.to_parquet(tmp_path / "t.parquet")
    assert list(read_any_table(tmp_path / "t.parquet")) == ["image_id"]
    assert "are not read (image, raw)" in caplog.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Export of 2024\n\nimage,age,sex\na,1,f\nb,2,m\n", "row 2; delete what is above"),
        ("<html><table>", "a web page or XML"),
        ('{"image_id": "a", "melanoma": 1}\n', "holds JSON"),
        ('[\n  {"image_id": "a"}]', "holds JSON"),
        ("{}", "holds JSON"),
        ("a,b\n1,2\0\n", "zero bytes"),
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("image\n" + 5_000 * "a,", "columns|fields"),
    ],
)
def test_what_is_no_table_says_what_to_do(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read_any_table(saved(tmp_path, text))


def test_a_pipe_or_a_device_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", Path("/dev/zero")):
        with pytest.raises(DatasetError, match="is a pipe or a device"):
            read_any_table(path)
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nowhere")
    with pytest.raises(DatasetNotFoundError, match="leads nowhere"):
        read_any_table(tmp_path / "gone.csv")


def _zip_of(path: Path, data: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("t.csv", data)
    return path


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "zip"])
def test_a_bomb_is_refused_before_it_goes_off(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened, "_FREE", 2**17)
    data = b"image,label\n" + b"a,1\n" * 60_000
    pack: dict[str, Callable[[bytes], bytes]] = {
        "gz": gzip.compress,
        "bz2": bz2.compress,
        "xz": lzma.compress,
    }
    path = tmp_path / f"t.csv.{kind}"
    if kind == "zip":
        _zip_of(path, data)
    else:
        path.write_bytes(pack[kind](data))
    with pytest.raises(DatasetError, match="no table is packed so small"):
        read_any_table(path)


def test_a_table_above_the_bounds_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path, ROWS)
    packed = saved(tmp_path, gzip.compress(ROWS.encode()), "t.csv.gz")
    monkeypatch.setattr(opened, "LARGEST", 30)
    for each in (path, packed):
        with pytest.raises(DatasetError, match="a table may have 30"):
            read_any_table(each)


def test_text_that_is_short_in_its_dictionary_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lentigo.table_files import columnar

    pd.DataFrame({"image_id": ["x" * 1000] * 900}).to_parquet(tmp_path / "t.parquet")
    monkeypatch.setattr(columnar, "LARGEST", 500_000)
    with pytest.raises(DatasetError, match="unpacks to 900,000 bytes of text"):
        read_any_table(tmp_path / "t.parquet")


def test_nothing_is_unpacked_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lentigo.datasets.reading import zipped

    container = _zip_of(tmp_path / "a.zip", ROWS.encode())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead = tmp_path / "lentigo-zip-999999999-x"
    dead.mkdir()
    with zipped.unpacked(container) as (folder, _):
        assert not dead.exists()
        assert [path.stat().st_size for path in folder.iterdir()] == [0]
        assert cells(folder / "t.csv")[0] == ["007", 45.5, 1]


def test_what_is_named_as_a_table() -> None:
    assert is_table("a.CSV")
    assert is_table("a.csv.gz")
    assert is_table("clinic.xlsx#Patients")
    assert not is_table("a.jpg")
    assert split_sheet("a/clinic.xlsx#No 2") == (Path("a/clinic.xlsx"), "No 2")
    assert split_sheet("a#b.csv") == (Path("a#b.csv"), None)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("x/march.csv", "march"),
        ("march.csv.gz", "march"),
        ("march.TSV.XZ", "march"),
        ("march.2026.parquet", "march.2026"),
        ("clinic.xlsx#Patients", "clinic"),
        ("scan.gz", "scan"),
    ],
)
def test_a_table_is_named_without_its_endings(path: str, name: str) -> None:
    assert table_name(path) == name
