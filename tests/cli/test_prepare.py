"""`lentigo prepare` as a person types it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.imaging.store.build import Work, open_store
from lentigo.imaging.store.prepare import Preparation
from lentigo.imaging.store.unfinished import Build
from lentigo.tables import read_table_file
from tests.fakes import draw_image, fake_ham10000
from tests.pictures import draw


def call(*arguments: str | Path, code: int = 0) -> Any:
    result = CliRunner().invoke(app, ["prepare", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def test_an_archive_becomes_a_store_and_a_table(tmp_path: Path, here: Path) -> None:
    root = fake_ham10000(tmp_path / "HAM")
    said = call(root, "--size", "32").stdout.splitlines()
    assert "with pixels  4" in " ".join(said)
    assert "without a file  1" in " ".join(said)
    assert "decoded now  4" in " ".join(said)
    assert said[-2] == "Store: HAM-32"
    assert said[-1] == (
        "Use it: lentigo train HAM-32/table.parquet --set imaging.size=32 "
        "--set imaging.store=HAM-32 --out RUN"
    )
    store, table = (
        open_store(here / "HAM-32"),
        read_table_file(here / "HAM-32/table.parquet"),
    )
    assert store.images.shape == (5, 32, 32, 3)
    pd.testing.assert_series_equal(table["sha256"], store.index["sha256"])
    assert table["sha256"].notna().sum() == 4
    assert table["melanoma"].notna().all()

    again = call(root, "--size", "32").stdout
    assert "decoded now  0" in again
    assert "All was there already." in again


def test_failures_are_counted_named_and_written(tmp_path: Path, here: Path) -> None:
    table = draw(tmp_path / "images", 9)
    table.loc[0, "path"] = None
    for row in range(1, 6):
        Path(table["path"][row]).write_text("no image")
    table.to_csv(tmp_path / "mine.csv", index=False)
    said = call(tmp_path / "mine.csv", "--size", "32", "--out", "store").stdout
    assert "broken  5" in said
    assert "without a file  1" in said
    assert said.count("Cannot be used: ") == 3
    assert "Images without pixels, and why: store/failures.csv" in said
    failed = (here / "store" / "failures.csv").read_text().splitlines()
    assert len(failed) == 1 + 6
    assert failed[0] == "image_id,path,reason"

    for row in range(1, 6):
        draw_image(Path(table["path"][row]), seed=row)
    table = table.drop(index=0)
    table.to_csv(tmp_path / "mine.csv", index=False)
    said = call(tmp_path / "mine.csv", "--size", "32", "--out", "store").stdout
    assert "decoded now  5" in said
    assert not (here / "store" / "failures.csv").exists()


def test_one_json_object_says_it_all(tmp_path: Path, here: Path) -> None:
    table = draw(tmp_path / "images", 4)
    table["sex"] = "unbekannt"  # no word of a lesion table
    table.to_parquet(tmp_path / "four.parquet")
    arguments = (tmp_path / "four.parquet", "--size", "64", "--fit", "pad", "--json")
    said = json.loads(call(*arguments, "--workers", "1").stdout)
    counts = [said[name] for name in ("images", "usable", "decoded", "there_already")]
    assert counts == [4, 4, 4, 0]
    assert said["megabytes"] == 4 * 64 * 64 * 3 / 1e6
    done = open_store(here / said["store"])
    prepared = Preparation(done, Work(decoded=6, seconds=2.0), here / said["table"], None)
    assert prepared.images_per_second == 3
    assert (said["store"], said["fit"]) == ("four-64-pad", "pad")
    assert (said["failures"], said["reasons"], said["notes"]) == (None, [], [])
    assert read_table_file(here / said["table"])["sex"].isna().all()
    assert json.loads(call(*arguments).stdout)["there_already"] == 4


def test_a_table_of_broken_files_ends_in_code_1(tmp_path: Path, here: Path) -> None:
    table = draw(tmp_path / "images", 2)
    for path in table["path"]:
        Path(path).write_text("no image")
    table.to_csv(tmp_path / "two.csv", index=False)
    assert json.loads(call(tmp_path / "two.csv", "--json", code=1).stdout)["usable"] == 0
    assert (here / "two-256" / "failures.csv").is_file()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--size", "5"], "imaging.size: input should be greater than or equal to 32"),
        (["--fit", "bend"], "imaging.fit: input should be 'stretch', 'crop' or 'pad'"),
        (["--workers", "-1"], "imaging.workers: input should be greater"),
        (["--out", "taken"], "taken holds other files and is no pixel store"),
        (["--out", "taken/file"], "taken/file is a file; give a folder"),
        (["--out", "taken/file/store"], "taken/file is a file; give a folder"),
        (["--size", "64", "--out", "store"], "holds images of 32 px (stretch), but 64 px"),
    ],
)
def test_what_makes_no_sense_is_one_line(
    tmp_path: Path, here: Path, arguments: list[str], complaint: str
) -> None:
    draw(tmp_path / "images", 2).to_csv(tmp_path / "two.csv", index=False)
    call(tmp_path / "two.csv", "--size", "32", "--out", "store")
    (here / "taken").mkdir()
    (here / "taken" / "file").touch()
    stderr = call(tmp_path / "two.csv", *arguments, code=1).stderr
    assert stderr.startswith("Error: ")
    assert complaint in stderr
    assert stderr.count("\n") == 1
    assert [path.name for path in (here / "taken").iterdir()] == ["file"]


def test_a_table_that_is_not_there(here: Path) -> None:
    assert "gone.csv does not exist" in call("gone.csv", code=1).stderr
    assert list(here.iterdir()) == []


def test_the_command_that_is_proposed_can_be_copied(tmp_path: Path, here: Path) -> None:
    draw(tmp_path / "images", 1).to_csv(tmp_path / "a; b.csv", index=False)
    said = call(tmp_path / "a; b.csv", "--size", "32").stdout.splitlines()[-1]
    assert shlex.split(said.partition(": ")[2]) == [
        "lentigo", "train", "a; b-32/table.parquet", "--set", "imaging.size=32",
        "--set", "imaging.store=a; b-32", "--out", "RUN",
    ]  # fmt: skip


def test_a_stop_before_anything_was_decoded_claims_no_folder(
    tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    draw(tmp_path / "images", 1).to_csv(tmp_path / "one.csv", index=False)
    monkeypatch.setattr("lentigo.datasets.any_table.read_any", interrupted)
    stderr = call(tmp_path / "one.csv", code=130).stderr
    assert "Nothing was decoded yet; give the same command again." in stderr
    assert list(here.iterdir()) == []


def test_ctrl_c_says_that_the_same_command_goes_on(
    tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = draw(tmp_path / "images", 6)
    table.to_csv(tmp_path / "six.csv", index=False)
    record, seen = Build.record, []

    def interrupted(self: Build, answer: Any) -> None:
        record(self, answer)
        seen.append(answer)
        if len(seen) == 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Build, "record", interrupted)
        stderr = call(tmp_path / "six.csv", "--size", "32", code=130).stderr
    assert "What is decoded stays in six-32; the same command goes on there." in stderr
    said = json.loads(call(tmp_path / "six.csv", "--size", "32", "--json").stdout)
    assert (said["decoded"], said["there_already"]) == (2, 4)
    assert np.asarray(open_store(here / "six-32").images).any(axis=(1, 2, 3)).all()
