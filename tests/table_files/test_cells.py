"""Which columns hold ids, whose cells must stay as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from lentigo.datasets.reading.column_names import COLUMN_NAMES
from lentigo.table_files.cells import as_ids, is_id
from lentigo.table_files.door import read_any_table

OURS = ("image_id", "path", "patient_id", "lesion_id")
IDS = [name for ours in OURS for name in COLUMN_NAMES[ours]]


def test_every_known_name_of_an_id_is_one() -> None:
    assert [name for name in IDS if not is_id(name)] == []
    assert not any(is_id(name) for name in ("Alter", "edad", "年龄", "label"))


@pytest.mark.parametrize("name", ["paciente", "Patientennummer", "患者编号", "Läsion"])
def test_ids_in_any_language_stay_text(tmp_path: Path, name: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f'image,{name},edad\na,"1,234","45,5"\nb,1.234,"50,5"\n', "utf-8")
    table = read_any_table(path)
    assert table[name].tolist() == ["1,234", "1.234"]
    assert table["edad"].tolist() == [45.5, 50.5]


def test_columns_that_the_user_names_as_ids_stay_text(tmp_path: Path) -> None:
    """Patient 10 of centre 1 is another one than patient 1."""
    path = tmp_path / "t.csv"
    path.write_text("image;Kürzel;edad\na;1.1;4,5\nb;1.10;5,5\nc;1,2;6\n", "utf-8")
    with as_ids("Kürzel", None):
        assert read_any_table(path)["Kürzel"].tolist() == ["1.1", "1.10", "1,2"]
    assert not is_id("Kürzel")
