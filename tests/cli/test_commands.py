"""The command line as a person types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from lentigo.cli import commands
from lentigo.cli.app import app
from lentigo.errors import LentigoError
from lentigo.tables import write_table
from tests.cohorts import TINY, draw_cohort

COMMANDS = (
    "abcd", "ablate", "audit", "audit-log", "calibrate", "card", "change", "combine",
    "compare", "demo", "drift", "duckling", "evaluate", "explain", "explore", "export",
    "find-rate", "grid", "list", "lock", "outline", "power", "predict", "prepare", "read",
    "readers", "run", "runs", "serve", "similar", "split", "stress", "train", "tune",
    "view", "watch",
)  # fmt: skip
SET = [f"--set={name}={str(value).lower()}" for name, value in TINY.items()]


def call(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def fails(*arguments: str | Path) -> str:
    """The one line that a user's mistake ends in."""
    result = call(*arguments)
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    lines = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1, result.stderr
    return str(lines[0])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    write_table(draw_cohort(folder / "images", images=80), folder / "table.parquet")
    result = call(
        "train", folder / "table.parquet", "--recipe", "demo", *SET, "--out", folder / "run"
    )
    assert result.exit_code == 0, result.output
    return folder / "run"


def test_every_command_is_there_with_help_and_an_example() -> None:
    assert tuple(sorted(commands.COMMANDS)) == COMMANDS
    for name in COMMANDS:
        help_text = call(name, "--help").output
        assert f"lentigo {name}" in help_text.partition("Example:")[2], name


@pytest.mark.parametrize(
    ("kind", "name"),
    [("formats", "ham10000"), ("recipes", "quick"), ("metrics", "auc"),
     ("backbones", "legacy_xception"), ("views", "dullrazor"), ("splits", "grouped"),
     ("checks", "target-leak")],
)  # fmt: skip
def test_list_names_what_there_is(kind: str, name: str) -> None:
    assert any(line.split()[0] == name for line in call("list", kind).output.splitlines())
    assert name in json.loads(call("list", kind, "--json").output)[kind]


def test_list_takes_a_pattern_or_a_part_of_a_name() -> None:
    def names(*words: str) -> list[str]:
        return [line.split()[0] for line in call("list", *words).output.splitlines()]

    assert "resnet18" in names("backbones", "resnet*")
    assert all(name.startswith("resnet") for name in names("backbones", "RESNET*"))
    assert names("metrics", "delong") == ["auc_delong"]
    said = fails("list", "backbones", "resnet1888")
    assert "resnet18" in said
    assert call("list", "nothing").exit_code == 2


def test_training_leaves_a_report(run: Path) -> None:
    assert (run / "report.html").is_file()
    assert (run / "evaluation.json").is_file()


def test_predict_writes_a_table_and_a_submission(run: Path, tmp_path: Path) -> None:
    out, submission = tmp_path / "p.csv", tmp_path / "submission.csv"
    images = run.parent / "images"
    result = call("predict", run, images, "--out", out, "--submission", submission)
    assert result.exit_code == 0, result.output
    table = pd.read_csv(out)
    assert len(table) == 80
    assert "The model learnt from 64 of these images" in result.stderr
    assert {"image_id", "probability"} <= set(table)
    assert list(pd.read_csv(submission)) == ["image_name", "target"]


def test_a_renamed_copy_of_a_learnt_image_is_known(run: Path, tmp_path: Path) -> None:
    roles = pd.read_csv(run / "fold-0" / "roles.csv").set_index("role")["image_id"]
    for role in ("train", "test"):
        source = run.parent / "images" / f"{roles.loc[[role]].iloc[0]}.png"
        (tmp_path / f"copy-{role}.png").write_bytes(source.read_bytes())
    result = call("predict", run, tmp_path, "--out", tmp_path / "p.csv")
    assert result.exit_code == 0, result.output
    assert "learnt from 1 of these images (copy-train)" in result.stderr


