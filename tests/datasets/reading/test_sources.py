from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.datasets import FORMATS, read_archive, read_table
from lentigo.datasets.combined import combine
from lentigo.tables import read_noted_file, read_table_file, write_table
from tests import fakes
from tests.datasets.archives.test_every_reader import ARCHIVES

HAM = "Tschandl et al. 2018, doi:10.1038/sdata.2018.161"


@pytest.mark.parametrize("name", FORMATS)
def test_each_archive_says_whom_to_cite_and_on_what_terms(
    name: str, tmp_path: Path
) -> None:
    read = read_archive(name, ARCHIVES[name].fake(tmp_path), unknown="missing")
    table = read.table
    if FORMATS[name].licence == "yours":
        assert "licence" not in table
        assert not read.sources
        return
    (source,) = read.sources
    assert source == {
        "dataset": name,
        "citation": FORMATS[name].citation,
        "licence": FORMATS[name].licence,
    }
    assert table["licence"].notna().all()


def test_the_licence_of_each_image_where_the_archive_states_it(tmp_path: Path) -> None:
    root = fakes.fake_isic_archive(tmp_path)
    table = read_table("isic_archive", root, unknown="missing")
    assert table["licence"].tolist() == ["CC-0", "CC-BY", "CC-BY-NC", *3 * ["CC-0"]]
    pd.read_csv(root / "metadata.csv").drop(columns="copyright_license").to_csv(
        root / "metadata.csv"
    )
    assert read_table("isic_archive", root, unknown="missing")["licence"].isna().all()


def test_both_survive_files_and_combining(tmp_path: Path) -> None:
    ham = read_archive("ham10000", fakes.fake_ham10000(tmp_path / "a"))
    own = read_archive("csv", fakes.fake_csv(tmp_path / "b", ["image,target", "a,0"]))
    milk = read_archive("milk10k", fakes.fake_milk10k(tmp_path / "c"))
    write_table(ham, tmp_path / "ham.parquet")
    write_table(ham, tmp_path / "ham.csv")
    again = read_noted_file(tmp_path / "ham.parquet")
    assert again.sources == ham.sources
    assert read_table_file(tmp_path / "ham.csv")["licence"].tolist() == 5 * ["CC BY-NC 4.0"]
    both = combine([again, own, milk])
    assert [source["dataset"] for source in both.sources] == [
        "ham10000",
        "milk10k",
    ]
    assert both.table["licence"].isna().tolist() == [False] * 5 + [True] + [False] * 5
    assert not combine([own]).sources


def test_the_command_prints_them(tmp_path: Path) -> None:
    root, out = fakes.fake_ham10000(tmp_path / "a"), str(tmp_path / "t.parquet")
    done = CliRunner().invoke(app, ["read", "ham10000", str(root), "--out", out])
    assert f"Licence of ham10000: CC BY-NC 4.0. Cite {HAM}." in done.stdout
    other = str(tmp_path / "other.parquet")
    asked = ["read", "ham10000", str(root), "--out", other, "--json"]
    done = CliRunner().invoke(app, asked)
    assert json.loads(done.stdout)["sources"][0]["citation"] == HAM
