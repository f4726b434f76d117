"""The band about a ROC curve, where it can be counted."""

from __future__ import annotations

import numpy as np

from lentigo.evaluation.bands import roc_band
from lentigo.evaluation.sums import Sample


def sample(truth: list[int], score: list[float], group: list[int]) -> Sample:
    groups = np.array(group)
    return Sample(
        np.array(truth, dtype=bool), np.array(score), groups, int(groups.max()) + 1
    )


def test_scores_without_an_error_have_a_band_without_a_width() -> None:
    found = roc_band(sample([1] * 9 + [0] * 9, [0.9] * 9 + [0.1] * 9, list(range(18))))
    assert found is not None
    rates, low, high = found
    assert np.allclose(rates, [n / 100 for n in range(101)])
    assert low.tolist() == high.tolist() == [1.0] * 101


def test_a_band_needs_two_groups_and_both_classes() -> None:
    assert roc_band(sample([1, 0], [0.9, 0.1], [0, 0])) is None
    assert roc_band(sample([1, 1], [0.9, 0.1], [0, 1])) is None
    assert roc_band(sample([0, 0], [0.9, 0.1], [0, 1])) is None


def test_whole_groups_are_drawn_so_copies_of_images_do_not_narrow_the_band() -> None:
    rng = np.random.default_rng(0)
    truth = (np.arange(40) % 4 == 0).astype(int).tolist()
    score = (rng.random(40) + np.array(truth) * 0.5).tolist()
    once = roc_band(sample(truth, score, list(range(40))))
    thrice = roc_band(sample(truth * 3, score * 3, list(range(40)) * 3))
    apart = roc_band(sample(truth * 3, score * 3, list(range(120))))
    assert once is not None
    assert thrice is not None
    assert apart is not None
    for mine, theirs in zip(once, thrice, strict=True):
        assert np.allclose(mine, theirs)
    assert (once[2] - once[1]).mean() > 1.4 * (apart[2] - apart[1]).mean()


def test_half_of_the_resamples_lie_on_each_side_of_a_coin() -> None:
    # At a false positive rate of 1 everything is called, and at 0 only what leads.
    found = roc_band(sample([1, 0] * 30, [0.5, 0.5] * 30, list(range(60))))
    assert found is not None
    rates, low, high = found
    assert np.allclose(low, rates)  # equal scores: one straight line in every resample
    assert np.allclose(high, rates)
