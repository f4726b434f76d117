"""The mean and deviation of pixels, one for each channel of the views of a network."""

from __future__ import annotations

import pytest

from lentigo.errors import ConfigError
from lentigo.models.network import _spread


def test_three_numbers_serve_each_view_and_a_grey_one_has_their_mean() -> None:
    assert _spread((0.1, 0.2, 0.6), ("rgb",)) == (0.1, 0.2, 0.6)
    assert _spread((0.1, 0.2, 0.6), ("rgb", "gray")) == pytest.approx((0.1, 0.2, 0.6, 0.3))
    assert _spread((0.1, 0.2, 0.6), ("gray",)) == pytest.approx((0.3,))


def test_one_number_a_channel_is_taken_as_it_is_and_another_count_refused() -> None:
    four = (0.1, 0.2, 0.3, 0.4)
    assert _spread(four, ("rgb", "gray")) == four
    with pytest.raises(ConfigError, match=r"has 4 numbers, but rgb \+ lab has 6 channels"):
        _spread(four, ("rgb", "lab"))
