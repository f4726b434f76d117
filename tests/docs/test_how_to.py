"""Whoever follows a page of docs/how-to step by step gets what it promises.

The blocks of code of a page are put where the page says, in a copy of the package: a file
that is not there is written; a line goes into the list that is named beside its file; a
function goes to the end of its file, or above what is named.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import lentigo
from tests.fakes.drawing import draw_image, write_lines

PACKAGE = Path(lentigo.__file__).parent
PAGES = PACKAGE.parent / "docs" / "how-to"
FENCE = re.compile(r"(?P<said>.*?)```python\n(?P<code>.*?)```\n", flags=re.DOTALL)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package in which every page was followed, all after one another."""
    root = tmp_path_factory.mktemp("house")
    shutil.copytree(PACKAGE, root / "lentigo", ignore=shutil.ignore_patterns("__pycache__"))
    for page in sorted(PAGES.glob("add-a-*.md")):
        follow(page, root)
    return root


def follow(page: Path, root: Path) -> None:
    for block in FENCE.finditer(page.read_text(encoding="utf-8")):
        said = block["said"].rstrip().rpartition("\n\n")[2]
        path = root / re.findall(r"`(lentigo/[\w/]+\.py)`", said)[-1]
        place = re.search(r"(above|in)\s+`([A-Z_]+)`", said)
        if not path.exists():
            path.write_text(block["code"], encoding="utf-8")
        elif place is None:
            path.write_text(f"{path.read_text('utf-8')}\n\n{block['code']}", "utf-8")
        else:
            path.write_text(
                put(block["code"], path.read_text("utf-8"), *place.groups()), "utf-8"
            )


def put(code: str, source: str, where: str, name: str) -> str:
    """Put `code` above the list `name` of `source`, or behind the last of it."""
    (found,) = (node for node in ast.parse(source).body if name in names_of(node))
    # Columns count bytes.
    lines = source.encode().splitlines(keepends=True)
    if where == "above":
        before, after = lines[: found.lineno - 1], lines[found.lineno - 1 :]
        return b"".join([*before, f"{code}\n\n".encode(), *after]).decode()
    last = last_of(found)
    at = sum(map(len, lines[: (last.end_lineno or 0) - 1])) + (last.end_col_offset or 0)
    whole = b"".join(lines)
    line = f",\n{code.rstrip().rstrip(',')}".encode()
    return (whole[:at] + line + whole[at:]).decode()


def names_of(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.AnnAssign):
        return {ast.unparse(node.target)}
    return set(map(ast.unparse, node.targets)) if isinstance(node, ast.Assign) else set()


def last_of(node: ast.stmt) -> ast.expr:
    """The last row of a dict, of the last dict in one, or of the tuple that makes one."""
    assert isinstance(node, ast.Assign | ast.AnnAssign)
    assert node.value is not None
    for part in ast.walk(node.value):
        if isinstance(part, ast.Dict):
            last = part.values[-1]
            return last.values[-1] if isinstance(last, ast.Dict) else last
        if isinstance(part, ast.Tuple):
            return part.elts[-1]
    raise AssertionError(f"no list in {ast.unparse(node)}")


USE = """
import json, sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
import pandas as pd
import lentigo

def command(*words):
    from lentigo.cli.app import app
    said = StringIO()
    with redirect_stdout(said):
        app(list(words), standalone_mode=False)
    return said.getvalue()

def metric():
    images = pd.DataFrame({"image_id": list("abcdefgh"), "melanoma": [1] * 4 + [0] * 4})
    images["probability"] = [0.9, 0.8, 0.7, 0.2, 0.8, 0.3, 0.2, 0.1]
    found = lentigo.evaluate(images, images, repeats=50)
    return [found["f1"].value, found["f1"].low, found["f1"].rough, found.as_text()]

def figure():
    from lentigo.figures import plot_modality
    from lentigo.figures.cohort.drawn import Cohort
    from lentigo.reports.explore.page import KINDS
    table = lentigo.read_table("myarchive", "archive").assign(modality="dermoscopy")
    drawn = next(kind for kind in KINDS if kind.name == "modality").draw(Cohort(table))
    drawn.figure.savefig("modality.png")
    images = pd.DataFrame({"image_id": list("abcd"), "melanoma": [1, 1, 0, 0]})
    images["probability"] = [0.9, 0.3, 0.35, 0.1]
    images.to_csv("judged.csv", index=False)
    command("evaluate", "judged.csv", "--truth", "judged.csv", "--repeats", "50",
            "--out", "judged")
    return [drawn.title, command("list", "figures", "modality"), in_report(images),
            *sorted(path.name for path in Path("judged/figures").glob("spread.*"))]

def in_report(images):
    from types import SimpleNamespace
    from lentigo.reports.run.drawings import draw_results
    from lentigo.run_layout import RunLayout
    run = SimpleNamespace(
        scored=images.assign(group_id=images["image_id"]).astype({"melanoma": bool}),
        scored_baseline=None, evaluation={}, layout=RunLayout(Path("run")),
        config=lentigo.Config(),
    )
    return [each.title for each in draw_results(run)]

def view():
    from lentigo.config import ImagingConfig
    command("view", "archive/a.png", "--view", "saturation", "--no-sheet", "--out", "views")
    return [str(ImagingConfig(view="saturation").view), *map(str, Path("views").iterdir())]

def dataset():
    command("read", "myarchive", "archive", "--out", "table.csv")
    return [command("list", "formats", "myarchive"), Path("table.csv").read_text()]

def recipe():
    return [lentigo.recipe("patient").model.backbone, command("list", "recipes", "patient")]

def new_command():
    return [command("columns", "--help"), command("columns", "archive/clinical.csv")]

answers = {}
for use in (metric, figure, view, dataset, recipe, new_command):
    answers[use.__name__] = use()
print(json.dumps([lentigo.__file__, answers]))
"""


