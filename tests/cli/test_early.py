"""A wrong name on the command line is told by a table's header, before anything heavy."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lentigo.cli.app import app
from tests.fakes import draw_image

_LIGHT = """
import json, sys
from importlib.machinery import ModuleSpec
class Heavy:
    # The libraries are installed; whoever imports one fails.
    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self) if name in ("torch", "timm", "torchvision") else None
    def create_module(self, spec):
        raise AssertionError(f"{spec.name} was imported.")
    def exec_module(self, module):
        pass
sys.meta_path.insert(0, Heavy())
import lentigo.datasets.reading.files as files
def searched(*_, **__):
    raise AssertionError("The images were searched.")
files.ImageFiles.__init__ = searched
from typer.testing import CliRunner
from lentigo.cli.app import app
said = [CliRunner().invoke(app, line) for line in json.load(sys.stdin)]
print(json.dumps([[each.exit_code, each.stderr] for each in said]))
"""

LEARNING = {
    "train": "train {t} --out {o}",
    "run": "run {t} --out {o}",
    "run a folder": "run {f} --out {o}",
    "tune": "tune {t} --out {o}",
    "ablate": "ablate {t} --switches training.views=2 --out {o}",
    "find-rate": "find-rate {t} --out {o}",
}
READING = {
    "audit": "audit {t} --out {o}",
    "explore": "explore {t} --out {o}",
    "prepare": "prepare {t} --out {o}",
    "grid": "grid {t} --out {o}.png",
    "combine": "combine {t} --out {o}.csv",
    "read": "read csv {t} --out {o}.csv",
    "split": "split {t} --out {o}.csv",
    "calibrate": "calibrate {f} {t} --out {o}",
    "stress": "stress {f} {t} --out {o}",
    "duckling": "duckling {f} {t} --out {o}",
}
NAMES = {
    "--column melanoma=targt": "has no column targt. Did you mean target?",
    "--column melonoma=target": "no column to assign called 'melonoma'",
    "--where aeg>3": "no column called 'aeg'. Did you mean age?",
    "--where age>": "cannot be read",
    "--map tagret:MM=melanoma": "no column (of --map) called 'tagret'",
}
SETTINGS = {
    "--set training.teacher=nope": "training.teacher nope is no run folder",
    "--set training.techer=nope": "Did you mean training.teacher",
    "--set model.metadata=add": "model.metadata: input should be 'none'",
    "--set model.metadata=film": "has no column of age, sex or site",
    "--recipe quik": "Did you mean quick",
    "--set model.backbone=resnet10tt": "Did you mean resnet10t or",
}
OTHERS = {
    "train {t} --split nowhere.csv --out {o}": "There is no split nowhere.csv",
    "train {t} --on rays --out {o}": "Did you mean ray?",
    "run {t} --on rays --out {o}": "Did you mean ray?",
    "prepare {t} --on rays --out {o}": "Did you mean ray?",
    "predict {f} {t} --on rays --out {o}.csv": "Did you mean ray?",
    "audit {t} --by prat --out {o}": "no column (of --by) called 'prat'",
    "audit {t} --keep prat --out {o}": "no column (of --keep) called 'prat'",
    "combine {t} --keep prat --out {o}.csv": "no column (of --keep) called 'prat'",
    "grid {t} --by stie --out {o}.png": "no column (of --by) called 'stie'",
    "grid {t} --sort -agee --out {o}.png": "no column (of --sort) called 'agee'",
    "predict {f} {t} --where aeg>3 --out {o}.csv": "Did you mean age?",
    "similar {f} {t} --where aeg>3 --out {o}.csv": "Did you mean age?",
    "outline {t} --where aeg>3 --out {o}": "Did you mean age?",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("early") / "in"
    draw_image(folder / "a.png", seed=0)
    rows = "image_id,patient_id,target,stage\n" + "".join(
        f"a{n},p{n},{n % 2},x\n" for n in range(6)
    )
    (folder / "t.csv").write_text(rows.replace("stage", "age").replace("x", "50"))
    (folder.parent / "bare.csv").write_text(rows)
    return folder


def test_a_wrong_name_is_told_before_images_are_searched(folder: Path) -> None:
    lines = {
        f"{command} {names}": said
        for command in {**LEARNING, **READING}.values()
        for names, said in NAMES.items()
    }
    bare = [each.replace("{t}", "{b}") for each in LEARNING.values() if "{f}" not in each]
    lines |= {
        f"{command} {names}": said for command in bare for names, said in SETTINGS.items()
    }
    lines |= OTHERS
    places = {
        "t": folder / "t.csv", "f": folder, "b": folder.parent / "bare.csv",
        "o": folder.parent / "out",
    }  # fmt: skip
    given = [line.format(**places).split() for line in lines]
    done = subprocess.run(
        [sys.executable, "-c", _LIGHT], input=json.dumps(given),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    for (line, wanted), (code, said) in zip(
        lines.items(), json.loads(done.stdout), strict=True
    ):
        assert wanted in said, f"{line}: {said}"
        assert code == 1, line
    assert not list(folder.parent.glob("out*"))


RIGHT = {
    "combine {t} --where 'age > 3' --map target:1=melanoma --column age=age": "plain",
    "split {t} --column part=split --scheme published": "split",
    "split {t} --column dataset=center": "split",
    "split {t} --where 'part == \"train\"'": "split",
    "combine {t} --map {w}": "plain",
    "combine {t} --keep isic_id": "plain",
    "combine {t} --column melanoma=target --column lesion_id=dx": "blanks",
    "combine {t} --column melanoma=target.1 --column lesion_id=target": "twice",
    "combine {t} --column lesion_id=Unnamed: 0": "unnamed",
    "combine {t} --column lesion_id==dx": "guarded",
}
HEADERS = {
    "plain": "image_id,patient_id,target,age",
    "split": "image_id,patient_id,target,split,center",
    "blanks": "image_id, patient_id, target, dx",
    "twice": "image_id,patient_id,target,target",
    "unnamed": ",image_id,patient_id,target",
    "guarded": "image_id,patient_id,target,'=dx",
}
"""Headers, for cells that are made from their names."""


def cell(name: str, row: int, column: int) -> str:
    plain = name.strip().strip("'=")
    if plain == "split":
        return "train" if row < 20 else "test"
    numbers = {"target": row % 2, "age": 50, "center": "a"}
    return str(numbers.get(plain, f"{plain}{row}-{column}"))


@pytest.mark.parametrize("line", RIGHT)
def test_right_names_are_not_refused(line: str, tmp_path: Path) -> None:
    names = HEADERS[RIGHT[line]].split(",")
    rows = [
        ",".join(cell(name, row, column) for column, name in enumerate(names))
        for row in range(40)
    ]
    (tmp_path / "t.csv").write_text("\n".join([",".join(names), *rows]) + "\n")
    words = "column,word,meaning\ntarget,1,melanoma\nhistology,MM,melanoma\n"
    (tmp_path / "w.csv").write_text(words)
    given = shlex.split(line.format(t=tmp_path / "t.csv", w=tmp_path / "w.csv"))
    if "Unnamed:" in given[-2]:
        given[-2:] = [" ".join(given[-2:])]
    done = CliRunner().invoke(app, [*given, "--out", str(tmp_path / "out.csv")])
    assert done.exit_code == 0, done.output


def test_tables_of_readers_and_of_choosing_are_looked_at_too(tmp_path: Path) -> None:
    truth = "image_id,melanoma\n" + "".join(f"i{n},{n % 2}\n" for n in range(40))
    calls = "image_id,reader,call\n" + "".join(
        f"i{n},{who},{'nein' if n % 3 else 'bosartig'}\n" for n in range(40) for who in "ab"
    )
    (tmp_path / "t.csv").write_text(truth)
    (tmp_path / "r.csv").write_text(calls)
    line = ["readers", str(tmp_path / "r.csv"), "--truth", str(tmp_path / "t.csv")]
    asked = ["--map", "call:bosartig=melanoma,nein=benign", "--repeats", "10"]
    done = CliRunner().invoke(app, [*line, *asked])
    assert "no column (of --map)" not in done.output


@pytest.mark.parametrize("command", ["run", "train"])
def test_images_alone_have_no_label(command: str, tmp_path: Path) -> None:
    for number in range(3):
        draw_image(tmp_path / "in" / f"{number}.png", seed=number)
    line = [command, str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, line)
    assert done.exit_code == 1
    assert "holds 3 images and no table, so no image has a label. Put" in done.stderr
