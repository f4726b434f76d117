"""Structured reports of DICOM images, read back by pydicom alone."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.config import disable_value_validation
from pydicom.uid import generate_uid
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.files import digest
from lentigo.inference.dicom_header import COPIED, _zone
from lentigo.inference.dicom_sr import Reported, parameters
from lentigo.inference.dicom_sr_read import is_made_with
from lentigo.models.operating_point import OperatingPoint
from tests.cohorts import tiny_config
from tests.dicoms import dicom
from tests.inference.test_predict import noise, save

pytest.importorskip("highdicom", reason="the extra sr is not installed")

CONFIG = tiny_config(training__image_size=32, imaging__size=48)
STUDY, SERIES = generate_uid(), generate_uid()


def write(path: Path, seed: int, **tags: Any) -> Dataset:
    """A DICOM file of a known study, with more of the patient than a report needs."""
    known = {
        "StudyInstanceUID": STUDY, "SeriesInstanceUID": SERIES, "StudyDate": "20200102",
        "PatientAddress": "Secret Street 1", "PatientComments": "Secret comment",
        "InstitutionName": "Secret Clinic", "ReferringPhysicianName": "Secret^Doctor",
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    with disable_value_validation():
        path.write_bytes(dicom(noise(40, seed), "RGB", **{**known, **tags}))
    return dcmread(path)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with a threshold; three DICOM images of two studies, and two others."""
    folder = tmp_path_factory.mktemp("sr")
    save(folder / "model", config=CONFIG)
    path = folder / "model" / "model.json"
    content = json.loads(path.read_text())
    point = OperatingPoint(name="sensitivity_95", kind="guaranteed_sensitivity",
                           threshold=0.25, sensitivity=0.95, confidence=0.95)  # fmt: skip
    content["operating_points"] = [point.model_dump(mode="json")]
    path.write_text(json.dumps(content))
    images = folder / "images"
    write(images / "one.dcm", 1)
    write(images / "two.dcm", 2, PatientName="Müller^Jörg", PatientBirthDate="unknown",
          SpecificCharacterSet="ISO_IR 192")  # fmt: skip
    write(images / "other study.dcm", 3, StudyInstanceUID=generate_uid(),
          IssuerOfPatientID="HOSP", TimezoneOffsetFromUTC="-0930")  # fmt: skip
    write(images / "nowhere.dcm", 4, StudyInstanceUID="")
    Image.fromarray(noise(40, 5)).save(images / "photo.png")
    (images / "broken.dcm").write_bytes((images / "one.dcm").read_bytes()[:400])
    return folder


def predict(place: Path, out: Path, *options: object) -> Any:
    given = [place / "model", place / "images", "--out", out, *options]
    return CliRunner().invoke(app, ["predict", *map(str, given)])


@pytest.fixture(scope="module")
def reported(place: Path) -> tuple[Path, pd.DataFrame, str]:
    out = place / "p.csv"
    done = predict(place, out, "--dicom-sr", place / "sr", "--views", 1)
    assert done.exit_code == 0, done.output
    return place / "sr", pd.read_csv(out).set_index("image_id"), done.output


def items(report: Dataset) -> Iterator[tuple[str, Any]]:
    """Every item of the tree of a report: the meaning of its name, and its value."""
    for item in report.get("ContentSequence", []):
        name = item.ConceptNameCodeSequence[0].CodeMeaning
        kind = item.ValueType
        if kind == "NUM":
            yield name, item.MeasuredValueSequence[0].NumericValue
        elif kind == "CODE":
            yield name, item.ConceptCodeSequence[0].CodeMeaning
        elif kind == "IMAGE":
            yield name, item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        elif kind == "TEXT":
            yield name, item.TextValue
        yield from items(item)


def texts(report: Dataset) -> list[str]:
    return [str(element.value) for element in report.iterall() if element.VR != "SQ"]


