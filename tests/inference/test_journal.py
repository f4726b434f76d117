"""The journal of a prediction: what was done before a kill is not done again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import zipfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lentigo.errors import RunError
from lentigo.imaging.decoding import packed
from lentigo.inference.inputs import Source, find_sources
from lentigo.inference.journal import Done, Journal, Task, journal_of, task_of
from lentigo.isolated import command

TASK = Task("task", images=5, batch_size=4, rows=2)


def batch(start: int, *values: float, reasons: dict[int, str] | None = None) -> Done:
    return Done(start, np.array([values, values]), reasons or {})


def started(folder: Path, *batches: Done) -> Path:
    out = folder / "p.csv"
    journal = Journal(out, TASK, resume=False)
    for each in batches:
        journal.add(each)
    journal.close()
    return out


def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(journal_of(tmp_path / "p.csv"))
    with pytest.raises(RunError, match="no ordinary file"):
        Journal(tmp_path / "p.csv", TASK, resume=True)


def test_what_was_noted_is_known_to_the_bit(tmp_path: Path) -> None:
    values = (0.1, np.nan, -1e-300, np.nextafter(1, 2))
    out = started(tmp_path, batch(0, *values, reasons={1: "broken — ü"}), batch(4, 2.0))
    journal = Journal(out, TASK, resume=True)
    first, second = journal.done
    assert first.logits.shape == (2, 4)
    assert np.array_equal(first.logits[0], values, equal_nan=True)
    assert first.reasons == {1: "broken — ü"}
    assert (second.start, second.logits[0].tolist()) == (4, [2.0])
    assert journal.progress() == "5 images"
    assert journal.when < datetime.now(UTC)
    later = Journal(tmp_path / "q.csv", TASK, resume=False)
    assert later.when > journal.when
    later.close()
    (line, *_) = journal_of(out).read_text().splitlines()
    assert json.loads(line)["when"] == journal.when.isoformat()
    journal.finish()
    assert not journal_of(out).exists()


@pytest.mark.parametrize("cut", range(0, 200, 7))
def test_a_line_that_was_cut_off_is_computed_again(tmp_path: Path, cut: int) -> None:
    batches = batch(0, 1.0, 2.0, 3.0, 4.0), batch(4, 5.0)
    out = started(tmp_path, *batches)
    path = journal_of(out)
    whole = path.read_bytes()
    path.write_bytes(whole[: min(cut, len(whole))])
    journal = Journal(out, TASK, resume=True)
    known = [each.start for each in journal.done]
    assert known == [0, 4][: len(known)]
    for each in batches[len(known) :]:
        journal.add(each)
    journal.close()
    # Where the first line was cut off, the prediction begins anew, later.
    told = [re.sub(rb'"when": "[^"]*"', b"", each) for each in (path.read_bytes(), whole)]
    assert told[0] == told[1]


def starts(out: Path) -> list[int]:
    journal = Journal(out, TASK, resume=True)
    journal.close()
    return [each.start for each in journal.done]


def test_a_folder_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    out = started(tmp_path / "new" / "place", batch(0, 1.0, 2.0, 3.0, 4.0))
    assert starts(out) == [0]


@pytest.mark.parametrize("room", [0, 100, 240])
def test_a_full_disk_is_told_by_the_name_of_the_file_and_can_be_gone_on_with(
    tmp_path: Path, room: int
) -> None:
    values = np.linspace(0, 1, 4).tolist()
    told = in_little_room(tmp_path / "p.csv", values, room)
    assert told.startswith(f"Cannot write {journal_of(tmp_path / 'p.csv')}: File too large")
    there = journal_of(tmp_path / "p.csv")
    assert there.exists() == (room > 100)  # the first line alone takes 95 bytes
    journal = Journal(tmp_path / "p.csv", TASK, resume=True)
    for each in (batch(0, *values), batch(4, 2.0))[len(journal.done) :]:
        journal.add(each)
    journal.close()
    assert starts(tmp_path / "p.csv") == [0, 4]


def in_little_room(out: Path, values: list[float], room: int) -> str:
    """What a process that may write files of `room` bytes says of a prediction to `out`."""
    import resource

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    code = f"""
import numpy as np
from pathlib import Path
from lentigo.errors import RunError
from lentigo.imaging.decoding import packed
from lentigo.inference.journal import Done, Journal, Task
journal = None
try:
    journal = Journal(Path({str(out)!r}), Task("task", 5, 4, rows=2), resume=False)
    for start, values in ((0, {values}), (4, [2.0])):
        journal.add(Done(start, np.array([values, values]), {{}}))
