"""What may be opened as the bytes of a table, and what is refused by its size or kind."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from pathlib import Path

import pytest

from lentigo.errors import DatasetError, DatasetNotFoundError
from lentigo.table_files import delimited
from lentigo.table_files.opened import check_ratio, read_bytes, read_only_member


def zipped(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, content in members.items():
            file.writestr(name.replace("__", "/"), content)
    return packed.getvalue()


def test_the_one_table_of_a_zip_is_taken_and_of_two_none() -> None:
    path = Path("t.zip")
    one = zipfile.ZipFile(packed := io.BytesIO(), "w")
    one.writestr("folder/T.CSV", b"a,b")
    one.writestr("__MACOSX/folder/._T.csv", b"Finder")
    one.writestr("image.jpg", b"")
    one.close()
    assert read_only_member(path, packed.getvalue(), (".csv",)) == b"a,b"
    assert read_only_member(path, packed.getvalue(), (".parquet",)) is None
    two = zipped(**{"a.csv": b"1", "b.csv": b"2"})
    with pytest.raises(DatasetError, match=r"holds 2 tables \(a.csv, b.csv\); unpack one"):
        read_only_member(path, two, (".csv",))
    with pytest.raises(DatasetError, match="cannot be read as a table"):
        read_only_member(path, two[:30], (".csv",))


def test_the_size_allowed_is_the_largest_that_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"12345")
    assert read_bytes(path, largest=5) == b"12345"
    with pytest.raises(DatasetError, match="has 5 bytes or more; a table may have 4"):
        read_bytes(path, largest=4)


def test_unpacked_bytes_count_as_well(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"x" * 200))
    assert read_bytes(path, largest=200) == b"x" * 200
    with pytest.raises(DatasetError, match="has 200 bytes or more; a table may have 199"):
        read_bytes(path, largest=199)


def test_what_ends_in_the_middle_is_refused_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(os.urandom(200))[:-30])
    with pytest.raises(DatasetError, match=r"t\.csv\.gz cannot be read as a table"):
        read_bytes(path)


def test_a_table_may_be_packed_to_a_hundredth_and_not_to_less() -> None:
    large = 20 * 2**20
    check_ratio("t", large, large // 100 + 1)
    with pytest.raises(DatasetError, match="no table is packed so small"):
        check_ratio("t", large, large // 100)
    check_ratio("t", 16 * 2**20, 1)  # so small a table harms nobody


def test_links_that_lead_nowhere_folders_and_pipes_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    os.mkfifo(tmp_path / "pipe")
    for name, kind, said in (
        ("link", DatasetNotFoundError, "a link that leads nowhere"),
        ("gone", DatasetNotFoundError, "does not exist; give a table"),
        (".", DatasetNotFoundError, "is a folder, not a file"),
        ("pipe", DatasetError, "is a pipe or a device"),
    ):
        with pytest.raises(kind, match=said):
            read_bytes(tmp_path / name)


def test_a_zip_with_a_password_says_so() -> None:
    data = bytearray(zipped(**{"t.csv": b"a,b"}))
    for magic, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + place] |= 1
    with pytest.raises(DatasetError, match="is locked by a password"):
        read_only_member(Path("t.zip"), bytes(data), (".csv",))


@pytest.mark.parametrize(
    ("name", "most", "said"),
    [("MOST_COLUMNS", 2, "has 3 columns"), ("MOST_ROWS", 2, "has 3 rows"),
     ("MOST_CELLS", 8, "has 9 cells")],
)  # fmt: skip
def test_columns_rows_and_cells_are_counted_before_they_are_read(
    name: str, most: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = b"a,b,c\n1,2,3\n4,5,6\n"
    monkeypatch.setattr(delimited, name, most + 1)
    delimited.parse(text, Path("t.csv"))
    monkeypatch.setattr(delimited, name, most)
    with pytest.raises(DatasetError, match=f"{said}; a table may have {most}"):
        delimited.parse(text, Path("t.csv"))


def test_a_table_larger_than_the_free_memory_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delimited, "available_memory", lambda: 1000)
    delimited.check_memory(1000, "t.csv")
    with pytest.raises(DatasetError, match="about 1,001 bytes of memory, and 1,000 are"):
        delimited.check_memory(1001, "t.csv")
    monkeypatch.setattr(delimited, "available_memory", lambda: None)
    delimited.check_memory(10**18, "t.csv")  # not known on other systems


def test_the_line_of_a_row_counts_blank_lines_and_lines_within_cells() -> None:
    text = b'a,b\n1,2\n\n"3\n3",4\n5,6\n'
    assert [delimited.line_of(text, row) for row in range(3)] == [2, 4, 6]
    with_separator = b"sep=;\na;b\n1;2\n"
    assert delimited.line_of(with_separator, 0) == 3


def test_short_rows_are_counted_with_the_line_of_the_first() -> None:
    assert delimited.short_rows(b"a,b,c\n1,2,3\n4,5\n6\n", 3) == (2, 3)
    assert delimited.short_rows(b"a,b,c\n1,2,3\n", 3) == (0, 0)
    assert delimited.short_rows(b'a,b\n"1,2",3\n\n', 2) == (0, 0)
