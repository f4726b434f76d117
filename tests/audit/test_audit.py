"""`audit`: what is found in a set that was spoilt on purpose, and in one that was not."""

from __future__ import annotations

import json
import re
import shutil
from html import unescape
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from lentigo.audit.checks.registry import CHECKS, REFUSALS
from lentigo.audit.result import Audit
from lentigo.cli.app import app
from lentigo.config import AuditConfig
from lentigo.datasets import read_table
from lentigo.errors import ConfigError, RunError, UnknownNameError
from lentigo.reports.audit.write import audit
from lentigo.tables import check_table, read_table_file, write_table

PACKAGE = Path(__file__).resolve().parents[2] / "lentigo"


def lesion(seed: int, side: int = 96) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A blob of smooth noise on skin, unlike that of every other seed."""
    rng = np.random.default_rng(seed)
    fine = cv2.GaussianBlur(rng.normal(size=(side, side, 3)), (0, 0), 2.4)
    coarse = cv2.GaussianBlur(rng.normal(size=(side, side, 1)), (0, 0), 10)[..., None]
    skin = np.array((205, 160, 140)) + 180 * fine + 500 * coarse
    return np.asarray(np.clip(skin, 0, 255).astype(np.uint8))


def spoilt(folder: Path) -> pd.DataFrame:
    """Forty images of twenty patients, and what should not be: see the comments."""
    folder.mkdir()
    rows: list[dict[str, object]] = []
    for number in range(40):
        pixels = lesion(number)
        if number == 31:  # a test image is a training image turned and recompressed
            pixels = np.ascontiguousarray(np.rot90(lesion(2)))
        if number == 13:  # a second file of a training image, labelled otherwise
            pixels = lesion(12)
        path = folder / f"i{number:02}.png"
        Image.fromarray(pixels).save(path)
        rows.append(
            {
                "image_id": path.stem,
                "path": str(path),
                "dataset": "spoilt",
                # Patient 5 is in both parts.
                "patient_id": "P05" if number == 35 else f"P{number // 2:02}",
                "sex": "female" if number % 4 < 2 else "male",
                "age": 40.0 + number,
                "site": "torso",
                "diagnosis": "melanoma" if number % 4 == 0 else "nevus",
                "melanoma": number % 4 == 0,
                "malignant": number % 4 == 0,
                "part": "train" if number < 30 else "test",
            }
        )
    (folder / "i39.png").write_bytes(b"no picture at all")
    rows[38]["path"] = None
    return check_table(pd.DataFrame(rows), source="test")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return spoilt(tmp_path_factory.mktemp("spoilt") / "images")


@pytest.fixture(scope="module")
def found(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Audit:
    folder = tmp_path_factory.mktemp("audit")
    return audit(table, folder / "out", config=AuditConfig(size=64, workers=1))


def rows_of(found: Audit, check: str) -> pd.DataFrame:
    return next(each.rows for each in found.findings if each.check == check)


def test_pictures_that_come_twice_are_found_and_grouped(found: Audit) -> None:
    pairs = found.duplicates.set_index(["a", "b"])
    assert list(pairs.index) == [("i02", "i31"), ("i12", "i13")]
    assert pairs.loc[("i02", "i31"), "kind"] == "near-duplicate"
    assert pairs.loc[("i02", "i31"), "where"] == "across the split"
    assert pairs.loc[("i12", "i13"), "kind"] == "identical file"
    assert pairs.loc[("i12", "i13"), "where"] == "within a set"
    group = found.table.set_index("image_id")["group_id"]
    assert group["i02"] == group["i31"]
    assert group["i10"] == group["i35"]


def test_what_crosses_the_split_is_refused_by_name(found: Audit) -> None:
    refused = {each.check for each in found.refusals}
    assert refused == {
        "patient-across-split", "duplicate-across-split", "picture-labels",
    }  # fmt: skip
    crossing = rows_of(found, "duplicate-across-split")
    assert crossing[["a", "b"]].to_numpy().tolist() == [["i02", "i31"]]
    assert rows_of(found, "patient-across-split")["why"].tolist() == ["same patient P05"]
    assert rows_of(found, "picture-labels")[["a", "b"]].to_numpy().tolist() == [
        ["i12", "i13"]
    ]


def test_one_picture_in_both_parts_is_refused_whatever_else_ties_it(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    table = table.assign(path=None, part=None)
    allow = AuditConfig(allow=("patient-across-split",))
    found = audit(table[:30], tmp_path / "out", test=table[25:], config=allow)
    assert [each.check for each in found.refusals] == ["duplicate-across-split"]
    assert len(rows_of(found, "duplicate-across-split")) == 5


def test_files_that_fail_and_rows_without_one_are_named(found: Audit) -> None:
    broken = rows_of(found, "unreadable-image")
    assert broken["image_id"].tolist() == ["i39"]
    assert "holds no" in broken["reason"].iloc[0]
    assert rows_of(found, "missing-image")["image_id"].tolist() == ["i38"]


def test_all_that_was_found_lies_in_the_folder(found: Audit) -> None:
    said = json.loads((found.folder / "audit.json").read_text())
    assert said["passed"] is False
    assert said["duplicates"][0]["a"] == "i02"
    assert {each["check"] for each in said["refusals"]} == {
        each.check for each in found.refusals
    }
    # What is measured of each image is a file of its own, not a part of the JSON.
    assert {"measures"} == set(found.tables) - set(said)
    table = read_table_file(found.folder / "table.parquet")
    assert table["group_id"].notna().all()
    assert table["sha256"].notna().sum() == 39
    measures = pd.read_csv(found.folder / "measures.csv")
    assert measures["image_id"].tolist() == found.table["image_id"].tolist()
    lists = {path.name: pd.read_csv(path) for path in (found.folder / "findings").iterdir()}
    assert {name: len(rows) for name, rows in lists.items()} == {
        name: len(finding.rows) for name, finding in found.lists().items()
    }
    assert any(name.endswith("-picture-labels.csv") for name in lists)


def test_the_page_loads_nothing_and_shows_the_pairs(found: Audit) -> None:
    page = (found.folder / "index.html").read_text()
    assert "http:" not in page.replace("http://www.w3.org", "")
    assert "https:" not in page
    assert page.count("data:image/jpeg;base64,") >= 4
    assert "Research software, not a medical device" in page
    for heading in ("Findings", "Duplicates", "What tells the label", "Artefacts",
                    "Quality", "Who is in it", "What was not checked"):  # fmt: skip
        assert heading in page


def test_the_numbers_on_the_page_are_those_of_the_json(found: Audit) -> None:
    said = json.loads((found.folder / "audit.json").read_text())
    page = unescape((found.folder / "index.html").read_text())
    names = re.findall(r'<p class="tag"><b>(.*?)</b> · (.*?)</p>', page)
    listed = [
        (word, each["check"])
        for word, gravity in (
            ("Refused", "refusals"), ("Warning", "warnings"), ("Note", "notes"),
        )
        for each in said[gravity]
    ]  # fmt: skip
    assert names == listed
    for gravity in ("refusals", "warnings", "notes"):
        for each in said[gravity]:
            assert f"<p>{each['message']}</p>" in page
    facts = {
        name: value.replace(",", "")
        for name, value in re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page)
    }
    counts = {**said["counts"], "groups": said["groups"]}
    assert facts == {
        name: "unknown" if name in {"patients", "lesions"} and not count else str(count)
        for name, count in counts.items()
    }
    assert f"<h1>Audit of {said['counts']['images']} images</h1>" in page
    assert f"{len(said['duplicates'])} pairs of rows show the same picture" in page
    for reason in said["not_checked"]:
        assert f"<li>{reason}</li>" in page


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("a,1\n", "1 image in 1 group"),
        ("a,0\nb,0\nc,0\n", "3 images in 3 groups"),
        ("a,\nb,\n", "2 images in 2 groups"),
    ],
)
def test_a_table_in_which_nothing_can_be_told_is_audited_all_the_same(
    tmp_path: Path, rows: str, expected: str
) -> None:
    (tmp_path / "t.csv").write_text("image_id,target\n" + rows)
    found = audit(tmp_path / "t.csv", tmp_path / "out")
    assert found.headline().startswith(expected)
    assert found.refusals == []
    (leak,) = [each for each in found.findings if each.check == "target-leak"]
    assert leak.message == (
        "There are not both images with melanoma and images without, so what tells them "
        "apart was not looked for."
    )
    said = json.loads((tmp_path / "out" / "audit.json").read_text())
    assert said["passed"] is True


def test_a_refusal_may_be_allowed_by_name_but_stays_on_the_list(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    names = ("patient-across-split", "duplicate-across-split", "picture-labels")
    config = AuditConfig(size=64, workers=1, allow=names)
    found = audit(table, tmp_path / "out", config=config)
    assert found.refusals == []
    assert {each.check for each in found.of_gravity("allowed")} == set(names)
    with pytest.raises(UnknownNameError, match="Did you mean picture-labels"):
        audit(table, tmp_path / "x", config=AuditConfig(allow=("picture-lables",)))
    with pytest.raises(ConfigError, match="never refuses"):
        audit(table, tmp_path / "x", config=AuditConfig(allow=("blurred",)))


def test_a_table_without_files_is_audited_for_what_it_says(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    found = audit(table.assign(path=None), tmp_path / "out")
    assert {each.check for each in found.refusals} == {"patient-across-split"}
    assert any(reason.startswith("Pixels:") for reason in found.not_checked)
    assert not (tmp_path / "out" / "pixels").exists()


def test_a_group_of_the_table_itself_on_two_sides_is_refused(tmp_path: Path) -> None:
    names = [f"i{number}" for number in range(4)]
    rows = {"image_id": names, "group_id": ["g0", "g0", "g1", "g1"]}
    part = {"part": ["train", "test", "train", "train"]}
    found = audit(check_table(pd.DataFrame(rows | part), source="test"), tmp_path / "out")
    assert [each.check for each in found.refusals] == ["group-across-split"]
    assert found.table["group_id"].nunique() == 2


def test_names_with_markup_in_them_are_escaped(table: pd.DataFrame, tmp_path: Path) -> None:
    table = table.assign(path=None)
    table["diagnosis"] = table["diagnosis"].replace("nevus", "<script>alert(1)</script>")
    audit(table.assign(image_id="<b>" + table["image_id"]), tmp_path / "out")
    page = (tmp_path / "out" / "index.html").read_text()
    assert "<script>" not in page
    assert "<b>i0" not in page


def test_a_folder_with_an_audit_in_it_is_not_overwritten(found: Audit) -> None:
    with pytest.raises(RunError, match="not empty"):
        audit(found.table, found.folder)


def test_a_broken_off_audit_goes_on_with_its_pixels(
    table: pd.DataFrame, found: Audit, tmp_path: Path
) -> None:
    pixels = tmp_path / "out" / "pixels"
    shutil.copytree(found.folder / "pixels", pixels)
    times = {path.name: path.stat().st_mtime_ns for path in pixels.iterdir()}
    audit(table, tmp_path / "out", config=AuditConfig(size=64, workers=1))
    after = {path.name: path.stat().st_mtime_ns for path in pixels.iterdir()}
    assert {name: after[name] for name in times if name != ".lock"} == {
        name: when for name, when in times.items() if name != ".lock"
    }


def test_every_name_of_a_finding_is_in_the_list_of_checks(found: Audit) -> None:
    named = set(re.findall(r'check="([a-z-]+)"', _source()))
    assert named, "no check is named in the code any more"
    assert named <= set(CHECKS)
    assert {each.check for each in found.findings} <= set(CHECKS)
    assert {each.check for each in found.refusals} <= REFUSALS
    assert set(CHECKS) >= REFUSALS


def _source() -> str:
    files = [*(PACKAGE / "audit").glob("*.py"), *(PACKAGE / "curation").rglob("*.py")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def test_the_command_exits_1_on_a_refusal_and_0_when_it_is_allowed(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    write_table(table.assign(path=None), tmp_path / "table.csv")
    call = ["audit", str(tmp_path / "table.csv"), "--out"]
    refused = CliRunner().invoke(app, [*call, str(tmp_path / "a"), "--json"])
    assert refused.exit_code == 1, refused.output
    said = json.loads(refused.stdout)
    assert [each["check"] for each in said["refusals"]] == ["patient-across-split"]
    passed = CliRunner().invoke(
        app, [*call, str(tmp_path / "b"), "--allow", "patient-across-split"]
    )
    assert passed.exit_code == 0, passed.output
    assert "0 refusals" in passed.stdout


KNOWN = {
    ("ISIC_0012127", "ISIC_0012970"),  # validation and training, byte for byte the same
    ("ISIC_0012290", "ISIC_0013594"),
    ("ISIC_0012672", "ISIC_0012673"),
    ("ISIC_0012756", "ISIC_0013184"),
}


def audit_of_isic2017(shared: Path, out: Path, *, every: int) -> Audit:
    """The audit of some images of ISIC 2017, with the known pairs among them."""
    table = read_table("isic2017", shared / "data" / "isic2017")
    kept = table["image_id"].isin({name for pair in KNOWN for name in pair})
    kept.iloc[::every] = True
    return audit(table[kept].reset_index(drop=True), out)


@pytest.mark.parametrize("every", [24, pytest.param(1, marks=pytest.mark.slow)])
def test_the_known_pairs_of_isic_2017_are_found(
    shared: Path, tmp_path: Path, every: int
) -> None:
    isic2017 = audit_of_isic2017(shared, tmp_path / "out", every=every)
    pairs = isic2017.duplicates
    assert set(zip(pairs["a"], pairs["b"], strict=True)) >= KNOWN
    crossing = rows_of(isic2017, "duplicate-across-split")
    ends = {frozenset(pair) for pair in crossing[["a", "b"]].to_numpy().tolist()}
    assert frozenset(("ISIC_0012127", "ISIC_0012970")) in ends
    assert [each.check for each in isic2017.refusals] == ["duplicate-across-split"]
    if every == 1:
        assert_stickers_are_tied_to_nevi(isic2017)


def assert_stickers_are_tied_to_nevi(found: Audit) -> None:
    ties = found.tables["artefact_ties"]
    stickers = ties[ties["artefact"] == "sticker"]
    nevi = stickers[stickers["class"] == "nevus"].iloc[0]
    assert nevi["with_in_class"] >= 40
    assert nevi["odds_low"] > 3
    melanoma = stickers[stickers["label"] == "melanoma"].iloc[0]
    assert melanoma["odds_high"] < 1
    assert melanoma["p_holm"] < 0.01


def test_images_that_are_nowhere_are_warned_of_with_what_to_say(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("image_id,target\na,0\nb,1\n")
    found = audit(tmp_path / "t.csv", tmp_path / "out")
    (gone,) = [each for each in found.findings if each.check == "missing-image"]
    assert gone.severity == "warning"
    assert "2 images of 2 without a file" in gone.message
    assert "--images FOLDER" in gone.message
    assert found.refusals == []