# Ten seconds, because a new process imports and uses all of it; one does for all pages.
@pytest.fixture(scope="module")
def answers(house: Path) -> dict[str, list[Any]]:
    work = house / "work"
    draw_image(work / "archive" / "a.png", seed=0)
    draw_image(work / "archive" / "b.png", seed=1)
    write_lines(
        work / "archive" / "clinical.csv",
        ["id,patient,gender,age,dx", "a,P1,f,50,melanoma", "b,P2,m,60,nevus"],
    )
    done = subprocess.run(
        [sys.executable, "-c", USE],
        cwd=work,
        env={**os.environ, "PYTHONPATH": str(house), "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    where, found = json.loads(done.stdout)
    assert Path(where).parent == house / "lentigo"
    read: dict[str, list[Any]] = found
    return read


def test_a_new_metric_is_scored_with_an_interval(answers: dict[str, list[Any]]) -> None:
    value, low, rough, text = answers["metric"]
    assert value == 2 * 3 / (2 * 3 + 1 + 1)  # 3 found, 1 false alarm, 1 missed
    assert 0 < float(low) < float(value)
    assert rough, "no simulation has tried it"
    assert "harmonic mean of sensitivity and PPV" in text


def test_a_new_figure_is_drawn_and_listed(answers: dict[str, list[Any]]) -> None:
    title, listed, in_report, *files = answers["figure"]
    assert title == "100\u00a0% of the images were taken with a dermatoscope"
    assert listed.startswith("modality ")
    assert files == ["spread.csv", "spread.png", "spread.svg"]  # of lentigo evaluate
    assert in_report[-1] == "Spread of the probabilities"


def test_a_new_view_is_written_and_is_a_setting(answers: dict[str, list[Any]]) -> None:
    setting, *files = answers["view"]
    assert setting == "('saturation',)"
    assert [Path(file).name for file in files] == ["a.saturation.png"]


def test_a_new_dataset_is_read_and_listed(answers: dict[str, list[Any]]) -> None:
    listed, table = answers["dataset"]
    assert "clinical.csv and a folder of images" in listed
    assert [line.partition(",")[0] for line in table.splitlines()[:3]] == [
        "image_id",
        "a",
        "b",
    ]


def test_a_new_recipe_is_a_config(answers: dict[str, list[Any]]) -> None:
    backbone, listed = answers["recipe"]
    assert backbone == "efficientnet_b3"
    assert "A middle-sized network at 300 px" in listed


def test_a_new_command_runs_and_has_its_help(answers: dict[str, list[Any]]) -> None:
    help_page, printed = answers["new_command"]
    assert "Print which column of TABLE is taken for which of ours." in help_page
    assert "sex: gender" in printed


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.stem)
def test_each_file_that_a_page_names_is_there_or_made_by_it(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:lentigo|tests|benchmarks|docs)/[\w/.-]+)`", text))
    made = {
        files[-1]
        for block in FENCE.finditer(text)
        if (files := re.findall(r"`(lentigo/[\w/]+\.py)`", block["said"]))
    }
    lost = {name for name in named - made if not (PACKAGE.parent / name).exists()}
    assert lost <= {"tests/datasets/archives/test_myarchive.py"}
