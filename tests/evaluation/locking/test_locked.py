"""A locked test set: what is seen without opening it, and what each opening leaves."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.errors import DatasetError, RunError, UnknownNameError, UnreadableFileError
from lentigo.evaluation import compare_models, evaluate
from lentigo.evaluation.locking import Protocol, lock_table, open_labels, state_of
from lentigo.evaluation.locking.protocol import differences
from lentigo.run_layout import LOCKED, LOCKED_IMAGES, LOCKED_LABELS, OPENINGS

ROWS = pd.DataFrame(
    {
        "image_id": [f"i{number:02}" for number in range(40)],
        "patient_id": [f"p{number // 2}" for number in range(40)],
        "site": ["back", "leg"] * 20,
        "diagnosis": ["melanoma", "nevus", "nevus", "nevus"] * 10,
        "melanoma": [1, 0, 0, 0] * 10,
        "malignant": [1, 0, 0, 0] * 10,
        "pathologist_says": ["hm", "ok", "ok", "ok"] * 10,
    }
)
PREDICTED = pd.DataFrame(
    {"image_id": ROWS["image_id"], "probability": [0.9, 0.1, 0.2, 0.6] * 10}
)
FIXED = Protocol(model="model m", threshold=0.3, metrics=("sensitivity", "auc"))
DAY = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ROWS.to_csv(tmp_path / "test.csv", index=False)
    PREDICTED.to_csv(tmp_path / "p.csv", index=False)
    lock_table(tmp_path / "test.csv", tmp_path / "locked", protocol=FIXED, now=DAY)
    return tmp_path / "locked"


def evaluated(folder: Path, *words: str) -> tuple[int, str]:
    rest = ["--threshold", "0.3", "--repeats", "20", *words]
    line = ["evaluate", f"{folder.parent}/p.csv", "--truth", str(folder), *rest]
    done = CliRunner().invoke(app, line)
    return done.exit_code, done.output


def lock_open(folder: Path) -> Path:
    """A set locked without a protocol, which its first opening fixes."""
    place = folder.parent / "open"
    lock_table(folder.parent / "test.csv", place, now=DAY)
    return place


def test_the_images_tell_nothing_of_their_labels(folder: Path) -> None:
    images = pd.read_csv(folder / LOCKED_IMAGES)
    assert list(images) == ["image_id", "patient_id", "site"]
    assert len(images) == 40
    seen = "".join(
        (folder / n).read_text(encoding="utf-8") for n in (LOCKED, LOCKED_IMAGES, OPENINGS)
    )
    assert "nevus" not in seen
    assert "pathologist" not in seen


def test_an_opening_gives_the_labels_and_is_on_record_before(folder: Path) -> None:
    labels, opening = open_labels(folder, FIXED, predictions="a", now=DAY)
    assert labels["melanoma"].tolist() == ROWS["melanoma"].tolist()
    assert labels["diagnosis"].tolist() == ROWS["diagnosis"].tolist()
    assert "pathologist_says" not in labels
    assert (opening.number, opening.earlier, opening.differences) == (1, (), ())
    assert opening.before_first_look
    [line] = state_of(folder).openings
    assert (line["time"], line["predictions"]) == ("2026-01-02T03:04:00+00:00", "a")
    assert opening.head == line["digest"]


def test_a_second_look_is_counted_and_said(folder: Path) -> None:
    open_labels(folder, FIXED, predictions="a", now=DAY)
    _, opening = open_labels(folder, FIXED, predictions="b")
    assert (opening.number, opening.other_predictions) == (2, 1)
    assert "looked at 1 time before (2026-01-02T03:04:00+00:00 first)" in " ".join(
        opening.sentences
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Protocol(model="model m", threshold=0.5), "threshold 0.5, not 0.3"),
        (Protocol(model="model other", threshold=0.3), "model model other, not model m"),
        (Protocol(model="model m", threshold=0.3, where="age > 3"), "where age > 3, not"),
    ],
)
def test_another_protocol_is_refused_and_nobody_looks(
    folder: Path, asked: Protocol, said: str
) -> None:
    with pytest.raises(RunError, match=said):
        open_labels(folder, asked, predictions="a")
    assert state_of(folder).openings == ()


def test_with_a_reason_it_is_opened_and_every_later_report_says_so(folder: Path) -> None:
    other = Protocol(model="model m", threshold=0.5)
    _, opening = open_labels(folder, other, predictions="a", deviate="reviewer 2 asked")
    assert opening.differences == ("threshold 0.5, not 0.3",)
    assert any("reviewer 2 asked" in each for each in opening.sentences)
    _, later = open_labels(folder, FIXED, predictions="a")
    assert any("1 earlier opening was under another" in each for each in later.sentences)
    assert state_of(folder).protocol == FIXED


def test_without_a_protocol_the_first_opening_fixes_it(folder: Path) -> None:
    place = lock_open(folder)
    assert state_of(place).protocol is None
    _, opening = open_labels(place, FIXED, predictions="a")
    assert not opening.before_first_look
    _, later = open_labels(place, FIXED, predictions="a")
    assert not later.before_first_look
    with pytest.raises(RunError, match="model"):
        open_labels(place, Protocol(model="model n", threshold=0.3), predictions="a")


def test_a_model_that_was_left_open_is_fixed_by_the_first_opening(folder: Path) -> None:
    place = folder.parent / "half"
    lock_table(folder.parent / "test.csv", place, protocol=Protocol(threshold=0.3))
    open_labels(place, Protocol(model="model m", threshold=0.3), predictions="a")
    with pytest.raises(RunError, match="model model n, not model m"):
        open_labels(place, Protocol(model="model n", threshold=0.3), predictions="a")


@pytest.mark.parametrize("name", [LOCKED_LABELS, LOCKED_IMAGES])
def test_changed_labels_or_images_are_refused(folder: Path, name: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    (folder / name).write_text(text.replace("i07", "i77"), encoding="utf-8")
    with pytest.raises(UnreadableFileError, match="not the file that was locked"):
        open_labels(folder, FIXED, predictions="a")


def test_a_log_in_which_a_line_was_edited_or_is_gone_is_refused(folder: Path) -> None:
    for name in "abc":
        open_labels(folder, FIXED, predictions=name)
    log = folder / OPENINGS
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    assert len(lines) == 4
    for tampered in (
        [lines[0], lines[1].replace('"a"', '"z"'), *lines[2:]],
        [lines[0], *lines[2:]],
        [lines[0], lines[2], lines[1], lines[3]],
        lines[:-1],
        [],
    ):
        log.write_text("".join(tampered), encoding="utf-8")
        with pytest.raises(UnreadableFileError, match=OPENINGS):
            state_of(folder)
    log.write_text("".join(lines), encoding="utf-8")
    assert len(state_of(folder).openings) == 3


def test_a_line_that_was_written_before_a_power_cut_stays_counted(folder: Path) -> None:
    before = (folder / LOCKED).read_text(encoding="utf-8")
    open_labels(folder, FIXED, predictions="a")
    (folder / LOCKED).write_text(before, encoding="utf-8")
    _, opening = open_labels(folder, FIXED, predictions="b")
    assert opening.number == 2


def test_other_commands_do_not_open_it(folder: Path) -> None:
    with pytest.raises(DatasetError, match="locked test set"):
        evaluate(PREDICTED, folder)
    with pytest.raises(DatasetError, match="locked test set"):
        compare_models({"a": PREDICTED, "b": PREDICTED}, folder)
    with pytest.raises(DatasetError):
        evaluate(PREDICTED, folder / LOCKED_LABELS)


def test_a_metric_that_there_is_not_is_refused(folder: Path) -> None:
    with pytest.raises(UnknownNameError, match="auk"):
        lock_table(
            folder.parent / "test.csv", folder / "x", protocol=Protocol(metrics=("auk",))
        )


def test_folders_that_tell_the_class_are_pointed_out(tmp_path: Path) -> None:
    rows = ROWS.assign(
        path=[f"{d}/{i}.jpg" for d, i in zip(ROWS.diagnosis, ROWS.image_id, strict=True)]
    )
    rows.to_csv(tmp_path / "t.csv", index=False)
    _, notes = lock_table(tmp_path / "t.csv", tmp_path / "locked")
    assert any("tell the class" in note for note in notes)


def test_the_commands_tell_the_same_story(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lentigo.reports.evaluation.figures.drawable", lambda: False)
    place = lock_open(folder)
    code, said = evaluated(place, "--out", str(folder.parent / "out"))
    assert code == 0, said
    assert "It had not been looked at before." in " ".join(said.split())
    found = json.loads((folder.parent / "out/evaluation.json").read_text(encoding="utf-8"))
    assert found["locked"]["number"] == 1
    code, said = evaluated(place)
    assert "looked at 1 time before" in " ".join(said.split())
    code, said = evaluated(place, "--by", "site")
    assert code == 1
    assert "by site, not none" in said
    code, said = evaluated(place, "--by", "site", "--deviate", "asked for sites")
    assert code == 0
    assert "because: asked for sites" in " ".join(said.split())
    code, said = evaluated(place, "--where", "site == 'torso'")
    assert code == 1
    shown = CliRunner().invoke(app, ["lock", str(place)]).output
    assert "Opened 3 times." in shown
    assert "asked for sites" in shown


def test_what_counts_is_told_first(tmp_path: Path, folder: Path) -> None:
    words = f"lock {tmp_path}/test.csv --threshold 0.3 --metric sensitivity --metric auc"
    done = CliRunner().invoke(app, [*words.split(), "--out", str(tmp_path / "l2")])
    assert done.exit_code == 0, done.output
    assert "pathologist_says" in done.output
    assert "  metrics: sensitivity and auc" in done.output.splitlines()
    assert "  by: none" in done.output.splitlines()
    code, said = evaluated(tmp_path / "l2", "--json")
    assert code == 0, said
    notes = json.loads(said)["notes"]
    assert any(n.startswith("Fixed to count, the primary one first: sens") for n in notes)


def test_deviate_needs_a_locked_set_and_another_protocol(folder: Path) -> None:
    place = lock_open(folder)
    evaluated(place)
    assert evaluated(place, "--deviate", "no reason")[0] == 1
    truth = folder.parent / "test.csv"
    assert evaluated(truth, "--deviate", "why")[0] == 2


def test_broken_predictions_open_nothing(folder: Path) -> None:
    place = lock_open(folder)
    bad = PREDICTED.assign(probability=3.0)
    bad.to_csv(folder.parent / "p.csv", index=False)
    assert evaluated(place)[0] == 1
    assert state_of(place).openings == ()


def test_columns_that_may_name_people_are_stored_nowhere(tmp_path: Path) -> None:
    rows = ROWS.assign(Nachname="Huber", Alter=50, device="x", Histologie=ROWS["diagnosis"])
    rows.to_csv(tmp_path / "test.csv", index=False)
    fixed = Protocol(by=("device",))
    path, asked = tmp_path / "test.csv", ["pathologist_says"]
    _, notes = lock_table(path, tmp_path / "locked", protocol=fixed, keep=asked)
    assert "Not stored: Nachname, which may name people" in " ".join(notes)
    stored = [each.read_text("utf-8") for each in (tmp_path / "locked").iterdir()]
    assert "Huber" not in "".join(stored)
    labels, _ = open_labels(tmp_path / "locked", fixed, predictions="a")
    kept = {"Alter", "device", "Histologie", "diagnosis", "pathologist_says", "site"}
    assert kept <= set(labels)
    with pytest.raises(UnknownNameError, match="column to keep"):
        lock_table(path, tmp_path / "other", keep=["weather"])


def test_another_column_of_the_same_table_is_another_protocol(tmp_path: Path) -> None:
    """The table has two models' probabilities; the second look is at the other's."""
    ROWS.to_csv(tmp_path / "test.csv", index=False)
    both = PREDICTED.rename(columns={"probability": "model_a"})
    both.assign(model_b=0.5).to_csv(tmp_path / "p.csv", index=False)
    lock_table(tmp_path / "test.csv", place := tmp_path / "locked", now=DAY)
    assert evaluated(place, "--column", "probability=model_a")[0] == 0
    code, said = evaluated(place, "--column", "probability=model_b")
    assert code == 1
    assert "columns probability=model_b, not probability=model_a" in said
    assert len(state_of(place).openings) == 1
    because = "--deviate", "the other model"
    assert evaluated(place, "--column", "probability=model_b", *because)[0] == 0
    digests = {each["predictions"] for each in state_of(place).openings}
    assert {each.rsplit(" ", 1)[-1] for each in digests} == {"model_a", "model_b"}


def test_a_column_that_cannot_be_named_opens_nothing(folder: Path) -> None:
    place = lock_open(folder)
    assert evaluated(place, "--column", "probablity=x")[0] == 1
    assert evaluated(place, "--column", "probability=gone")[0] == 1
    for column, said in (
        ("melanoma=typo", "has no column typo"),
        ("melanoma=site", "were locked as the column melanoma, and site is another"),
        ("image_id=typo", "have a column typo to name the images by"),
    ):
        code, shown = evaluated(place, "--column", column)
        assert (code, said in " ".join(shown.split())) == (1, True), shown
    assert (place / OPENINGS).read_text(encoding="utf-8") == ""
    assert state_of(place).openings == ()


def test_columns_are_fixed_by_the_first_opening_also_of_an_older_lock() -> None:
    older = {k: v for k, v in FIXED.as_dict().items() if k != "columns"}
    read = Protocol.from_dict(older)
    assert read == FIXED
    named = replace(FIXED, columns=("probability=b",))
    assert differences(read, named) == []
    assert read.completed(named) == named == Protocol.from_dict(named.as_dict())
    assert differences(named, replace(named, columns=())) == [
        "columns none, not probability=b"
    ]


def test_images_without_any_label_cannot_be_locked(tmp_path: Path) -> None:
    bare = ROWS.assign(melanoma="", diagnosis="", malignant="")
    bare.to_csv(tmp_path / "test.csv", index=False)
    with pytest.raises(DatasetError, match="label"):
        lock_table(tmp_path / "test.csv", tmp_path / "locked")
    assert not (tmp_path / "locked").exists()


def test_a_folder_that_is_not_locked_has_no_state(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is no locked test set"):
        state_of(tmp_path)


def test_the_record_says_who_fixed_what_and_not_the_labels(folder: Path) -> None:
    told = state_of(folder).as_dict()
    assert told["protocol"]["threshold"] == 0.3
    assert "frozen_by" not in told


def test_a_model_that_cannot_be_used_is_not_fixed_for_ever(tmp_path: Path) -> None:
    """A locked model cannot be exchanged; what is wrong with it came out at the opening."""
    ROWS.to_csv(tmp_path / "test.csv", index=False)
    for name, content in (("model", "{}"), ("other", '{"format": 3}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.json").write_text(content)
        line = ["lock", f"{tmp_path}/test.csv", "--model", f"{tmp_path}/{name}"]
        done = CliRunner().invoke(app, [*line, "--out", f"{tmp_path}/locked"])
        assert done.exit_code == 1
        assert f"{name}/model.json" in done.output
        assert not (tmp_path / "locked").exists()
