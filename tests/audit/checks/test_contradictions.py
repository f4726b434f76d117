from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lentigo.audit.checks.contradictions import contradictions, contradictory
from lentigo.audit.checks.finding import Finding
from lentigo.datasets.archives import isic2019
from lentigo.tables import check_table

NAMES = ["a", "b", "c", "d"]


def table(**columns: list[Any]) -> pd.DataFrame:
    return check_table(pd.DataFrame({"image_id": NAMES, **columns}), source="test")


def found(frame: pd.DataFrame, pairs: pd.DataFrame | None = None) -> dict[str, Finding]:
    return {finding.check: finding for finding in contradictions(frame, pairs)}


def test_a_table_without_contradictions_has_no_finding() -> None:
    clean = table(
        lesion_id=["L", "L", "M", None], patient_id=["P", "P", "P", None],
        melanoma=[True, True, False, None], malignant=[True, None, False, None],
        diagnosis=["melanoma", "melanoma in situ", "blue nevus", None],
        sex=["female", None, "female", "male"], age=[50, 55, 60, None],
        site=["torso", "torso", "head/neck", None], skin_type=[2, 2, None, 1],
        sha256=["0" * 64, "0" * 64, None, None],
    )  # fmt: skip
    assert contradictions(clean) == []


@pytest.mark.parametrize(
    ("columns", "check", "severity", "offenders"),
    [
        ({"diagnosis": ["nevus", "melanoma", None, "mole?"],
          "melanoma": [True, True, True, True]}, "diagnosis-melanoma", "refusal", "a"),
        ({"melanoma": [True, True, False, None], "malignant": [False, True, False, False]},
         "melanoma-not-malignant", "refusal", "a"),
        ({"diagnosis": ["basal cell carcinoma", "nevus", None, None],
          "malignant": [False, False, True, None]}, "diagnosis-malignant", "warning", "a"),
        ({"age": [111, 110, 50, None]}, "age-too-high", "warning", "a"),
        ({"age": [0, 5, 0, None]}, "age-zero", "note", "ac"),
        ({"lesion_id": ["L", "L", "M", "M"], "melanoma": [True, False, True, None]},
         "lesion-labels", "warning", "ab"),
        ({"lesion_id": ["L", "L", "M", "M"], "malignant": [True, False, True, None],
          "melanoma": [False, False, False, False]}, "lesion-malignant", "warning", "ab"),
        ({"lesion_id": ["L", "L", "M", "M"],
          "diagnosis": ["nevus", "dermatofibroma", "nevus", "blue nevus"]},
         "lesion-diagnoses", "warning", "ab"),
        ({"lesion_id": ["L", "L", "M", "M"], "site": ["torso", "head/neck", "torso", None]},
         "lesion-sites", "warning", "ab"),
        ({"lesion_id": ["L", "L", "M", "M"], "patient_id": ["P", "Q", "Q", "Q"]},
         "lesion-patients", "warning", "ab"),
        ({"patient_id": ["P", "P", "Q", "Q"], "sex": ["female", "male", "male", None]},
         "patient-sex", "warning", "ab"),
        ({"patient_id": ["P", "P", "Q", "Q"], "skin_type": [1, 3, 2, 2]},
         "patient-skin-type", "warning", "ab"),
        ({"patient_id": ["P", "P", "Q", "Q"], "skin_type": [1, 2, 2, 2]},
         "patient-skin-type", "note", "ab"),
        ({"patient_id": ["P", "P", "Q", "Q"], "age": [40, 55, 40, 50]},
         "patient-age-span", "note", "ab"),
        ({"path": ["x.jpg", "x.jpg", "y.jpg", None]}, "repeated-files", "warning", "ab"),
    ],
)  # fmt: skip
def test_each_contradiction_is_found_alone(
    columns: dict[str, list[Any]], check: str, severity: str, offenders: str
) -> None:
    findings = contradictions(table(**columns))
    assert [(f.check, f.severity) for f in findings] == [(check, severity)]
    assert findings[0].rows["image_id"].tolist() == list(offenders)


def test_what_is_found_is_counted_named_and_answered() -> None:
    frame = table(diagnosis=["nevus"] * 4, melanoma=[True] * 4)
    message = found(frame)["diagnosis-melanoma"].message
    assert message.startswith("4 images whose diagnosis says another thing than melanoma")
    assert "(a, b, c and 1 more)" in message
    assert "Correct the one or the other" in message


@pytest.mark.parametrize(
    ("dates", "ages", "backwards"),
    [
        (["2010-01-01", "2012-06-01", "2011-01-01", "2011-01-01"], [50, 40, 40, 41], "ab"),
        (["2010-01-01", "2012-06-01", None, None], [50, 45, 40, 41], "ab"),
        (["2010-01-01", "2012-06-01", "2011-01-01", "2012-01-01"], [50, 45, 40, 40], ""),
        (["2012-06-01", "2010-01-01", None, None], [50, 40, 40, 30], ""),
        (["2012-06-01", "2012-06-01", None, None], [50, 41, 40, 30], ""),
        (["never", "2010-01-01", None, None], [50, 41, 40, 30], ""),
    ],
)
def test_ages_run_backwards_only_where_a_date_says_so(
    dates: list[str | None], ages: list[float], backwards: str
) -> None:
    # Second row: 41 is no multiple of five, so ages are not rounded and 5 years are wrong.
    # Third: all are, and 50 may become 45 by rounding.
    frame = table(patient_id=["P", "P", "Q", "Q"], age=ages, date=dates)
    finding = found(frame).get("patient-age-backwards")
    assert ("" if finding is None else "".join(finding.rows["image_id"])) == backwards