except RunError as error:
    print(error)
finally:
    if journal is not None:
        journal.close()
"""
    ended = subprocess.run(
        command(code), capture_output=True, text=True, check=True, preexec_fn=limited
    )
    return ended.stdout


def test_another_prediction_is_not_gone_on_with(tmp_path: Path) -> None:
    out = started(tmp_path, batch(0, 1.0, 2.0, 3.0, 4.0))
    with pytest.raises(RunError, match="of another prediction"):
        Journal(out, Task("other", 5, 4), resume=True)
    with pytest.raises(RunError, match="--resume"):
        Journal(out, TASK, resume=False)


def test_two_processes_do_not_write_one_journal(tmp_path: Path) -> None:
    out = tmp_path / "p.csv"
    first = Journal(out, TASK, resume=False)
    with pytest.raises(RunError, match="Another process"):
        Journal(out, TASK, resume=True)
    first.close()
    Journal(out, TASK, resume=True).finish()


def test_a_journal_needs_a_place_to_write(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="Cannot write"):
        Journal(tmp_path / "file" / "p.csv", TASK, resume=False)


def test_a_task_is_another_with_other_files_names_or_options(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"1")
    source = Source("a", tmp_path / "a.png")
    first = task_of([source], ["model"], batch_size=4)
    assert task_of([source], ["model"], batch_size=4) == first
    others = [
        task_of([source], ["another"], batch_size=4),
        task_of([source, source], ["model"], batch_size=4),
        task_of([Source("b", source.path)], ["model"], batch_size=4),
        task_of([source], ["model"], batch_size=8),
        task_of(
            [Source("a", image=np.zeros((2, 2, 3), np.uint8))], ["model"], batch_size=4
        ),
    ]
    (tmp_path / "a.png").write_bytes(b"12")
    others.append(task_of([source], ["model"], batch_size=4))
    assert len({first, *others}) == 7


@given(content=st.binary(max_size=300))
def test_a_file_of_anything_is_no_reason_to_crash(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    out = tmp_path_factory.mktemp("j") / "p.csv"
    journal_of(out).write_bytes(content)
    with suppress(RunError):  # as that of another prediction
        Journal(out, TASK, resume=True).close()


def test_a_batch_that_is_not_the_next_one_is_computed_again(tmp_path: Path) -> None:
    whole = batch(0, 1.0, 2.0, 3.0, 4.0)
    for wrong in (batch(0, 1.0, 2.0, 3.0, 4.0), batch(8, 1.0), batch(4, 1.0, 2.0)):
        out = started(tmp_path, whole, wrong)
        journal = Journal(out, TASK, resume=True)
        assert [each.start for each in journal.done] == [0]
        journal.finish()


def test_a_journal_without_a_batch_does_not_stay(tmp_path: Path) -> None:
    out = started(tmp_path)
    assert not journal_of(out).exists()


def test_another_file_in_the_same_zip_is_another_prediction(tmp_path: Path) -> None:
    path = tmp_path / "images.zip"
    digests = []
    for content in (b"one", b"two", b"two"):
        with zipfile.ZipFile(path, "w") as file:
            file.writestr(zipfile.ZipInfo("a.png"), content)
            file.writestr(zipfile.ZipInfo("b.png"), b"the same")
        packed.close(path)
        for name in ("a.png", "b.png"):
            digests.append(task_of([Source(name, path / name)], [], batch_size=1).digest)
    a, b = digests[::2], digests[1::2]
    assert a[0] != a[1] == a[2]
    assert b[0] == b[1] == b[2]


def test_another_lesion_is_another_prediction_without_a_patient_too() -> None:
    digests = {
        task_of([Source("a", lesion_id=lesion)], [], batch_size=1).digest
        for lesion in (None, "1", "2")
    }
    assert len(digests) == 3


def test_no_zip_stays_open_in_the_process_that_identifies_its_images(
    tmp_path: Path,
) -> None:
    path = tmp_path / "images.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name in "abc":
            file.writestr(f"{name}.png", b"no picture")
    sources = find_sources([path])
    packed.mark(sources[0].path or "")  # opens it
    assert [key for key in packed._OPENED if key[1] == str(path)]
    first = task_of(sources, [], batch_size=4)
    assert not packed._OPENED
    assert task_of(sources, [], batch_size=4) == first
