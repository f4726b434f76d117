"""One awkward table means the same in every command: rows, ids, labels and groups."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.curation import assign_groups
from lentigo.datasets import read_table
from lentigo.tables import LESION_COLUMNS, read_any_table, write_table
from tests.cohorts import TINY, disc

PATIENTS = 40
SET = [f"--set={name}={str(value).lower()}" for name, value in TINY.items()]


def call(*arguments: str | Path) -> Any:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def awkward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table as a German Excel writes it: `sep=`, Windows letters, decimal commas.

    Patients are numbers that became floats, or `unbekannt`; half of the lesions are
    `unknown`, which is no lesion. Each patient has two images.
    """
    folder = tmp_path_factory.mktemp("awkward")
    (folder / "Bilder").mkdir()
    rng = np.random.default_rng(0)
    lines = ["sep=;", "Bild;Patient;lesion_id;Geschlecht;Alter;Lokalisation;Diagnose"]
    for number in range(2 * PATIENTS):
        patient = number // 2
        dark = patient % 4 == 0
        name = f"{100 + number}.png"
        Image.fromarray(disc(rng, dark=dark)).save(folder / "Bilder" / name)
        lines.append(
            ";".join(
                (
                    name,
                    "unbekannt" if patient % 10 == 9 else f"{patient + 1}.0",
                    "unknown" if number % 2 else f"L{number}",
                    "weiblich" if patient % 2 else "männlich",
                    f"{30 + patient},5",
                    "Rücken",
                    "Melanom" if dark else "Nävus",
                )
            )
        )
    (folder / "Läsionen.csv").write_bytes("\r\n".join(lines).encode("cp1252"))
    return folder / "Läsionen.csv"


COLUMNS = (
    "--column=image_id=Bild", "--column=patient_id=Patient", "--column=sex=Geschlecht",
    "--column=age=Alter", "--column=site=Lokalisation", "--column=diagnosis=Diagnose",
)  # fmt: skip