def test_a_report_says_what_the_table_does_and_of_which_image(
    place: Path, reported: tuple[Path, pd.DataFrame, str]
) -> None:
    folder, table, _ = reported
    image, report = dcmread(place / "images/one.dcm"), dcmread(folder / "one.sr.dcm")
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    assert (report.StudyInstanceUID, report.PatientID) == (STUDY, "SECRET-ID")
    assert (report.VerificationFlag, report.PreliminaryFlag) == (
        "UNVERIFIED",
        "PRELIMINARY",
    )
    told = dict(items(report))
    row = table.loc["one"]
    assert float(told["Probability of melanoma"]) == pytest.approx(row["probability"])
    assert told["Call at the operating point"] == f"Called {row['call']}"
    assert told["Source of Measurement"] == image.SOPInstanceUID
    assert told["Finding"] == "Skin lesion"
    assert told["Algorithm Name"] == "test_resnet"
    assert "Research software, not a medical device" in report.SeriesDescription
    names = [value for name, value in items(report) if name == "Algorithm Parameters"]
    assert names == [
        f"model_sha256={digest(place / 'model' / 'model.json')}",
        "operating_point=sensitivity_95", "threshold=0.25",
        "chosen=to find 95 % of melanomas, guaranteed with 95 % confidence",
        "meant_for_share_of_melanoma=0.1", "share_of_melanoma=0.1",
        "engine=torch", "views=1", "abstains=no",
    ]  # fmt: skip
    comments = [value for name, value in items(report) if name == "Comment"]
    assert comments[0].startswith("Research software")
    assert comments[1:] == [row["reason"]]  # it is noise, no dermoscopy
    evidence = report.CurrentRequestedProcedureEvidenceSequence[0]
    assert evidence.ReferencedSeriesSequence[0].SeriesInstanceUID == SERIES


def test_a_report_is_known_again_by_its_model_and_settings(
    reported: tuple[Path, pd.DataFrame, str], tmp_path: Path
) -> None:
    report = reported[0] / "one.sr.dcm"
    names = [v for n, v in items(dcmread(report)) if n == "Algorithm Parameters"]
    assert is_made_with(report, names[::-1])
    assert not is_made_with(report, [*names[1:], "model_sha256=0"])
    assert not is_made_with(report, names[1:])
    (tmp_path / "cut").write_bytes(report.read_bytes()[:900])
    (tmp_path / "other").write_bytes(b"no DICOM")
    for name in ("cut", "other", "gone"):
        assert not is_made_with(tmp_path / name, names)


def test_of_the_patient_nothing_is_copied_but_what_files_the_report(
    reported: tuple[Path, pd.DataFrame, str],
) -> None:
    report = dcmread(reported[0] / "one.sr.dcm")
    secrets = [text for text in texts(report) if "secret" in text.lower()]
    assert sorted(secrets) == ["SECRET-ID", "Secret^Doctor", "Secret^Name"]
    assert {"PatientName", "PatientID", "ReferringPhysicianName"} < set(COPIED)
    with disable_value_validation():
        odd = dcmread(reported[0] / "two.sr.dcm")
        assert (str(odd.PatientName), odd.PatientBirthDate) == ("Müller^Jörg", "unknown")


def test_the_patient_has_his_issuer_and_the_report_the_time_zone_of_its_study(
    reported: tuple[Path, pd.DataFrame, str],
) -> None:
    report = dcmread(reported[0] / "other_study.sr.dcm")
    assert (report.IssuerOfPatientID, report.TimezoneOffsetFromUTC) == ("HOSP", "-0930")
    there = datetime.now(timezone(-timedelta(hours=9, minutes=30))).replace(tzinfo=None)
    said = datetime.strptime(report.ContentDate + report.ContentTime[:6], "%Y%m%d%H%M%S")
    assert abs(there - said) < timedelta(minutes=30)
    plain = dcmread(reported[0] / "one.sr.dcm")
    assert "TimezoneOffsetFromUTC" not in plain  # that of the study is not known
    assert "IssuerOfPatientID" not in plain


@pytest.mark.parametrize(
    ("offset", "minutes"),
    [("+0200", 120), ("-0930", -570), ("+1400", 840), ("+9900", None), ("0200", None)],
)
def test_an_offset_that_is_none_names_no_zone(offset: str, minutes: int | None) -> None:
    zone = _zone(offset)
    found = zone.utcoffset(None) if zone else None
    assert found == (None if minutes is None else timedelta(minutes=minutes))


def test_a_study_has_one_series_of_reports(
    reported: tuple[Path, pd.DataFrame, str],
) -> None:
    folder = reported[0]
    found = {path.name: dcmread(path) for path in sorted(folder.iterdir())}
    assert [*found] == ["one.sr.dcm", "other_study.sr.dcm", "two.sr.dcm"]
    one, other, two = found.values()
    assert one.SeriesInstanceUID == two.SeriesInstanceUID != other.SeriesInstanceUID
    assert [each.InstanceNumber for each in (one, two, other)] == [1, 2, 1]
    assert len({each.SOPInstanceUID for each in found.values()}) == 3


def test_an_image_without_a_report_is_named_with_the_reason(
    reported: tuple[Path, pd.DataFrame, str],
) -> None:
    said = " ".join(reported[2].split())
    assert "3 structured reports: " in said
    assert "No report for broken: it has no probability." in said
    assert "No report for nowhere: its header has no StudyInstanceUID" in said
    assert "No report for photo: it is no DICOM file, so there is no instance" in said


