"""A folder is watched: each file is answered for once, also after a kill."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from fhir.resources.bundle import Bundle
from PIL import Image
from pydicom import dcmread
from pydicom.uid import generate_uid

import lentigo
from lentigo.files import digest
from lentigo.notice import WITHOUT_LIMIT
from tests.cli.test_commands import call, fails
from tests.cohorts import disc
from tests.dicoms import dicom
from tests.inference.test_predict import CONFIG, save


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    save(tmp_path / "model", config=CONFIG)
    rng = np.random.default_rng(0)
    (tmp_path / "in").mkdir()
    for number in range(3):
        Image.fromarray(disc(rng, dark=True, side=48)).save(
            tmp_path / "in" / f"{number}.png"
        )
    return tmp_path / "in"


def watched(inbox: Path, *words: str) -> list[Path]:
    folder = inbox.parent
    given: list[str | Path] = [
        "watch",
        inbox,
        "--model",
        folder / "model",
        "--out",
        folder / "out",
    ]
    result = call(*given, "--once", *words)
    assert result.exit_code == 0, result.output
    assert WITHOUT_LIMIT in result.output
    return sorted((folder / "out").glob("*.json"))


def test_each_file_is_answered_for_once_as_predict_does(inbox: Path) -> None:
    shutil.copyfile(inbox / "0.png", inbox / "again.png")
    (inbox / "broken.jpg").write_text("no image")
    first = watched(inbox)
    assert {each.stem for each in first} == {digest(each) for each in inbox.iterdir()}
    times = [each.stat().st_mtime_ns for each in first]
    assert [each.stat().st_mtime_ns for each in watched(inbox)] == times
    answer = json.loads((first[0].parent / f"{digest(inbox / '1.png')}.json").read_text())
    own = lentigo.load(inbox.parent / "model").predict(inbox / "1.png")
    assert answer["probability"] == pytest.approx(own["probability"][0], abs=1e-6)
    broken = json.loads(
        (first[0].parent / f"{digest(inbox / 'broken.jpg')}.json").read_text()
    )
    assert broken["probability"] is None
    assert broken["reason"]


def test_dicom_files_have_a_structured_report_once(inbox: Path) -> None:
    pytest.importorskip("highdicom")
    pixels = np.asarray(Image.open(inbox / "0.png"))
    named = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid()}
    (inbox / "IM0001").write_bytes(dicom(pixels, "RGB", **named))
    reports = inbox.parent / "reports"
    files = watched(inbox, "--dicom-sr", str(reports))
    answer = json.loads((files[0].parent / f"{digest(inbox / 'IM0001')}.json").read_text())
    (report,) = reports.iterdir()
    assert report.name == answer["report"] == f"{answer['sha256']}.sr.dcm"
    found = dcmread(report)
    assert found.PatientID == "SECRET-ID"
    assert found.Modality == "SR"
    before = report.read_bytes()
    (files[0].parent / f"{answer['sha256']}.json").unlink()  # as if killed before it
    assert watched(inbox, "--dicom-sr", str(reports)) == files
    assert report.read_bytes() == before
    assert "is watched" in fails(
        "watch", inbox, "--model", inbox.parent / "model", "--out", inbox.parent / "out",
        "--dicom-sr", inbox / "reports",
    )  # fmt: skip


def test_answers_can_be_fhir(inbox: Path) -> None:
    for each in watched(inbox, "--format", "fhir"):
        Bundle.model_validate_json(each.read_text())


def test_after_a_kill_it_goes_on_and_repeats_nothing(inbox: Path) -> None:
    folder = inbox.parent
    program = str(Path(sys.executable).with_name("lentigo"))
    command = [
        program, "watch", str(inbox), "--model", str(folder / "model"),
        "--out", str(folder / "out"), "--seconds", "0.1",
    ]  # fmt: skip

    def run(count: int, number: int) -> None:
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + 120
        while len(answers(folder)) < count:
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(number)
        assert process.wait(30) == (-9 if number == signal.SIGKILL else 143)

    run(3, signal.SIGKILL)
    before = {each: each.stat().st_mtime_ns for each in answers(folder)}
    Image.fromarray(disc(np.random.default_rng(9), dark=False)).save(inbox / "new.png")
    run(4, signal.SIGTERM)
    after = {each: each.stat().st_mtime_ns for each in answers(folder)}
    assert len(after) == 4
    assert before.items() <= after.items()


def answers(folder: Path) -> list[Path]:
    """Return the answers that are whole; one that is being written begins with a dot."""
    found = (folder / "out").glob("*.json")
    return [each for each in found if not each.name.startswith(".")]


def test_what_cannot_be_watched_is_refused(inbox: Path) -> None:
    folder = inbox.parent
    words: list[str | Path] = ["--model", folder / "model", "--once"]
    assert "no folder" in fails("watch", folder / "none", *words, "--out", folder / "out")
    assert "is watched" in fails("watch", inbox, *words, "--out", inbox / "out")
    assert "json or fhir" in fails(
        "watch", inbox, *words, "--out", folder / "out", "--format", "xml"
    )
