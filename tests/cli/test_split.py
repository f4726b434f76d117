"""`lentigo split` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.curation import read_manifest, read_split
from tests.fakes import fake_isic2017
from tests.pictures import draw


def call(*arguments: str | Path, code: int = 0) -> Any:
    result = CliRunner().invoke(app, ["split", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def answer(*arguments: str | Path, code: int = 0) -> dict[str, Any]:
    return dict(json.loads(call(*arguments, "--json", code=code).stdout))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a clinic's table: 24 images of 12 patients."""
    monkeypatch.chdir(tmp_path)
    rows = [
        f"{k:03},p{k // 2:02},{int(k // 2 % 2 == 0)},{2010 + k // 2},"
        f"{('train', 'train', 'test')[k // 2 % 3]},{('north', 'south')[k // 12]},"
        f"{('female', 'male')[k // 2 % 2]}"
        for k in range(24)
    ]
    header = "image,patient,target,year,part,hospital,sex"
    Path("clinic.csv").write_text("\n".join([header, *rows]) + "\n")
    return tmp_path


def test_folds_by_default_in_words(here: Path) -> None:
    said = call("clinic.csv", "--out", "split.csv", "--folds", "3").stdout.splitlines()
    assert "Near-duplicates were not looked for (--duplicates find does)." in said
    assert "12 groups of 24 images, by patient." in said
    table = [line.split() for line in said if line[:1] in {"0", "1", "2"}]
    assert [line[:5] for line in table[-3:]] == [
        [str(fold), "8", "4", "4", "4"] for fold in range(3)
    ]
    assert any(line.startswith("A part's share is off by at most") for line in said)
    assert said[-2] == "Split:  split.csv (and split.json)"
    manifest = read_manifest(Path("split.csv"))
    split = manifest.split
    assert said[-1] == f"Digest: {manifest.about['digest']}"
    assert split["image_id"].tolist()[:2] == ["000", "001"]


def test_folds_as_json(here: Path) -> None:
    said = answer("clinic.csv", "--out", "split.csv", "--folds", "3")
    assert said["split"] == "split.csv"
    assert [part["images"] for part in said["parts"]] == [8, 8, 8, 24]
    assert said["unevenness"]["melanoma"] == 0
    about = json.loads(Path("split.json").read_text())
    assert about["digest"] == said["digest"]
    assert (about["scheme"], about["seed"]) == ("grouped", 0)
    assert about["settings"]["folds"] == 3


def test_the_seed_and_the_balance_are_heard(here: Path) -> None:
    one, two, again = (
        answer("clinic.csv", "--out", f"{name}.csv", "--folds", "2", "--seed", seed)
        for name, seed in (("a", "1"), ("b", "2"), ("c", "1"))
    )
    assert one["digest"] == again["digest"] != two["digest"]
    alike = answer("clinic.csv", "--out", "d.csv", "--folds", "2", "--balance", "sex,year")
    assert set(alike["unevenness"]) == {"melanoma", "sex", "year"}


def test_holdout_by_shares(here: Path) -> None:
    said = answer(
        "clinic.csv", "--out", "s.csv", "--scheme", "holdout", "--folds", "0.5,0.25,0.25"
    )
    assert [(part["part"], part["images"]) for part in said["parts"]] == [
        ("train", 12), ("validation", 6), ("test", 6), ("all", 24),
    ]  # fmt: skip


def test_by_time(here: Path) -> None:
    arguments = ("--scheme", "time", "--time", "year", "--before", "2019")
    said = answer("clinic.csv", "--out", "s.csv", *arguments)
    assert [part["images"] for part in said["parts"]] == [18, 6, 24]
    assert "The test part begins with 2019-01-01 (column year)." in said["notes"]


def test_by_a_source_that_is_named(here: Path) -> None:
    arguments = ("--scheme", "leave-one-source-out", "--column", "dataset=hospital")
    said = answer("clinic.csv", "--out", "s.csv", *arguments)
    assert "Fold 0 is the data set north." in said["notes"]
    assert "Fold 1 is the data set south." in said["notes"]


def test_published_parts_are_mended_if_asked(here: Path) -> None:
    rows = pd.read_csv("clinic.csv", dtype="string")
    rows.loc[1, "part"] = "test"
    rows.to_csv("clinic.csv", index=False)
    arguments = ("clinic.csv", "--out", "s.csv", "--scheme", "published")
    stderr = call(*arguments, code=1).stderr
    assert stderr.startswith("Error: The split leaks: 1 pair of images that belong")
    assert "000 in train and 001 in test (same patient p00)" in stderr
    assert not Path("s.csv").exists()
    said = answer(*arguments, "--drop-leaks")
    assert any("1 image left out, because others" in note for note in said["notes"])
    assert set(read_split(Path("s.csv"))["role"]) == {"train", "test", "left out"}


