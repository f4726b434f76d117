"""Folds, archives and thresholds are said and shown beside the pooled number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lentigo.evaluation.headline import left_out
from lentigo.evaluation.recalibration import FIGURES as RECALIBRATED
from lentigo.reports.run.judged_parts import (
    calibration_rows,
    calibration_sentence,
    counts_of,
    part_rows,
    part_sentences,
    threshold_rows,
    threshold_sentence,
)
from tests.reports.report_fakes import POINT, entry, parts


def test_several_folds_are_said_with_the_reason_why_they_differ() -> None:
    assert part_sentences({"by_fold": parts(0.854, 0.679)}) == [
        "Fold by fold the AUC is 0.854 and 0.679; their mean is 0.766, and pooled it is "
        "0.721. Scores of two models are not on one scale."
    ]
    assert part_sentences({}) == []


def test_archives_are_named_and_one_without_an_auc_says_so() -> None:
    (sentence,) = part_sentences({"by_dataset": parts(0.9, None)})
    assert sentence.startswith("Archive by archive the AUC is 0.900 (0) and undefined (1);")


def test_many_folds_are_given_by_their_range() -> None:
    (sentence,) = part_sentences({"by_fold": parts(0.6, 0.7, 0.9, 0.8, 0.8, 0.8)})
    assert "the AUC is 0.600 to 0.900;" in sentence


def test_the_table_of_parts_ends_in_mean_and_pooled() -> None:
    (table,) = part_rows({"by_fold": parts(0.854, 0.679)})
    assert table["title"] == "By fold"
    assert [row["name"] for row in table["rows"]] == ["0", "1", "mean", "pooled"]
    assert table["rows"][-1]["auc"] == "0.721"


def test_a_threshold_says_where_it_was_chosen_and_what_it_finds() -> None:
    sentence = threshold_sentence({"operating_points": [POINT]})
    assert sentence == (
        "At a threshold chosen on the validation images (0.123) to find 95\u00a0% of "
        "melanomas, 2 of 3 held-out melanomas were found, a sensitivity of 0.667 "
        "(95\u00a0% interval 0.208–0.939), at a specificity of 0.692 (95\u00a0% interval "
        "0.424–0.873)."
    )
    aimed = {**POINT, "aim": "to find 95 % of melanomas on average"}
    sentence = threshold_sentence({"operating_points": [aimed]})
    assert "to find 95\u00a0% of melanomas on average, 2 of 3" in sentence


def test_calibration_is_shown_before_and_after() -> None:
    figures = {name: entry(0.1, 0.05, 0.2) for name in RECALIBRATED}
    found = {
        "methods": ["platt", "platt"],
        "before": figures,
        "after": {**figures, "calibration_slope": entry(None, None, None)},
        "log_loss_gain": entry(0.02, 0.01, 0.03),
    }
    rows = calibration_rows({"calibration": found})
    assert rows[0]["name"] == "calibration error"
    assert rows[-1]["after"].text == "undefined"
    sentence = calibration_sentence({"calibration": found})
    assert "(platt), the simplest" in sentence
    assert "falls by 0.020" in sentence
    left = {**found, "methods": ["none"]}
    assert calibration_rows({"calibration": left}) == []
    assert "left as they are" in calibration_sentence({"calibration": left})
    spread = {**found, "methods": ["spread", "spread"]}
    assert calibration_rows({"calibration": spread}) == []
    assert "only brought to one spread" in calibration_sentence({"calibration": spread})
    assert calibration_sentence({}) == ""


def test_each_fold_has_a_threshold_of_its_own() -> None:
    several: dict[str, Any] = {**POINT, "thresholds": {"0": 0.12, "1": 0.4}}
    sentence = threshold_sentence({"operating_points": [several]})
    assert sentence.startswith("At thresholds chosen on the validation images of each fold")
    (row,) = threshold_rows({"operating_points": [several]})
    assert row["threshold"] == "0.120, 0.400"
    assert row["npv"].text == "undefined"


def test_where_no_threshold_was_chosen_it_is_said() -> None:
    assert "hold fewer than 5 melanomas" in threshold_sentence({"operating_points": []})
    assert threshold_sentence({}) == ""  # a run older than the thresholds


def test_what_the_table_lost_is_counted() -> None:
    given = {"images": 110, "left_out": {"without a label": 10}}
    counts = counts_of({"model": {"n_images": 20, "n_melanomas": 8}, "given": given})
    assert (counts.named, dict(counts.left_out)) == (110, {"without a label": 10})
    assert counts.melanomas_left_out is None  # an older file does not tell
    assert left_out(replace(counts, left_out={"without a label": 1})) == (
        "1 of 110 images (0.9 %) is left out: 1 without a label; how many melanomas are "
        "among them is not on record"
    )
    lost = {**given, "melanomas": 30, "melanomas_left_out": 10}
    counts = counts_of({"model": {"n_images": 20, "n_melanomas": 8}, "given": lost})
    assert (counts.melanomas_left_out, counts.melanomas_named) == (10, 30)