def test_predict_names_a_broken_file_and_goes_on(run: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_text("no image")
    good = run.parent / "images" / "L000.png"
    result = call("predict", run, broken, good, "--out", tmp_path / "p.csv", "--json")
    assert result.exit_code == 0
    said = json.loads(result.stdout)
    assert said["images"] == 2
    assert [row["image_id"] for row in said["failed"]] == ["broken"]


def test_predict_without_any_probability_writes_why_and_fails(
    run: Path, tmp_path: Path
) -> None:
    broken, out = tmp_path / "broken.jpg", tmp_path / "p.csv"
    broken.write_text("no image")
    assert "No image has a probability" in fails("predict", run, broken, "--out", out)
    assert pd.read_csv(out)["reason"].notna().all()


def test_predict_on_a_device_that_is_not_there_says_so(run: Path, tmp_path: Path) -> None:
    image = run.parent / "images" / "L000.png"
    said = fails("predict", run, image, "--out", tmp_path / "p.csv", "--device", "toaster")
    assert "no device 'toaster'" in said


def test_evaluate_prints_one_json_object_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("image_id,probability\na,0.1\nb,0.4\nc,0.35\nd,0.8\n")
    (tmp_path / "t.csv").write_text("image_name,target\na,0\nb,0\nc,1\nd,1\n")
    result = call("evaluate", tmp_path / "p.csv", "--truth", tmp_path / "t.csv", "--json")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["auc"]["value"] == 3 / 4
    assert set(said["auc"]) >= {"value", "low", "high"}
    assert said["brier"]["value"] == pytest.approx((0.01 + 0.16 + 0.4225 + 0.04) / 4)


def test_evaluate_says_what_it_guessed(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("image_id,probability\na,0.1\nb,0.9\n")
    (tmp_path / "t.csv").write_text("image,MEL,NV\na,0,1\nb,1,0\n")
    result = call("evaluate", tmp_path / "p.csv", "--truth", tmp_path / "t.csv")
    assert result.exit_code == 0, result.output
    assert "MEL" in result.output
    assert "not a medical device" in result.output


def test_evaluate_takes_the_columns_that_it_is_given(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("image_id,risk\na,0.1\nb,0.9\n")
    (tmp_path / "t.csv").write_text("slide,biopsy\na,0\nb,1\n")
    arguments: list[str | Path] = [
        "evaluate",
        tmp_path / "p.csv",
        "--truth",
        tmp_path / "t.csv",
        "--json",
    ]
    for column in ("probability=risk", "image_id=slide", "melanoma=biopsy"):
        assert "--column" in fails(*arguments)
        arguments += ["--column", column]
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["auc"]["value"] == 1.0


def test_evaluate_overwrites_no_evaluation(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("image_id,probability\na,0.1\nb,0.9\n")
    (tmp_path / "t.csv").write_text("image_id,target\na,0\nb,1\n")
    arguments: list[str | Path] = [
        "evaluate", tmp_path / "p.csv", "--truth", tmp_path / "t.csv",
        "--out", tmp_path / "judged",
    ]  # fmt: skip
    assert call(*arguments).exit_code == 0
    assert "is there already" in fails(*arguments)


def test_read_writes_a_table_and_prints_its_counts(tmp_path: Path) -> None:
    draw_cohort(tmp_path / "images", images=8)
    (tmp_path / "m.csv").write_text("name,ill\nL000,1\nL001,0\n")
    result = call(
        "read", "csv", tmp_path / "m.csv", "--images", tmp_path / "images",
        "--column", "image_id=name", "--column", "melanoma=ill",
        "--out", tmp_path / "t.parquet", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert (said["images"], said["melanomas"], said["without a file"]) == (2, 1, 0)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "nowhere", "--out", "r"], "nowhere"),
        (["read", "ham1000", ".", "--out", "t.csv"], "Did you mean ham10000"),
        (["train", "none.parquet", "--out", "r"], "none.parquet"),
        (["run", ".", "--recipe", "quik", "--out", "r"], "Did you mean quick"),
        (["run", ".", "--set", "training.epoch=3", "--out", "r"], "training.epochs"),
        (["run", ".", "--set", "training.epochs", "--out", "r"], "--set training.epochs=3"),
        (["run", ".", "--set", "model.backbone=xceptoin", "--out", "r"], "xception"),
        (["run", ".", "--weights", "w.safetensors", "--out", "r"], "w.safetensors"),
        (["predict", "nowhere", ".", "--out", "p.csv"], "nowhere"),
        (["evaluate", "p.csv", "--truth", "t.csv"], "p.csv"),
    ],
)
def test_a_mistake_is_one_line_that_helps(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert says in fails(*arguments)


@pytest.mark.parametrize(
    "arguments", [["run"], ["nonsense"], ["evaluate", "p.csv"], ["list", "recipies"]]
)
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    assert call(*arguments).exit_code == 2


def test_list_offers_the_nearest_kind() -> None:
    assert "Did you mean recipes" in call("list", "recipies").stderr


def test_the_classes_of_folders_can_be_named(tmp_path: Path) -> None:
    draw_cohort(tmp_path / "images", images=3)
    for name, word in (("L000", "bad"), ("L001", "worse"), ("L002", "fine")):
        (tmp_path / "by" / word).mkdir(parents=True)
        (tmp_path / "images" / f"{name}.png").rename(tmp_path / "by" / word / f"{name}.png")
    arguments: list[str | Path] = [
        "read",
        "folder",
        tmp_path / "by",
        "--out",
        tmp_path / "t.csv",
        "--json",
    ]
    assert "--melanoma" in fails(*arguments)
    said = json.loads(call(*arguments, "--melanoma", "bad,worse").stdout)
    assert (said["melanomas"], said["not melanoma"]) == (2, 1)


def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    draw_cohort(tmp_path / "images", images=4)
    (tmp_path / "m.csv").write_text("image_id,target\nL000,1\nL001,0\n")
    monkeypatch.setattr("pyarrow.parquet.write_table", full)
    said = fails("read", "csv", tmp_path / "m.csv", "--out", tmp_path / "t.parquet")
    assert "No space left on device" in said
    assert not list(tmp_path.glob("*.parquet"))
    assert not list(tmp_path.glob(".*.parquet"))


def test_help_answers_without_loading_anything_heavy() -> None:
    code = (
        "import sys; sys.argv = ['lentigo', '--help']\n"
        "from lentigo.cli.app import app\n"
        "try: app()\nexcept SystemExit: pass\n"
        "print(sorted({'numpy', 'torch', 'rich'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "demo" in done.stdout
    assert done.stderr.strip() == "[]"


def test_a_reader_that_stops_is_no_error() -> None:
    code = "from lentigo.cli.app import app; app()"
    command = [sys.executable, "-c", code, "list", "recipes"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tool:
        assert tool.stdout
        assert tool.stderr
        tool.stdout.close()
        said = tool.stderr.read()
    assert (tool.returncode, said) == (141, b"")


def test_grid_writes_a_page_and_says_what_is_on_it(tmp_path: Path) -> None:
    table = draw_cohort(tmp_path / "images", images=12)
    table.loc[0, "path"] = str(tmp_path / "gone.png")
    write_table(table, tmp_path / "t.parquet")
    page = tmp_path / "page.png"
    result = call(
        "grid", tmp_path / "t.parquet", "--where", "melanoma", "--by", "sex", "--out", page,
        "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["images"] == ["L000", "L001", "L008", "L009"]
    assert said["failed"] == {"L000": "gone.png does not exist."}
    assert page.read_bytes().startswith(b"\x89PNG")
    batch = call(
        "grid", tmp_path / "t.parquet", "--batch", "--recipe", "demo", "--limit", "2",
        "--out", tmp_path / "batch.png",
    )  # fmt: skip
    assert batch.exit_code == 0, batch.output
    assert "The first 2 draws of a training on 12 images" in batch.stdout
    assert "is there already" in fails("grid", tmp_path / "t.parquet", "--out", page)


def test_grid_refuses_what_it_does_not_understand(tmp_path: Path) -> None:
    write_table(draw_cohort(tmp_path / "images", images=4), tmp_path / "t.parquet")
    table = tmp_path / "t.parquet"
    assert "Did you mean site" in fails("grid", table, "--where", "sit == 'torso'")
    assert "is not allowed" in fails("grid", table, "--where", "open('x')")
    assert "name it so" in fails("grid", table, "--out", tmp_path / "page.gif")


@pytest.mark.parametrize(
    ("command", "extra"), [("train t.csv", "train"), ("audit t.csv", "data"),
                           ("drift model p.csv", "data")],
)  # fmt: skip
def test_a_command_names_at_once_the_extra_that_brings_all_it_needs(
    command: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lentigo.extras.find_spec", lambda library: None)
    words = [*command.split(), "--out", str(tmp_path / "out")]
    with pytest.raises(LentigoError, match=rf"pip install 'lentigo\[{extra}\]'"):
        commands.load_command(words[0]).main(words[1:], standalone_mode=False)
