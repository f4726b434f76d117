"""A lesion that grew and darkened is said to; one that was only turned is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lentigo.explanation.change import CAUTION, Change, look
from lentigo.explanation.colors import has_colors
from lentigo.imaging.segmentation import given_outline
from tests.imaging.segmentation.test_find import skin, with_disc


def test_growth_is_told_in_millimetres_where_both_have_a_scale() -> None:
    image = with_disc(skin(), (100, 75), 30)
    before = look(with_disc(skin(), (100, 75), 20), mm_per_pixel=0.1)
    found = Change(before, look(image, mm_per_pixel=0.1))
    # An outline is about as fine as a picture of 150 pixels.
    assert found.diameter_ratio == pytest.approx(1.5, abs=0.1)
    (said,) = [each for each in found.sentences() if "Diameter" in each]
    assert said.startswith("Diameter in millimetres: +")
    assert "without a scale" not in said
    # The camera came nearer: as many pixels more, and not a millimetre.
    nearer = Change(before, look(image, mm_per_pixel=0.1 * 20 / 30))
    assert nearer.diameter_ratio == pytest.approx(1.0, abs=0.08)


def test_without_a_scale_the_doubt_is_told() -> None:
    image = with_disc(skin(), (100, 75), 30)
    found = Change(look(with_disc(skin(), (100, 75), 20)), look(image, mm_per_pixel=0.1))
    assert not found.scaled
    assert any("only if both were magnified alike" in each for each in found.sentences())


def test_a_turned_and_shifted_photograph_changes_nothing() -> None:
    before = look(with_disc(skin(), (90, 70), 28))
    turned = np.ascontiguousarray(np.rot90(with_disc(skin(), (110, 80), 28)))
    found = Change(before, look(turned))
    assert found.diameter_ratio == pytest.approx(1, abs=0.06)
    assert found.color_difference < 2
    assert found.gained == found.lost == []


def test_another_colour_of_the_lesion_is_seen_and_other_light_much_less() -> None:
    image = with_disc(skin(), (100, 75), 30)
    before = look(image)
    darker = image.copy()
    inside = before.outline.mask
    darker[inside] = (darker[inside] * 0.6).astype(np.uint8)
    changed = Change(before, look(darker, given_outline(darker, inside)))
    dimmed = (image * 0.92).astype(np.uint8)
    lit = Change(before, look(dimmed, given_outline(dimmed, inside)))
    assert changed.color_difference > 10
    assert lit.color_difference < 4


def test_no_colour_appears_or_goes_where_one_photograph_shows_no_lesion() -> None:
    seen, none = look(with_disc(skin(), (100, 75), 30)), look(skin())
    assert seen.abcd.present
    for found in (Change(none, seen), Change(seen, none)):
        assert found.gained == found.lost == []
        assert len(found.sentences()) == 1
        assert "No lesion was found" in found.sentences()[0]


def test_a_colour_that_comes_is_gained_and_one_that_goes_is_lost() -> None:
    image = with_disc(skin(), (100, 75), 30)
    before = look(image)
    reddened = image.copy()
    reddened[before.outline.mask] = (190, 60, 60)
    there, gone = before, look(reddened, given_outline(reddened, before.outline.mask))
    onward, back = Change(there, gone), Change(gone, there)
    assert "red" in onward.gained
    assert "red" not in onward.lost
    assert back.lost == onward.gained
    assert back.gained == onward.lost
    assert set(onward.gained) <= set(gone.abcd.present) - set(there.abcd.present)


def test_without_a_lesion_nothing_is_measured() -> None:
    found = Change(look(with_disc(skin(), (100, 75), 30)), look(skin()))
    assert np.isnan(found.diameter_ratio)
    assert "No lesion was found in the photograph after." in found.sentences()
    assert "a melanoma may look unchanged" in CAUTION


def test_a_doubtful_outline_and_a_second_lesion_are_said_before_the_numbers() -> None:
    before, after = (look(with_disc(skin(), (100, 75), radius)) for radius in (20, 30))
    doubtful = replace(after.outline, certainty=0.59, others=1)
    found = Change(before, replace(after, outline=doubtful))
    first, second, third, *_ = found.sentences()
    assert first.startswith("Photograph after: The outline is doubtful (certainty 0.59")
    assert (
        second == "Photograph after: The picture shows 2 lesions: the main one is outlined."
    )
    assert third.startswith("Diameter")
    rows = {row["measure"]: row for row in found.rows()}
    assert rows["certainty"]["after"] == 0.59
    assert rows["other_lesions"]["change"] == 1


def test_a_grey_photograph_has_no_colours_to_compare() -> None:
    image = with_disc(skin(), (100, 75), 30)
    grey = np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    assert has_colors(image)
    assert not has_colors(grey)
    one, two = look(image), look(grey)
    assert not np.isnan(one.abcd.total_low)
    assert np.isnan([two.abcd.colors, two.abcd.red, two.abcd.total_low]).all()
    assert two.abcd.verdict == "no score"
    found = Change(one, two)
    assert np.isnan(found.color_difference)
    assert found.lost == found.gained == []
    assert "The photograph after is grey, so colours are not compared." in found.sentences()
    assert found.diameter_ratio == pytest.approx(1, abs=0.05)


def test_a_date_stamp_gives_a_grey_photograph_no_colours() -> None:
    image = with_disc(skin(), (100, 75), 30)
    grey = np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    grey[136:146, 150:195] = (255, 140, 0)  # 1.5 % of the picture
    assert has_colors(grey)
    assert look(image).colored
    stamped = look(grey)
    assert stamped.outline.area
    assert not stamped.colored
    assert np.isnan([stamped.abcd.colors, stamped.abcd.total_low]).all()