@pytest.fixture(scope="module")
def plain(awkward: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same table under names that are guessed, for commands without `--column`."""
    text = awkward.read_bytes().decode("cp1252")
    head = "Bild;Patient;lesion_id;Geschlecht;Alter;Lokalisation;Diagnose"
    ours = "image_id;patient_id;lesion_id;sex;age;site;diagnosis"
    path = awkward.with_name("plain.csv")
    path.write_bytes(text.replace(head, ours).encode("cp1252"))
    return path


@pytest.fixture(scope="module")
def expected(plain: Path) -> pd.DataFrame:
    """What is in the table, counted by hand."""
    number = np.arange(2 * PATIENTS)
    patient = number // 2
    known = patient % 10 != 9
    return pd.DataFrame(
        {
            "image_id": (100 + number).astype(str),
            "patient_id": pd.Series((patient + 1).astype(str)).where(known),
            "lesion_id": pd.Series([f"L{n}" for n in number]).where(number % 2 == 0),
            "melanoma": patient % 4 == 0,
            "age": patient + 30.5,
        }
    )


def same(table: pd.DataFrame, expected: pd.DataFrame, *, named: str = "{}") -> None:
    """Ids, labels and ages are those of the table, in its order."""
    assert table["image_id"].tolist() == [named.format(i) for i in expected["image_id"]]
    for name in ("patient_id", "lesion_id", "age", "melanoma"):
        theirs, mine = table[name], expected[name]
        assert theirs.isna().tolist() == mine.isna().tolist(), name
        assert theirs.dropna().tolist() == mine.dropna().tolist(), name


def groups(names: pd.Series[Any], ids: pd.Series[Any]) -> set[frozenset[str]]:
    """Which images share a group, whatever it is called."""
    return {frozenset(images) for _, images in ids.groupby(names.to_numpy())}


@pytest.fixture(scope="module")
def partition(expected: pd.DataFrame) -> set[frozenset[str]]:
    """Two images of each known patient together; of the others each stands alone."""
    key = expected["patient_id"].fillna("image " + expected["image_id"])
    found = groups(key, expected["image_id"])
    assert len(found) == 36 + 8
    return found


def test_read_and_python_and_combine(
    plain: Path, awkward: Path, expected: pd.DataFrame, tmp_path: Path
) -> None:
    same(read_table("csv", plain), expected)
    call("read", "csv", awkward, *COLUMNS, "--out", tmp_path / "t.parquet")
    table = read_any_table(tmp_path / "t.parquet")
    assert set(LESION_COLUMNS) <= set(table)
    same(table, expected)
    call("combine", plain, "--out", tmp_path / "c.parquet")
    same(read_any_table(tmp_path / "c.parquet"), expected, named="plain:{}")
    call("combine", awkward, *COLUMNS, "--out", tmp_path / "d.parquet")
    same(read_any_table(tmp_path / "d.parquet"), expected, named=f"{awkward.stem}:{{}}")


def test_combine_takes_archives(plain: Path, tmp_path: Path) -> None:
    from tests.fakes.archives import fake_ham10000

    root = fake_ham10000(tmp_path / "ham")
    call("combine", root, plain, "--out", tmp_path / "both.parquet")
    both = read_any_table(tmp_path / "both.parquet")
    assert both["dataset"].value_counts()["plain"] == 2 * PATIENTS
    assert len(both) == 2 * PATIENTS + len(read_table("ham10000", root))


def test_split(
    plain: Path, expected: pd.DataFrame, partition: set[frozenset[str]], tmp_path: Path
) -> None:
    call("split", plain, "--out", tmp_path / "split.csv", "--folds", "3")
    made = read_any_table(tmp_path / "split.csv", text=True)
    assert sorted(made["image_id"]) == expected["image_id"].tolist()
    assert groups(made["group_id"], made["image_id"]) == partition


def test_audit(
    plain: Path, expected: pd.DataFrame, partition: set[frozenset[str]], tmp_path: Path
) -> None:
    result = CliRunner().invoke(
        app, ["audit", str(plain), "--out", str(tmp_path / "a"), "--size", "64"]
    )
    assert result.exit_code in {0, 1}, result.output
    table = read_any_table(tmp_path / "a" / "table.parquet")
    same(table, expected)
    found = groups(table["group_id"], table["image_id"])
    # Drawn discs resemble each other; an audit may only join further.
    assert all(any(group <= wider for wider in found) for group in partition)


def test_explore_grid_and_prepare(
    plain: Path, expected: pd.DataFrame, tmp_path: Path
) -> None:
    call("explore", plain, "--out", tmp_path / "e")
    classes = read_any_table(tmp_path / "e" / "classes.csv").query("kind == 'class'")
    assert classes["images"].tolist() == [PATIENTS // 2, 3 * PATIENTS // 2, 0]
    drawn = json.loads(
        call("grid", plain, "--out", tmp_path / "g.png", "--limit", "200", "--json").stdout
    )
    assert sorted(drawn["images"]) == expected["image_id"].tolist()
    call("prepare", plain, "--out", tmp_path / "p", "--size", "32")
    same(read_any_table(tmp_path / "p" / "table.parquet"), expected)


def test_train_run_predict_and_evaluate(
    plain: Path, expected: pd.DataFrame, partition: set[frozenset[str]], tmp_path: Path
) -> None:
    made = {}
    for command in ("train", "run"):
        out = tmp_path / command
        call(command, plain, "--recipe", "demo", *SET, "--out", out,
             "--set=split.near_duplicates=false")  # fmt: skip
        table = read_any_table(out / "table.parquet")
        same(table, expected)
        assert groups(table["group_id"], table["image_id"]) == partition
        made[command] = read_any_table(out / "split.csv")
    assert made["train"].equals(made["run"])
    call("predict", tmp_path / "train", plain, "--out", tmp_path / "p.csv")
    predicted = read_any_table(tmp_path / "p.csv", text=True)
    assert sorted(predicted["image_id"]) == expected["image_id"].tolist()
    judged = json.loads(
        call("evaluate", tmp_path / "p.csv", "--truth", plain, "--json").stdout
    )
    assert judged["n_images"] == len(expected)
    assert judged["n_melanomas"] == expected["melanoma"].sum()
    assert judged["n_groups"] == len(partition)


def test_a_group_that_the_table_names_is_kept_by_every_command(
    plain: Path, expected: pd.DataFrame, tmp_path: Path
) -> None:
    table = read_table("csv", plain)
    named = table[["image_id", "path", "melanoma"]].assign(
        group_id=["unknown" if n % 8 == 7 else f"{n // 4}.0" for n in range(len(table))]
    )
    named.to_csv(tmp_path / "g.csv", index=False)
    read = read_table("csv", tmp_path / "g.csv")
    assert read["group_id"].isna().sum() == 10
    assert read["group_id"].iloc[4] == "1"
    kept = assign_groups(read, keep=True)
    assert kept["group_id"].nunique() == 20 + 10


def test_paths_from_where_we_are_lead_to_the_images_too(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(plain.parent)
    lines = ["image_id,path,melanoma", "a,Bilder/100.png,1", "b,Bilder/gone.png,0"]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    read = read_table("csv", tmp_path / "t.csv")
    assert read["path"].fillna("").tolist() == [str(plain.parent / "Bilder/100.png"), ""]


def test_how_to_read_the_tables_of_others_is_not_passed_over_in_silence(
    plain: Path, tmp_path: Path
) -> None:
    write_table(read_table("csv", plain), tmp_path / "t.parquet")
    asked = ("combine", tmp_path / "t.parquet", "--column", "melanoma=target")
    said = call(*asked, "--out", tmp_path / "c.parquet").output
    assert "t.parquet was written by lentigo and is read as it is: give --column" in said
