"""Each file that comes into a folder is answered for once, whatever becomes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from lentigo.errors import DatasetError, RunError
from lentigo.imaging.search import files_below
from lentigo.inference.decide import Decision
from lentigo.inference.dicom_sr import Written
from lentigo.inference.inputs import Source
from lentigo.inference.watch import Watch
from lentigo.json_files import read_json, write_json
from lentigo.models.operating_point import OperatingPoint


class Counting:
    """A model that tells which files it looked at."""

    def __init__(self, folder: Path) -> None:
        self.folders, self.looked = [folder], list[str]()
        self.can_abstain = False
        self.meanwhile: Callable[[Path], object] = lambda _: None

    def answers(self, sources: Sequence[Source]) -> Any:
        for source in sources:
            self.looked.append(source.path.name if source.path else "")
            self.meanwhile(source.path or Path())
        rows = [{"image_id": s.image_id, "probability": 0.5, "reason": ""} for s in sources]
        return SimpleNamespace(table=lambda _: pd.DataFrame(rows))


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    for name in ("inbox", "out", "model"):
        (tmp_path / name).mkdir()
    (tmp_path / "model" / "model.json").write_text("{}")
    return tmp_path / "inbox"


def watching(inbox: Path, share: float | None = None) -> tuple[Watch, Counting]:
    model: Any = Counting(inbox.parent / "model")
    decision = Decision(meant_for=0.1, asked_for=share, point=None)
    return Watch(inbox, model, inbox.parent / "out", decision), model


def named(content: bytes) -> str:
    return f"{hashlib.sha256(content).hexdigest()}.json"


def test_a_file_is_answered_for_once_when_it_stays_the_same(inbox: Path) -> None:
    one, model = watching(inbox)
    (inbox / "a.jpg").write_bytes(b"half")
    assert one.scan() == []
    (inbox / "a.jpg").write_bytes(b"whole file")
    assert one.scan() == []
    assert [each.name for each in one.scan()] == [named(b"whole file")]
    (inbox / "again.jpg").write_bytes(b"whole file")
    again, _ = watching(inbox)  # as after a kill
    assert [one.scan(), one.scan(), again.scan(settled=False)] == [[], [], []]
    assert model.looked == ["a.jpg"]
    answer = read_json(inbox.parent / "out" / named(b"whole file"))
    assert answer["abstains"] is False


def test_an_answer_is_never_filed_under_other_bytes(inbox: Path) -> None:
    one, model = watching(inbox)
    (inbox / "a.jpg").write_bytes(b"first")
    model.meanwhile = lambda path: path.write_bytes(b"second one")
    assert one.scan(settled=False) == []
    model.meanwhile = lambda _: None
    assert [each.name for each in one.scan(settled=False)] == [named(b"second one")]


def test_dicom_files_need_no_ending(inbox: Path) -> None:
    one, _ = watching(inbox)
    content = bytes(128) + b"DICM" + b"more"
    (inbox / "1.2.840.113619.7").write_bytes(content)
    (inbox / "notes.txt").write_bytes(b"DICM")
    (out,) = one.scan(settled=False)
    assert out.name == named(content)
    assert read_json(out)["path"].endswith("1.2.840.113619.7")


def test_files_that_are_gone_are_forgotten(inbox: Path) -> None:
    one, _ = watching(inbox)
    for number in range(3):
        (inbox / f"{number}.jpg").write_bytes(bytes([number]))
        one.scan(settled=False)
        (inbox / f"{number}.jpg").unlink()
    one.scan()
    assert not one._seen
    assert not one._known


@pytest.mark.parametrize("kind", ["json", "fhir"])
def test_another_model_answers_anew_and_the_first_answer_stays(
    inbox: Path, kind: str
) -> None:
    (inbox / "a.jpg").write_bytes(b"picture")
    one, _ = watching(inbox)
    one.kind = kind
    (first,) = one.scan(settled=False)
    before = first.read_bytes()
    (inbox.parent / "model" / "model.json").write_text('{"other": 1}')
    other, _ = watching(inbox)
    other.kind = kind
    (second,) = other.scan(settled=False)
    assert second.name.startswith(hashlib.sha256(b"picture").hexdigest())
    assert second != first
    assert first.read_bytes() == before
    again, model = watching(inbox)  # as after a kill
    again.kind = kind
    assert (again.scan(settled=False), model.looked) == ([], [])


@pytest.mark.parametrize("kind", ["json", "fhir"])
def test_another_share_or_operating_point_answers_anew(inbox: Path, kind: str) -> None:
    (inbox / "a.jpg").write_bytes(b"picture")
    point = OperatingPoint(name="youden", kind="youden", threshold=0.3)
    written = []
    for share, chosen in [
        (None, None), (0.1, None), (0.02, None), (0.02, point), (None, None), (0.02, None),
        (0.02, point.model_copy(update={"threshold": 0.4})),
    ]:  # fmt: skip
        one, _ = watching(inbox)
        one.kind = kind
        one.decision = Decision(meant_for=0.1, asked_for=share, point=chosen)
        written.append([each.name for each in one.scan(settled=False)])
    # A share of 0.1 is the model's own.
    assert [len(each) for each in written] == [1, 0, 1, 1, 0, 0, 1]
    assert len({name for each in written for name in each}) == 4


@pytest.mark.parametrize(("share", "again"), [(0.02, False), (0.1, True)])
def test_an_answer_of_an_older_version_is_compared_by_what_it_tells(
    inbox: Path, share: float, again: bool
) -> None:
    (inbox / "a.jpg").write_bytes(b"picture")
    one, _ = watching(inbox, 0.02)
    (path,) = one.scan(settled=False)
    old = read_json(path)
    del old["settings"]
    write_json(path, {**old, "prevalence": 0.02, "operating_point": ""})
    other, _ = watching(inbox, share)
    assert bool(other.scan(settled=False)) == again


@pytest.mark.parametrize("kind", ["json", "fhir"])
def test_a_run_of_several_folds_is_another_model_than_each_of_its_folds(
    inbox: Path, kind: str
) -> None:
    (inbox.parent / "other").mkdir()
    (inbox.parent / "other" / "model.json").write_text('{"other": 1}')
    (inbox / "a.jpg").write_bytes(b"picture")
    folds = [inbox.parent / "model", inbox.parent / "other"]
    written = []
    for folders in (folds[:1], folds, folds[1:], folds):
        one, model = watching(inbox)
        one.kind, model.folders = kind, folders
        written.append([each.name for each in one.scan(settled=False)])
    assert [len(each) for each in written] == [1, 1, 1, 0]
    assert len({*written[0], *written[1], *written[2]}) == 3


def test_while_the_folder_of_answers_is_gone_nothing_is_answered_twice(
    inbox: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (inbox / "a.jpg").write_bytes(b"picture")
    one, model = watching(inbox)
    assert [len(one.scan()), len(one.scan())] == [0, 1]
    one.out.rename(inbox.parent / "away")
    assert [one.scan(), one.scan()] == [[], []]
    one.out.mkdir()  # such as the place of a share that is not mounted
    assert one.scan() == []
    with pytest.raises(DatasetError, match="another folder"):
        one.scan(settled=False)
    assert list(one.out.iterdir()) == []
    one.out.rmdir()
    (inbox.parent / "away").rename(one.out)
    (inbox / "b.jpg").write_bytes(b"another")
    assert [len(one.scan()), len(one.scan())] == [0, 1]
    assert model.looked == ["a.jpg", "b.jpg"]
    assert len(caplog.records) == 1


def test_while_the_folder_of_reports_is_gone_nothing_is_answered(inbox: Path) -> None:
    one, model = watching(inbox)
    one.reports = inbox.parent / "reports"
    one.reports.mkdir()
    vars(one)["_by"] = None  # the model of these tests is in no report
    assert one.scan() == []
    one.reports.rename(inbox.parent / "away")
    (inbox / "a.jpg").write_bytes(b"picture")
    assert [one.scan(), one.scan()] == [[], []]
    one.reports.mkdir()
    assert one.scan() == []
    one.reports.rmdir()
    (inbox.parent / "away").rename(one.reports)
    assert [len(one.scan()), len(one.scan())] == [0, 1]
    assert model.looked == ["a.jpg"]


def test_a_report_that_cannot_be_written_is_tried_again(
    inbox: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # As on a full disk: the answer said so, and the image never had its report.
    one, model = watching(inbox)
    one.reports = inbox.parent / "reports"
    one.reports.mkdir()
    vars(one)["_by"] = "the model"
    full = [True]

    def write(_: Any, sources: Sequence[Source], folder: Path, __: Any) -> Written:
        (image,) = (each.image_id for each in sources)
        if full[0]:
            raise RunError("Cannot write it.")
        (folder / f"{image}.sr.dcm").write_bytes(b"report")
        return Written(folder)

    monkeypatch.setattr("lentigo.inference.watch.write_reports", write)
    content = bytes(128) + b"DICM" + b"more"
    (inbox / "a.dcm").write_bytes(content)
    (inbox / "b.jpg").write_bytes(b"picture")
    assert [one.scan(), one.scan(), one.scan()] == [[], [], []]
    assert [each.getMessage() for each in caplog.records] == [
        "Cannot write it. It is tried again."
    ]
    with pytest.raises(RunError, match="Cannot write it"):
        one.scan(settled=False)
    assert list(one.out.iterdir()) == []
    full[0] = False
    assert {each.name for each in one.scan()} == {named(content), named(b"picture")}
    assert model.looked == ["a.dcm", "b.jpg"]  # each once
    assert read_json(one.out / named(content))["report"].endswith(".sr.dcm")
    assert one.scan() == []


def test_an_answer_from_before_reports_were_asked_for_gets_its_report(
    inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytes(128) + b"DICM" + b"more"
    (inbox / "a.dcm").write_bytes(content)
    (inbox / "b.jpg").write_bytes(b"picture")
    first, _ = watching(inbox)
    assert len(first.scan(settled=False)) == 2
    made = []

    def write(_: Any, sources: Sequence[Source], folder: Path, __: Any) -> Written:
        made.append(sources[0].path)
        return Written(folder)

    monkeypatch.setattr("lentigo.inference.watch.write_reports", write)
    for _ in range(2):  # a system took the report away between the two
        one, model = watching(inbox)
        one.reports = inbox.parent / "reports"
        one.reports.mkdir(exist_ok=True)
        vars(one)["_by"] = "the model"
        one.scan(settled=False)
    assert made == [inbox / "a.dcm"]
    assert model.looked == []


def test_an_answer_never_names_the_report_of_another_model(
    inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two watches with one folder of reports: the second one's answers named the first's.
    (inbox / "a.dcm").write_bytes(bytes(128) + b"DICM" + b"more")

    def write(_: Any, sources: Sequence[Source], folder: Path, by: str) -> Written:
        (folder / f"{sources[0].image_id}.sr.dcm").write_text(by)
        return Written(folder)

    def made_with(report: Path, by: str) -> bool:
        return report.read_text() == by

    monkeypatch.setattr("lentigo.inference.watch.write_reports", write)
    monkeypatch.setattr("lentigo.inference.watch.parameters", lambda _, by: by)
    monkeypatch.setattr("lentigo.inference.watch.is_made_with", made_with)
    for by, share in (("first", None), ("second", 0.02), ("second", 0.02)):
        one, _ = watching(inbox, share)
        one.reports, one.out = inbox.parent / "reports", inbox.parent / f"by {by}"
        one.reports.mkdir(exist_ok=True)
        one.out.mkdir(exist_ok=True)
        vars(one)["_by"] = by
        for answer in one.scan(settled=False):
            assert (one.reports / read_json(answer)["report"]).read_text() == by
            answer.unlink()  # as after a kill between report and answer
    assert len(list((inbox.parent / "reports").iterdir())) == 2


def test_a_folder_that_is_taken_away_during_a_look_ends_nothing(
    inbox: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (inbox / "b").mkdir()
    (inbox / "b" / "a.jpg").write_bytes(b"picture")
    one, _ = watching(inbox)
    assert one.scan() == []
    own = files_below

    def gone(folder: Path) -> list[str]:
        raise DatasetError(f"{folder / 'b'} cannot be read.")

    with monkeypatch.context() as patch:
        patch.setattr("lentigo.inference.watch.files_below", gone)
        assert [one.scan(), one.scan()] == [[], []]
        with pytest.raises(DatasetError, match="cannot be read"):
            one.scan(settled=False)
    assert len(caplog.records) == 1
    assert own(inbox)
    assert [each.name for each in one.scan()] == [named(b"picture")]  # still known
