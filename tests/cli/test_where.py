"""`--where` chooses the same rows of a table in every command, and each says how many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.cli.commands import COMMANDS
from lentigo.datasets.reading.chosen import rows_where
from lentigo.errors import LentigoError
from lentigo.evaluation import evaluate
from lentigo.tables import NotedTable, read_any_table
from tests.inference.test_predict import save

# Of the clinic A (a column that is none of ours) and on the back (a word that is): b, c, e.
ROWS = """Bild;Klinik;Lokalisation;Alter;Diagnose;part
a.png;A;;30,5;Melanom;train
b.png;A;Rücken;40,5;Melanom;train
c.png;A;Rücken;50,5;Nävus;train
d.png;B;Rücken;60,5;Nävus;test
e.png;A;Rücken;70,5;Melanom;test
f.png;A;Fuß;80,5;Nävus;test
"""
CONDITION, CHOSEN = "Klinik == 'A' and site == 'torso'", ["b", "c", "e"]
SAID = f"3 of 6 rows fit {CONDITION!r}"

COMMAND_LINES = {
    "read": "read csv {0}/t.csv --out {0}/out.csv",
    "read (a folder)": "read csv {0} --out {0}/out.csv",
    "combine": "combine {0}/t.csv --out {0}/out.csv",
    "ablate": "ablate {0}/t.csv --recipe demo --set model.pretrained=false "
    "--switches training.epochs=2 --out {0}/ablated",
    "find-rate": "find-rate {0}/t.csv --recipe demo --set model.pretrained=false "
    "--out {0}/rates",
    "tune": "tune {0}/t.csv --recipe demo --set model.pretrained=false --out {0}/tuned",
    "train": "train {0}/t.csv --recipe demo --set model.pretrained=false --out {0}/run",
    "run": "run {0}/t.csv --recipe demo --set model.pretrained=false --out {0}/run",
    "split": "split {0}/t.csv --scheme published --out {0}/out.csv",
    "split --check": "split --check {0}/t.csv --table {0}/t.csv",
    "audit": "audit {0}/t.csv --size 64 --out {0}/audit",
    "explore": "explore {0}/t.csv --out {0}/explored",
    "grid": "grid {0}/t.csv --out {0}/g.png",
    "grid --batch": "grid {0}/t.csv --batch --limit 2 --out {0}/g.png",
    "abcd": "abcd {0}/t.csv --out {0}/measured",
    "explain": "explain {0}/model {0}/t.csv --method occlusion --out {0}/explained",
    "outline": "outline {0}/t.csv --out {0}/outlined",
    "prepare": "prepare {0}/t.csv --size 32 --workers 1 --out {0}/store",
    "predict": "predict {0}/model {0}/t.csv --out {0}/out.csv --device cpu",
    "duckling": "duckling {0}/model {0}/t.csv --out {0}/odd",
    "similar": "similar {0}/model {0}/t.csv --out {0}/out.csv",
    "stress": "stress {0}/model {0}/t.csv --only ruler --out {0}/stressed",
    "calibrate": "calibrate {0}/model {0}/t.csv --out {0}/own --device cpu",
    "evaluate": "evaluate {0}/p.csv --truth {0}/t.csv --repeats 10",
    "compare": "compare {0}/p.csv same={0}/p.csv --truth {0}/t.csv --repeats 10",
    "lock": "lock {0}/t.csv --out {0}/locked",
    "readers": "readers {0}/p.csv --truth {0}/t.csv --repeats 10",
}
ELSEWHERE = {"power"}
"""Commands that refuse these few rows; the tests of each choose rows of their own."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "t.csv").write_text(ROWS, encoding="utf-8")
    for name in "abcdef":
        pixels = np.full((24, 24, 3), 40 * "abcdef".index(name), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    monkeypatch.setattr("lentigo.reports.explore.page.KINDS", ())
    monkeypatch.setattr(
        "lentigo.rate_finder.find_rate", lambda table, *_, **__: stop(table, tmp_path)
    )
    for place in ("training.run.train", "pipeline.train", "tuning.search.tune"):
        monkeypatch.setattr(
            f"lentigo.{place}", lambda table, *_, **__: stop(table, tmp_path)
        )
    return tmp_path


def stop(table: NotedTable, folder: Path) -> None:
    """Take the place of a training: keep the images that it would learn from."""
    table.table.to_csv(folder / "out.csv", index=False)
    raise LentigoError("Enough was seen.")


def call(command: str, folder: Path, condition: str) -> Any:
    if "p.csv" in COMMAND_LINES[command]:
        rows = pd.DataFrame({"image_id": [*"abcdef"], "probability": [0.1, 0.2] * 3})
        rows.to_csv(folder / "p.csv", index=False)
    if command in {"predict", "calibrate", "explain", "similar", "stress", "duckling"}:
        save(folder / "model")
    words = COMMAND_LINES[command].format(folder).split(" ")
    return CliRunner().invoke(app, [*words, f"--where={condition}"])


def seen(command: str, folder: Path) -> list[str] | None:
    """The images that a command used, where it leaves a list of them."""
    places = {"audit": "audit/table.parquet", "prepare": "store/table.parquet"}
    places["lock"] = "locked/images.csv"
    path = folder / places.get(command, "out.csv")
    if not path.exists():
        return None
    ids = read_any_table(path)["image_id"].str.replace("t:", "")  # as combine calls them
    return sorted(ids)


@pytest.mark.parametrize("command", COMMAND_LINES)
def test_every_command_takes_the_rows_that_fit_and_says_how_many(
    command: str, folder: Path
) -> None:
    done = call(command, folder, CONDITION)
    assert done.exception is None or done.exit_code == 1, done.exception
    assert SAID in " ".join(done.output.split()), done.output
    assert seen(command, folder) in (CHOSEN, None), done.output
    if command in {"evaluate", "compare"}:
        assert "3 images" in done.output


@pytest.mark.parametrize("command", COMMAND_LINES)
def test_a_choice_of_nothing_is_one_sentence(command: str, folder: Path) -> None:
    done = call(command, folder, "Alter > 99")
    assert done.exit_code == 1
    (line,) = [line for line in done.output.splitlines() if "fits" in line]
    assert line.endswith(
        "None of the 6 rows fits 'Alter > 99'. Alter goes from 30.5 to 80.5."
    )
    assert seen(command, folder) is None


def test_every_command_that_takes_a_table_has_the_option() -> None:
    tables = {word.split(" ")[0] for word in COMMAND_LINES} | ELSEWHERE
    for command in COMMANDS:
        helped = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"})
        assert ("--where" in helped.output) == (command in tables), command


def test_what_a_run_judges_is_not_chosen_anew() -> None:
    # A run under --where hands its own rows to the evaluation, without their ages.
    truth = pd.DataFrame({"image_id": [*"abcd"], "melanoma": [1, 1, 0, 0]})
    predictions = pd.DataFrame({"image_id": [*"abcd"], "probability": [0.9, 0.4, 0.6, 0.1]})
    with rows_where("Alter > 60"):
        assert evaluate(predictions, truth, repeats=20)["auc"].value == 0.75


def test_predict_refuses_a_condition_without_a_table(folder: Path) -> None:
    save(folder / "model")
    words = f"predict {folder}/model {folder}/a.png --out {folder}/p.csv".split(" ")
    done = CliRunner().invoke(app, [*words, "--where=age > 3"])
    assert done.exit_code == 1
    assert "no table among the inputs" in " ".join(done.output.split())