def test_pairs_from_a_file_stay_together(here: Path) -> None:
    Path("pairs.csv").write_text("a,b\n000,002\n")
    said = answer(
        "clinic.csv", "--out", "s.csv", "--folds", "2", "--duplicates", "pairs.csv"
    )
    assert "1 duplicate pair from pairs.csv." in said["notes"]
    fold = read_split(Path("s.csv")).set_index("image_id")["fold"]
    assert fold["000"] == fold["002"]


def test_an_archive_is_split_as_it_is(here: Path) -> None:
    fake_isic2017(here / "isic2017")
    said = answer(here / "isic2017", "--out", "s.csv", "--scheme", "published")
    assert {part["part"] for part in said["parts"]} == {"train", "validation", "all"}


def test_a_split_made_here_passes_its_own_check(here: Path) -> None:
    call("clinic.csv", "--out", "split.csv", "--folds", "3")
    said = call("--check", "split.csv", "--table", "clinic.csv").stdout.splitlines()
    assert said[-1] == "No leak was found. What was not checked may still leak."
    assert "Parts:       0 8, 1 8, 2 8" in said
    assert any(line.startswith("Checked:     patients (12 ids)") for line in said)
    assert any(line.startswith("Not checked: lesions of any image") for line in said)


def test_a_leak_is_exit_code_1_with_the_pairs(here: Path) -> None:
    Path("folds.csv").write_text("image,fold\n000,0\n001,1\n002,1\n")
    arguments = ("--check", "folds.csv", "--table", "clinic.csv")
    result = call(*arguments, "--out", "leaks.csv", code=1)
    assert result.stderr == (
        "Error: The split leaks: 1 pair of images that belong together stands on two sides "
        "of it: 000 in 0 and 001 in 1 (same patient p00). All of them: leaks.csv.\n"
    )
    assert Path("leaks.csv").read_text() == (
        "a,b,part_a,part_b,why\n000,001,0,1,same patient p00\n"
    )
    said = answer(*arguments, code=1)
    assert said["leaks"] is True
    assert said["pairs"][0]["why"] == "same patient p00"


def test_a_check_of_nothing_is_exit_code_1(here: Path) -> None:
    Path("folds.csv").write_text("image,fold\n000,0\n001,1\n")
    for options in ([], ["--json"]):
        result = call("--check", "folds.csv", *options, code=1)
        assert result.stdout == ""
        assert result.stderr.startswith("Error: Nothing could be checked: the split names")


def test_one_file_a_part_is_checked(here: Path) -> None:
    Path("train.csv").write_text("image,patient\n000,p\n")
    Path("test.csv").write_text("image,patient\n001,q\n")
    said = answer("--check", "train.csv", "test.csv")
    assert (said["leaks"], said["parts"]) == (False, {"train": 1, "test": 1})


def test_near_duplicates_are_looked_for_beside_the_split(here: Path) -> None:
    images = draw(here / "images", 8)
    Path(images["path"][3]).write_bytes(Path(images["path"][0]).read_bytes())
    rows = [f"{path},{k % 2}" for k, path in enumerate(images["path"])]
    Path("mine.csv").write_text("\n".join(["path,target", *rows]) + "\n")
    arguments = ("--folds", "2", "--duplicates", "find")
    said = answer("mine.csv", "--out", "made/s.csv", *arguments)
    assert "1 duplicate pair found in the images." in said["notes"]
    assert sorted(path.name for path in (here / "made").iterdir()) == ["s.csv", "s.json"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--out", "s.csv", "--scheme", "holdut"], "no scheme called 'holdut'"),
        (["--out", "s.csv", "--folds", "many"], "--folds is 'many'; give a whole number"),
        (
            ["--out", "s.csv", "--folds", "1"],
            "folds: input should be greater than or equal to 2",
        ),
        (["--out", "s.csv", "--folds", "20"], "fewer than the 20 folds"),
        (["--out", "s.csv", "--scheme", "holdout", "--folds", "0.9,0.9"], "add up to 1"),
        (
            ["--out", "s.csv", "--seed", "-1"],
            "seed: input should be greater than or equal to 0",
        ),
        (["--out", "s.csv", "--scheme", "time"], "needs the column that says when: --time"),
        (["--out", "s.csv", "--balance", "colour"], "no column colour to balance"),
        (["--out", "s.csv", "--column", "part"], "is not of the form OURS=THEIRS"),
        (["--out", "s.csv", "--duplicates", "gone.csv"], "gone.csv does not exist"),
        (["--out", "s.txt"], "s.txt: a split is written as .csv"),
        (["--out", "clinic.csv/s.csv"], "clinic.csv is a file; give a folder"),
        ([], "Say where the split is to be written: --out split.csv"),
        (
            ["clinic.csv", "--out", "s.csv"],
            "divided at a time, but 2 are given",
        ),
        (["--check", "--duplicates", "gone.csv"], "gone.csv does not exist"),
        (["--check", "--table", "gone.csv"], "gone.csv does not exist"),
        (["--check", "--out", "leaks.txt"], "a table is written as .csv or .parquet"),
        (["--out", "clinic.csv"], "clinic.csv is there already; give another place"),
        (["--check", "--out", "clinic.csv"], "clinic.csv is there already"),
        (["--out", "s.csv", "--table", "clinic.csv"], "--table belongs to --check"),
        (["--check", "--seed", "0"], "--seed is for dividing a table"),
        (["--check", "--drop-leaks"], "--drop-leaks is for dividing a table"),
        (["--check", "--scheme", "time"], "--scheme is for dividing a table"),
        (
            ["--out", "s.csv", "--drop-leaks"],
            "--drop-leaks belongs to --scheme published, but the scheme is grouped. Leave",
        ),
        (["--out", "s.csv", "--time", "year"], "--time belongs to --scheme time, but"),
        (["--out", "s.csv", "--before", "2019"], "--before belongs to --scheme time"),
        (
            ["--out", "s.csv", "--scheme", "published", "--folds", "5"],
            "--folds belongs to --scheme grouped or holdout, but the scheme is published",
        ),
        (
            ["--out", "s.csv", "--scheme", "time", "--time", "year", "--seed", "1"],
            "--seed belongs to --scheme grouped or holdout",
        ),
        (
            ["--out", "s.csv", "--scheme", "leave-one-source-out", "--balance", "sex"],
            "--balance belongs to --scheme grouped or holdout",
        ),
    ],
)
def test_a_refusal_is_one_line_and_writes_nothing(
    here: Path, arguments: list[str], complaint: str
) -> None:
    result = call("clinic.csv", *arguments, code=1)
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1
    assert [path.name for path in here.iterdir()] == ["clinic.csv"]


