from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from lentigo.datasets import FORMATS, guess_format, read_archive, read_table
from lentigo.errors import DatasetError, DatasetNotFoundError, UnknownNameError
from tests.fakes import (
    fake_csv,
    fake_dicom,
    fake_folder,
    fake_ham10000,
    fake_isic2017,
    fake_milk10k,
    fake_siim2020,
    write_lines,
)


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_names_a_module_with_a_reader(name: str) -> None:
    assert FORMATS[name].name == name
    assert callable(import_module(FORMATS[name].module).read)


def test_listing_the_formats_imports_nothing_heavy() -> None:
    code = (
        "import sys, lentigo.datasets; print({'pandas', 'numpy', 'PIL'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_unknown_names_are_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(
        UnknownNameError, match=r"no format called 'ham1000'. Did you mean ham10000"
    ):
        read_table("ham1000", tmp_path)
    with pytest.raises(
        UnknownNameError, match="no option of the format csv called 'image_dri'"
    ):
        read_table("csv", tmp_path, image_dri="x")


def test_the_format_is_guessed_from_the_files(tmp_path: Path) -> None:
    assert guess_format(fake_siim2020(tmp_path / "a", images=None)) == "siim2020"
    assert guess_format(fake_ham10000(tmp_path / "b")) == "ham10000"
    assert guess_format(fake_isic2017(tmp_path / "c")) == "isic2017"
    assert guess_format(fake_folder(tmp_path / "d", {"melanoma": 1})) == "folder"
    assert guess_format(fake_dicom(tmp_path / "g")) == "dicom"
    table = fake_csv(tmp_path / "e", ["image,target", "a,0"])
    assert guess_format(table) == guess_format(table.parent) == "csv"
    kaggle = fake_siim2020(tmp_path / "f", images=None)
    for path in kaggle.glob("ISIC*"):
        path.unlink()
    assert guess_format(kaggle) == "siim2020"


def test_no_guess_is_made_where_none_fits(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match="does not exist"):
        guess_format(tmp_path / "absent")
    with pytest.raises(DatasetError, match="holds 0 tables"):
        guess_format(tmp_path)
    write_lines(tmp_path / "a.csv", ["x"])
    write_lines(tmp_path / "b.csv", ["x"])
    with pytest.raises(DatasetError, match="holds 2 tables"):
        guess_format(tmp_path)


@pytest.mark.parametrize("name", ["siim2020", "ham10000", "isic2017"])
def test_real_archives_are_recognised(shared: Path, name: str) -> None:
    assert guess_format(shared / "data" / name) == name


def test_one_kind_of_image_is_kept_and_the_others_are_counted(tmp_path: Path) -> None:
    root = fake_milk10k(tmp_path)
    read = read_archive("milk10k", root, modality="clinical")
    table = read.table
    assert table["image_id"].tolist() == ["ISIC_4671410", "ISIC_5797121"]
    assert table.index.tolist() == [0, 1]
    assert read.notes[-1] == "3 images of another kind than clinical left out."
    with pytest.raises(UnknownNameError, match="Did you mean dermoscopy"):
        read_table("milk10k", root, modality="dermatoscopy")
    with pytest.raises(DatasetError, match="no image whose modality is confocal"):
        read_table("milk10k", root, modality="confocal")