def test_reports_are_asked_for_where_some_image_is_dicom(
    place: Path, tmp_path: Path
) -> None:
    given = [place / "model", place / "images" / "photo.png", "--out", tmp_path / "p.csv",
             "--dicom-sr", tmp_path / "sr"]  # fmt: skip
    done = CliRunner().invoke(app, ["predict", *map(str, given)])
    assert done.exit_code == 1
    assert "No image is a DICOM file (photo), so there is no instance" in done.output
    assert not list(tmp_path.iterdir())


def test_reports_are_whole_or_not_there_and_no_earlier_ones_are_written_over(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, folder = tmp_path / "p.csv", tmp_path / "sr"
    with monkeypatch.context() as patch:
        patch.setattr("lentigo.cli.options.write_parts_out", lambda *_, **__: _stop())
        stopped = predict(place, out, "--dicom-sr", folder)
    assert stopped.exit_code == 130
    assert not out.exists()
    assert not list(folder.glob("*.dcm"))
    assert predict(place, out, "--dicom-sr", folder, "--resume").exit_code == 0
    assert len(list(folder.iterdir())) == 3
    other = predict(place, tmp_path / "q.csv", "--dicom-sr", folder)
    assert "is not empty. Give --dicom-sr a folder" in " ".join(other.output.split())
    (folder / ".unfinished").touch()  # as after a kill at the very last step
    same = predict(place, out, "--dicom-sr", folder, "--resume")
    assert (same.exit_code, "is there" in same.output) == (0, True)
    assert not (folder / ".unfinished").exists()
    assert len(list(folder.glob("*.dcm"))) == 3
    also = predict(place, out, "--dicom-sr", tmp_path / "further", "--resume")
    assert "another folder of reports" in also.output
    unlike = predict(place, place / "p.csv", "--by", "lesion", "--resume", "--views", 1)
    assert unlike.exit_code == 1


def test_on_a_full_disk_no_prediction_ends_without_its_reports(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It ended well, and named each image as one of which there can be no report.
    def full(self: Any, *_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    out, folder = tmp_path / "p.csv", tmp_path / "sr"
    with monkeypatch.context() as patch:
        patch.setattr(Dataset, "save_as", full)
        stopped = predict(place, out, "--dicom-sr", folder)
    assert (stopped.exit_code, out.exists()) == (1, False)
    assert "No space left on device" in " ".join(stopped.output.split())
    assert predict(place, out, "--dicom-sr", folder, "--resume").exit_code == 0
    assert len(list(folder.glob("*.dcm"))) == 3


def _stop() -> None:
    raise KeyboardInterrupt


def test_values_are_json_too(place: Path, tmp_path: Path) -> None:
    sr = tmp_path / "sr"
    done = predict(place, tmp_path / "p.csv", "--dicom-sr", sr, "--json")
    told = json.loads(done.stdout)["dicom_sr"]
    assert (told["out"], told["files"]) == (str(sr), 3)
    names = {each["image_id"] for each in told["without"]}
    assert names == {"broken", "nowhere", "photo"}


def test_of_many_frames_the_first_is_referred_to(place: Path, tmp_path: Path) -> None:
    values = np.stack([noise(40, 1), noise(40, 2)])
    path = tmp_path / "in" / "two.dcm"
    path.parent.mkdir()
    made = dicom(values.reshape(80, 40, 3), "RGB", StudyInstanceUID=STUDY,
                 SeriesInstanceUID=SERIES, NumberOfFrames=2, Rows=40)  # fmt: skip
    path.write_bytes(made)
    given = [place / "model", path, "--out", tmp_path / "p.csv", "--dicom-sr",
             tmp_path / "sr"]  # fmt: skip
    done = CliRunner().invoke(app, ["predict", *map(str, given)])
    assert done.exit_code == 0, done.output
    report = dcmread(tmp_path / "sr" / "two.sr.dcm")
    frames = [e.value for e in report.iterall() if e.keyword == "ReferencedFrameNumber"]
    assert frames == [1]


def test_a_report_says_whether_age_sex_and_site_were_used() -> None:
    row = {"operating_point": "", "meant_for": 0.1, "prevalence": 0.1}
    by = Reported(name="net", digest="0")
    for own, told in (({"metadata": "age, sex"}, ["patient_data_used=age, sex"]), ({}, [])):
        found = parameters(row | own, by)
        assert [each for each in found if each.startswith("patient_data_used")] == told