def test_years_order_images_as_well_as_dates() -> None:
    frame = table(patient_id=["P"] * 4, age=[50, 52, 30, 53], year=[2001, 2003, 2004, 2005])
    assert found(frame)["patient-age-backwards"].rows["image_id"].tolist() == NAMES


@pytest.mark.parametrize(
    ("dates", "ages", "findings"),
    [
        # Read with the month in front, the second date would be the earlier one.
        (["28/11/2018", "02/03/2019"], [50, 51], {}),
        (["11/28/2018", "03/02/2019"], [50, 51], {}),
        (["01/02/2018", "02/01/2019"], [51, 50], {"date-unclear": "ab"}),
        # One year among dates is no number of a visit.
        (["2010-05-01", "2019"], [51, 42], {"patient-age-backwards": "ab"}),
        (["2010-05-01", "2010-05-02"], [20, 29], {"patient-age-jumps": "ab"}),
        ([2010, 2018], [31, 37], {}),
        ([1, 2], [31, 37], {}),
    ],
)
def test_ages_are_held_against_dates_however_they_are_written(
    dates: list[Any], ages: list[float], findings: dict[str, str]
) -> None:
    frame = table(
        patient_id=["P", "P", "Q", "R"], age=[*ages, 33, 34], date=[*dates, None, None]
    )
    told = {name: "".join(each.rows["image_id"]) for name, each in found(frame).items()}
    assert told == findings


def test_one_picture_with_two_labels_is_refused() -> None:
    frame = table(melanoma=[True, False, True, None], sha256=["1" * 64] * 4)
    finding = found(frame)["picture-labels"]
    assert finding.severity == "refusal"
    assert finding.rows[["a", "b"]].to_numpy().tolist() == [["a", "b"]]
    assert "1 pair (a and b)" in finding.message


@pytest.mark.parametrize(
    ("kind", "check", "severity"),
    [
        ("identical pixels", "picture-labels", "refusal"),
        ("near-duplicate", "near-duplicate-labels", "warning"),
    ],
)
def test_given_pairs_are_held_against_the_labels(
    kind: str, check: str, severity: str
) -> None:
    frame = table(melanoma=[True, False, False, False])
    pairs = pd.DataFrame({"a": ["b", "c"], "b": ["a", "d"], "kind": kind})
    findings = contradictions(frame, pairs)
    assert [(f.check, f.severity) for f in findings] == [(check, severity)]
    assert findings[0].rows[["a", "b"]].to_numpy().tolist() == [["a", "b"]]


def test_a_pair_counts_once_by_its_surest_kind() -> None:
    frame = table(
        melanoma=[True, False, None, None], sha256=["1" * 64, "1" * 64, None, None],
        duplicate_of=[None, "a", None, None],
    )  # fmt: skip
    pairs = pd.DataFrame({"a": ["a"], "b": ["b"], "kind": "near-duplicate"})
    assert [f.check for f in contradictions(frame, pairs)] == ["picture-labels"]


def test_published_pairs_and_two_diagnoses_are_warnings() -> None:
    frame = table(
        diagnosis=["nevus", "dermatofibroma", None, None], melanoma=[False] * 4,
        duplicate_of=[None, "a", None, None],
    )  # fmt: skip
    assert [(f.check, f.severity) for f in contradictions(frame)] == [
        ("picture-diagnoses", "warning")
    ]


def test_rows_written_twice() -> None:
    twice = pd.concat([table(), table()[:1]], ignore_index=True)
    finding = found(twice)["repeated-rows"]
    assert (finding.severity, len(finding.rows)) == ("warning", 2)
    twice.loc[4, "age"] = 50.0
    assert found(twice)["repeated-images"].severity == "refusal"


def test_patients_of_two_data_sets_may_bear_one_number() -> None:
    frame = table(
        dataset=["x", "y", "x", "y"], patient_id=["P"] * 4,
        sex=["male", "female", "male", "female"],
    )  # fmt: skip
    assert contradictions(frame) == []


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("nevus", "blue nevus", False),
        ("nevus", "melanoma", True),
        ("nevus", None, False),
        ("seborrheic keratosis", "benign keratosis", False),
        ("seborrheic keratosis", "solar lentigo", True),
        ("actinic keratosis or carcinoma in situ", "squamous cell carcinoma", False),
        ("actinic keratosis or carcinoma in situ", "nevus", True),
        ("a word of their own", "another", True),
    ],
)
def test_diagnoses_exclude_each_other(
    first: str | None, second: str | None, expected: bool
) -> None:
    assert contradictory(first, second) is expected
    assert contradictory(second, first) is expected


def test_real_tables(siim: pd.DataFrame, shared: Path) -> None:
    # 425 published pairs, each within one patient and one target: none contradicts.
    checks = {name: len(f.rows) for name, f in found(siim).items()}
    assert set(checks) == {"age-zero", "patient-age-span"}
    assert checks["age-zero"] == 2
    two = found(isic2019.read(shared / "data" / "isic2019").table)["lesion-sites"]
    assert sorted(two.rows["lesion_id"].unique()) == ["MSK4_0010014", "MSK4_0010031"]
