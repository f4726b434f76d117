"""What is said beside the metrics of a sample."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lentigo.evaluation import evaluate


def judged(score: list[float]) -> pd.DataFrame:
    """Ten images of ten patients, five melanomas first."""
    return pd.DataFrame(
        {
            "image_id": [f"I{number}" for number in range(10)],
            "melanoma": np.arange(10) < 5,
            "probability": score,
        }
    )


def test_a_slope_that_is_undefined_is_not_said_to_come_from_a_fit() -> None:
    table = judged([0.3] * 10)
    found = evaluate(table, table, repeats=10)
    assert np.isnan(found["calibration_slope"].value)
    assert not any("Firth" in note for note in found.notes)


def test_nothing_is_said_of_figures_at_a_threshold_that_were_left_out() -> None:
    table = judged([0.9, 0.8, 0.7, 0.2, 0.3, 0.1, 0.6, 0.2, 0.4, 0.3])
    found = evaluate(table, table, repeats=10)
    assert any("95 % sensitivity" in note for note in found.notes)
    left = found.without_own_thresholds()
    assert not any("95 % sensitivity" in note for note in left.notes)


def test_one_false_alarm_is_one() -> None:
    table = judged([0.9, 0.8, 0.7, 0.2, 0.3, 0.1, 0.6, 0.2, 0.4, 0.3])
    assert "1 false alarm, 4 other images" in evaluate(table, table, repeats=10).as_text()


def test_scores_that_do_not_overlap_have_bounds_that_are_no_certainty() -> None:
    table = judged([0.9] * 3 + [0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])
    found = evaluate(table, table, repeats=10)
    for name in ("auc", "auc_delong", "average_precision"):
        assert found[name].value == found[name].high == 1
        assert 0.4 < found[name].low < 0.95
    turned = evaluate(table.assign(probability=1 - table["probability"]), table, repeats=10)
    for name in ("auc", "auc_delong"):
        assert turned[name].value == turned[name].low == 0
        assert 0.05 < turned[name].high < 0.6


def test_equal_scores_rank_nothing_and_this_is_said() -> None:
    table = judged([0.3] * 10)
    found = evaluate(table, table, repeats=10)
    assert found["auc"].value == 0.5
    assert np.isnan(found["auc"].low)
    assert any("All 10 images have the same score" in note for note in found.notes)


def test_a_sure_error_makes_the_log_loss_infinite_and_a_note_says_so() -> None:
    names = [f"i{number}" for number in range(40)]
    truth = pd.DataFrame({"image_id": names, "melanoma": [1] * 20 + [0] * 20})
    score = [0.9] * 18 + [0.0] * 2 + [0.1] * 19 + [1.0]
    guesses = pd.DataFrame({"image_id": names, "probability": score})
    found = evaluate(guesses, truth, repeats=20)
    (note,) = [note for note in found.notes if "the log loss is infinite" in note]
    assert note.startswith("3 probabilities of exactly 0 or 1 contradict the truth")
    right = guesses.assign(probability=[1.0] * 5 + [0.9] * 15 + [0.1] * 20)
    notes = evaluate(right, truth, repeats=20).notes
    assert not any("log loss" in note for note in notes)


def test_an_error_that_is_nearly_sure_is_counted_as_less_sure_and_a_note_says_so() -> None:
    """log(1e-300) is −691; the log loss of such a table was 2.3, and nothing was said."""
    names = [f"i{number}" for number in range(40)]
    truth = pd.DataFrame({"image_id": names, "melanoma": [1] * 20 + [0] * 20})
    score = [0.9] * 18 + [1e-300] * 2 + [1e-300] * 19 + [np.nextafter(1, 0)]
    guesses = pd.DataFrame({"image_id": names, "probability": score})
    (note,) = [
        note for note in evaluate(guesses, truth, repeats=20).notes if "log loss" in note
    ]
    assert note.startswith("3 probabilities contradict the truth and lie closer to 0 or 1")