def test_a_refused_split_leaves_what_was_there_as_it_was(here: Path) -> None:
    call("clinic.csv", "--out", "split.csv", "--folds", "3")
    before = {path.name: path.read_bytes() for path in here.iterdir()}
    again = ("clinic.csv", "--out", "split.csv", "--folds", "2")
    assert "split.csv is there already" in call(*again, code=1).stderr
    Path("split.csv").unlink()
    assert "split.json is there already" in call(*again, code=1).stderr
    del before["split.csv"]
    assert {path.name: path.read_bytes() for path in here.iterdir()} == before


def test_an_option_that_typer_refuses_ends_in_code_2(here: Path) -> None:
    for arguments in (["--seed", "many"], ["--sed", "1"], []):
        given = ["clinic.csv", "--out", "s.csv", *arguments] if arguments else []
        result = CliRunner().invoke(app, ["split", *given])
        assert result.exit_code == 2, result.output
    assert [path.name for path in here.iterdir()] == ["clinic.csv"]


def test_the_json_beside_a_split_says_what_a_fold_is(here: Path) -> None:
    schemes = {
        "a": ("--folds", "2"),
        "b": ("--scheme", "holdout"),
        "c": ("--scheme", "leave-one-source-out", "--column", "dataset=hospital"),
        "d": ("--scheme", "published"),
    }
    said = {}
    for name, options in schemes.items():
        call("clinic.csv", "--out", f"{name}.csv", *options)
        said[name] = json.loads(Path(f"{name}.json").read_text())["fold_means"]
    assert said == {
        "a": {"0": "held out in its turn", "1": "held out in its turn"},
        "b": {"0": "test", "1": "validation", "2": "train"},
        "c": {"0": "data set north", "1": "data set south"},
        "d": {"0": "test", "2": "train"},
    }


@pytest.mark.parametrize(
    "scheme",
    [
        ("--folds", "2"),
        ("--scheme", "holdout", "--folds", "0.5,0.5"),
        ("--scheme", "time", "--time", "year", "--before", "2012"),
    ],
)
def test_identical_files_stay_together_in_every_scheme(
    here: Path, scheme: tuple[str, ...]
) -> None:
    images = draw(here / "images", 8)
    Path(images["path"][5]).write_bytes(Path(images["path"][0]).read_bytes())
    rows = [f"{path},{k % 2},{2010 + k // 2}" for k, path in enumerate(images["path"])]
    Path("mine.csv").write_text("\n".join(["path,target,year", *rows]) + "\n")
    call("mine.csv", "--out", "s.csv", *scheme)
    split = read_split(Path("s.csv"))
    assert split["sha256"].notna().all()
    assert split["group_id"].nunique() == 7
    side = split["role"].mask(split["role"] == "left out").fillna("")
    both = side[[0, 5]].tolist() if "--scheme" in scheme else split["fold"][[0, 5]].tolist()
    assert len(set(both) - {""}) == 1


def test_identical_files_in_two_published_parts_are_a_leak(here: Path) -> None:
    images = draw(here / "images", 4)
    Path(images["path"][3]).write_bytes(Path(images["path"][0]).read_bytes())
    parts = ("train", "train", "test", "test")
    rows = [f"{path},{k % 2},{parts[k]}" for k, path in enumerate(images["path"])]
    Path("mine.csv").write_text("\n".join(["path,target,part", *rows]) + "\n")
    stderr = call("mine.csv", "--out", "s.csv", "--scheme", "published", code=1).stderr
    assert "lesion 000 in train and lesion 003 in test (identical file)" in stderr
