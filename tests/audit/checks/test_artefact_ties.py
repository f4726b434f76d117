"""Artefacts set against labels: counts by eye, SciPy and scikit-learn as oracles."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact
from scipy.stats.contingency import odds_ratio as conditional
from sklearn.metrics import roc_auc_score

from lentigo.audit.checks.artefact_ties import artefact_ties, holm, odds_ratio
from lentigo.audit.checks.picture_findings import odds_text, picture_findings, tie_findings
from lentigo.audit.evidence import Evidence
from lentigo.audit.steps import artefacts
from lentigo.datasets import read_table
from lentigo.errors import ColumnError
from lentigo.imaging.decoding.image import read_image
from lentigo.imaging.decoding.square import to_square
from lentigo.imaging.quality import measure_images
from lentigo.imaging.quality.measure import QUALITY

LIMITS = {"sticker": 0.1, "hair": 0.5}

MELANOMA = pd.Series([True] * 4 + [False] * 6, name="melanoma")
MEASURES = pd.DataFrame(
    {
        # None of 4 melanomas, 3 of 6 others.
        "sticker": [0, 0, 0, 0, 0.2, 0.3, 0.1, 0, 0, 0],
        # 2 of 4, 3 of 6.
        "hair": [0.9, 0.6, 0.1, 0.2, 0.7, 0.8, 0.5, 0.3, 0.4, 0.0],
    }
)
GROUP = pd.Series(["a", "a", "b", "c", "d", "e", "e", "f", "g", "h"])


def ties_of(label: pd.Series[Any] = MELANOMA) -> pd.DataFrame:
    return artefact_ties(MEASURES, label, GROUP, limits=LIMITS)


def test_counts_and_shares_are_as_counted_by_eye() -> None:
    sticker, hair = ties_of().to_dict("records")
    counts = ("with_in_class", "in_class", "with_others", "others")
    assert [sticker[name] for name in counts] == [0, 4, 3, 6]
    assert [hair[name] for name in counts] == [2, 4, 3, 6]
    assert (sticker["share_in_class"], sticker["share_others"]) == (0 / 4, 3 / 6)
    assert sticker["class"] == "melanoma"


def test_the_odds_ratio_has_a_half_added_and_says_so() -> None:
    sticker, hair = ties_of().to_dict("records")
    assert sticker["odds_ratio"] == pytest.approx((0.5 * 3.5) / (4.5 * 3.5))
    assert sticker["corrected"]
    assert not hair["corrected"]
    assert np.isfinite([sticker["odds_low"], sticker["odds_high"]]).all()


def test_the_odds_ratio_is_near_scipys_conditional_one() -> None:
    table = np.array([[120, 280], [150, 1590]])
    found, exact = odds_ratio(table), conditional(table)
    interval = exact.confidence_interval(0.95)
    assert found.value == pytest.approx(exact.statistic, rel=0.02)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=0.04)


def test_an_empty_class_has_no_odds() -> None:
    assert math.isnan(odds_ratio(np.array([[0, 0], [3, 4]])).value)
    ties = artefact_ties(MEASURES, MELANOMA & False, GROUP, limits=LIMITS)
    assert (
        ties[["odds_ratio", "p", "p_holm", "auc", "share_in_class"]].isna().all(axis=None)
    )


def test_p_and_auc_are_those_of_scipy_and_scikit_learn() -> None:
    ties = ties_of()
    tables = np.array([[[0, 4], [3, 3]], [[2, 2], [3, 3]]])
    expected = [fisher_exact(table).pvalue for table in tables]
    assert ties["p"].tolist() == pytest.approx(expected)
    areas = [roc_auc_score(MELANOMA, MEASURES[name]) for name in LIMITS]
    assert ties["auc"].tolist() == pytest.approx(areas)
    assert ((ties["auc_low"] <= ties["auc"]) & (ties["auc"] <= ties["auc_high"])).all()


def test_holm_multiplies_the_least_by_all_and_never_falls() -> None:
    p = np.array([0.04, 0.01, math.nan, 0.03])
    # 3 × 0.01, then 2 × 0.03, then 1 × 0.04 lifted to the one before.
    assert holm(p)[[1, 3, 0]].tolist() == pytest.approx([0.03, 0.06, 0.06])
    assert math.isnan(holm(p)[2])


def test_an_artefact_of_one_diagnosis_alone_is_named() -> None:
    diagnosis = pd.Series(["melanoma"] * 4 + ["nevus"] * 4 + ["other"] * 2)
    ties = ties_of(diagnosis).set_index(["artefact", "class"])
    assert ties["only_here"][lambda each: each].index.tolist() == [("sticker", "nevus")]
    assert len(ties) == 2 * 3


def test_images_without_a_label_or_a_score_are_left_out() -> None:
    measures = MEASURES.copy()
    measures.loc[0, "hair"] = math.nan
    label = pd.Series([*MELANOMA[:9], pd.NA], dtype="boolean")
    ties = artefact_ties(measures, label, GROUP, limits=LIMITS)
    assert ties["in_class"].tolist() == [4, 3]
    assert ties["others"].tolist() == [5, 5]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ColumnError, match="no column ink"):
        artefact_ties(MEASURES, MELANOMA, GROUP, limits={"ink": 0.1})
    with pytest.raises(ColumnError, match="not of the same rows"):
        artefact_ties(MEASURES, MELANOMA[1:], GROUP, limits=LIMITS)
    with pytest.raises(ColumnError, match="1 row without a group"):
        artefact_ties(MEASURES, MELANOMA, GROUP.mask(GROUP == "b"), limits=LIMITS)


def table_of(count: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "image_id": [f"I{row}" for row in range(count)],
            "group_id": [f"G{row}" for row in range(count)],
            "melanoma": [row % 4 == 0 for row in range(count)],
            "diagnosis": pd.Series([pd.NA] * count, dtype="string"),
            "width": [600] * count,
            "height": [450] * count,
        }
    )


def measures_of(count: int) -> pd.DataFrame:
    from lentigo.imaging.artefacts import ARTEFACTS

    good = {"sharpness": 0.5, "brightness": 0.6, "skin": 1.0, "dermoscopic": 0.9}
    good |= {"contrast": 0.1}
    columns = {name: good.get(name, 0.0) for name in (*ARTEFACTS, *QUALITY)}
    return pd.DataFrame(columns, index=range(count))


def test_a_good_table_has_no_finding() -> None:
    assert picture_findings(table_of(40), measures_of(40)) == []


@pytest.mark.parametrize(
    ("check", "column", "value"),
    [
        ("blurred", "sharpness", 0.1),
        ("badly-exposed", "brightness", 0.95),
        ("badly-exposed", "too_bright", 0.5),
        ("not-skin", "skin", 0.0),
        ("not-dermoscopic", "dermoscopic", 0.01),
        ("uneven-light", "uneven_light", 15.5),
        ("page", "page", 0.2),
        ("no-picture", "contrast", 0.005),
        ("no-picture", "sharpness", 3.0),
    ],
)
def test_an_image_not_fit_to_use_is_named(check: str, column: str, value: float) -> None:
    measures = measures_of(40)
    measures.loc[7, column] = value
    (finding,) = picture_findings(table_of(40), measures)
    assert (finding.check, finding.severity) == (check, "warning")
    assert finding.rows["image_id"].tolist() == ["I7"]
    assert "1 image is" in finding.message
    assert "I7" in finding.message


def test_an_image_that_was_not_decoded_offends_nobody() -> None:
    measures = measures_of(40)
    measures.loc[3] = math.nan
    assert picture_findings(table_of(40), measures) == []


def test_small_files_are_named() -> None:
    table = table_of(40)
    table.loc[[1, 2], "height"] = 150
    (finding,) = picture_findings(table, measures_of(40))
    assert finding.check == "low-resolution"
    assert finding.rows["image_id"].tolist() == ["I1", "I2"]


def test_a_tie_is_a_warning_with_its_counts_and_a_weak_one_is_none() -> None:
    table, measures = table_of(400), measures_of(400)
    # 90 of 300 others have a sticker and no melanoma has.
    others = table.index[~table["melanoma"]]
    measures.loc[others[:90], "sticker"] = 0.2
    (finding,) = picture_findings(table, measures)
    assert (finding.check, finding.severity) == ("artefact-tie", "warning")
    assert "sticker on 0 of 100 melanoma and 90 of 300 others" in finding.message
    assert "1/2 added for a count of 0" in finding.message
    measures["sticker"] = 0.0
    measures.loc[::3, "hair"] = 0.2
    ties = artefact_ties(measures, table["melanoma"], table["group_id"])
    assert tie_findings(ties, "melanoma") == []


def test_the_audit_ties_stickers_to_nevi() -> None:
    table, measures = table_of(400), measures_of(400)
    table["diagnosis"] = table["melanoma"].map({True: "melanoma", False: "nevus"})
    table.loc[1::4, "diagnosis"] = "seborrheic keratosis"
    nevi = table.index[table["diagnosis"] == "nevus"]  # 200, of which 45 have a sticker
    measures.loc[[*nevi[:45], 1], "sticker"] = 0.2  # as has one keratosis
    answer = artefacts(
        Evidence(
            table=table, pairs=table[:0], facts=None, measures=measures, store=None, seed=0
        )
    )
    ties = answer.tables["artefact_ties"].query("artefact == 'sticker'")
    (nevus,) = ties[ties["class"] == "nevus"].to_dict("records")
    assert (nevus["label"], nevus["with_in_class"], nevus["in_class"]) == (
        "diagnosis", 45, 200,
    )  # fmt: skip
    assert (nevus["with_others"], nevus["others"]) == (1, 200)
    # 45.5 * 199.5 / (155.5 * 1.5) is 38.917; its logarithm has a standard error of 0.8367.
    assert nevus["odds_low"] == pytest.approx(38.917 / np.exp(1.96 * 0.8367), rel=0.001)
    melanoma = ties[ties["label"] == "melanoma"].iloc[0]
    assert (melanoma["with_in_class"], melanoma["with_others"]) == (0, 46)
    assert melanoma["odds_high"] < 1
    assert melanoma["p_holm"] < 0.01
    assert {each.check for each in answer.findings} == {"artefact-tie"}


def test_the_images_of_a_few_hairy_patients_are_no_tie() -> None:
    """12 patients of 30 images; 3 have hair, and 20, 10 and 3 melanomas; others have 4."""
    melanomas = [20, 10, 3] + [4] * 9
    label = [row < count for count in melanomas for row in range(30)]
    group = pd.Series(np.repeat(np.arange(12), 30))
    measures = pd.DataFrame({"hair": np.where(group < 3, 0.02, 0.0)})
    told = pd.Series(label, name="melanoma")
    ties = artefact_ties(measures, told, group, limits={"hair": 0.006})
    assert ties["odds_low"].item() > 2
    assert ties["p_holm"].item() < 0.001
    assert not tie_findings(ties, "melanoma")
    alone = artefact_ties(measures, told, pd.Series(range(360)), limits={"hair": 0.006})
    assert [each.check for each in tie_findings(alone, "melanoma")] == ["artefact-tie"]


@pytest.mark.slow
def test_stickers_are_found_on_nevi_in_isic_2017(shared: Path) -> None:
    """Measured: 135 of 1,446 nevi, 3 of 695 others; one melanoma of 399 (a blue drape)."""
    table = read_table("isic2017", shared / "data" / "isic2017")
    table = table[table["path"].notna()].reset_index(drop=True)
    images = [to_square(read_image(Path(path)), size=256) for path in table["path"]]
    measures = measure_images(images)
    nevus = (table["diagnosis"] == "nevus").rename("nevus")
    group = table["group_id"].fillna(table["image_id"])
    ties = artefact_ties(measures, nevus, group)
    sticker = ties[ties["artefact"] == "sticker"].to_dict("records")[0]
    assert 130 <= sticker["with_in_class"] <= 140
    assert sticker["with_others"] <= 4
    assert sticker["odds_low"] > 5
    assert sticker["p_holm"] < 1e-12


def test_an_artefact_that_nobody_or_everybody_has_has_no_odds() -> None:
    for table in ([[0, 27], [0, 220]], [[27, 0], [220, 0]]):
        assert math.isnan(odds_ratio(np.array(table)).value)


def test_an_odds_ratio_is_never_written_with_an_exponent() -> None:
    shown = [
        odds_text(odds, digits=2) for odds in (0.0278, 0.98, 36.2, 99.6, 612.0, 61234.0)
    ]
    assert shown == ["0.028", "0.98", "36", "100", "610", "61,000"]
    assert odds_text(1234.0, digits=3) == "1,230"
    assert odds_text(0.0000123, digits=2) == "0.000012"
