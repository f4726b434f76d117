"""Tables with one column for each class: rows that name none, or two."""

from __future__ import annotations

from pathlib import Path

from lentigo.datasets import read_archive

HEAD = "image,MEL,NV,BCC"


def notes(tmp_path: Path, *lines: str) -> str:
    (path := tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    found = read_archive("csv", path)
    assert found.table["melanoma"].tolist()[:2] == [True, False]
    return " ".join(found.notes)


def test_rows_of_no_class_and_of_two_are_told(tmp_path: Path) -> None:
    told = notes(tmp_path, HEAD, "a,1,1,0", "b,0,0,0", "c,0,0,1", "d,0,0.0,0")
    assert "2 images are of no class: 0 in MEL and in NV, BCC. By MEL they are not" in told
    assert "1 image is melanoma by MEL, and of another class, too (NV, BCC)." in told


def test_nothing_is_told_of_whole_tables_and_of_columns_that_are_no_classes(
    tmp_path: Path,
) -> None:
    assert " class" not in notes(tmp_path, HEAD, "a,1,0,0", "b,0,1,0", "c,,0,0")
    assert " class" not in notes(tmp_path, "image,MEL,NV,age", "a,1,1,40", "b,0,0,50")
    assert " class" not in notes(tmp_path, HEAD, "a,1,maybe,4", "b,0,0,5")
    kinds = "image,MEL,melanoma_in_situ,NV,BCC", "a,1,1,0,0", "b,0,0,1,0"
    assert " class" not in notes(tmp_path, *kinds)
