"""One warp, one colour matrix."""

from __future__ import annotations

import numpy as np
import pytest

from lentigo.config import AugmentConfig
from lentigo.imaging.disturbances import drawn
from lentigo.models.augment import augment, colour_matrix, warp_matrix

NOTHING = AugmentConfig(flip=False)
EVERYTHING = AugmentConfig(
    rotate=180, scale=0.3, stretch=0.2, shift=0.1, brightness=0.2, contrast=0.2,
    saturation=0.3, hue=10, blur=1,
)  # fmt: skip


def noise(side: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def test_no_augmentation_changes_no_pixel() -> None:
    image = noise(48)
    varied = augment(image, NOTHING, size=48, rng=np.random.default_rng(0))
    assert np.array_equal(varied, image)


def test_a_flip_is_the_exact_mirror_image_half_of_the_time() -> None:
    image = noise(33)
    mirrored = 0
    for seed in range(200):
        varied = augment(image, AugmentConfig(), size=33, rng=np.random.default_rng(seed))
        flipped = np.array_equal(varied, image[:, ::-1])
        assert flipped or np.array_equal(varied, image)
        mirrored += flipped
    assert 70 < mirrored < 130


@pytest.mark.parametrize(("side", "size"), [(64, 64), (64, 32), (100, 48), (40, 64)])
def test_the_size_and_type_are_what_the_network_takes(side: int, size: int) -> None:
    varied = augment(noise(side), EVERYTHING, size=size, rng=np.random.default_rng(1))
    assert varied.shape == (size, size, 3)
    assert varied.dtype == np.uint8


def test_half_of_the_images_lose_a_square_to_their_mean_colour() -> None:
    image = noise(40)
    mean = image.mean(axis=(0, 1)).round()
    lost = []
    for seed in range(200):
        config = AugmentConfig(flip=False, erase=0.5)
        varied = augment(image, config, size=40, rng=np.random.default_rng(seed))
        other = (varied != image).any(axis=2)
        assert (varied[other] == mean).all()
        lost.append(other.sum())
    assert 70 < sum(count > 0 for count in lost) < 130
    assert 380 < max(lost) <= 400  # 20 × 20; by chance a pixel has the colour already


def test_the_light_is_made_white_in_so_many_images() -> None:
    """A red picture of one colour becomes grey, of the same brightness."""
    image = np.full((16, 16, 3), (200, 100, 100), dtype=np.uint8)
    grey = 0
    for seed in range(200):
        config = AugmentConfig(flip=False, constancy=0.25)
        varied = augment(image, config, size=16, rng=np.random.default_rng(seed))
        pixel = varied[0, 0].tolist()
        assert pixel == [200, 100, 100] or len(set(pixel)) == 1
        grey += pixel != [200, 100, 100]
    assert 30 < grey < 75


def changed(config: AugmentConfig, image: np.ndarray) -> list[np.ndarray]:
    """Where each of 60 variations differs from the image, (H, W) bool."""
    seeds = map(np.random.default_rng, range(60))
    each = (augment(image, config, size=image.shape[0], rng=rng) for rng in seeds)
    return [(varied != image).any(axis=2) for varied in each]


def test_so_many_images_get_dark_hairs_that_cover_little() -> None:
    image = np.full((96, 96, 3), 200, dtype=np.uint8)
    found = changed(AugmentConfig(flip=False, hair=0.5), image)
    drawn = [each for each in found if each.any()]
    assert 18 < len(drawn) < 42
    assert max(each.mean() for each in drawn) < 0.3
    rng = np.random.default_rng(1)
    hairy = augment(image, AugmentConfig(flip=False, hair=1), size=96, rng=rng)
    assert hairy.max() == 200
    assert hairy.min() < 100


def test_no_image_gets_more_than_fifteen_hairs(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    monkeypatch.setattr(drawn, "_one_hair", lambda *_: counts.append(len(counts)))
    config, image = AugmentConfig(flip=False, hair=1), noise(32)
    each = []
    for seed in range(40):
        counts.clear()
        augment(image, config, size=32, rng=np.random.default_rng(seed))
        each.append(len(counts))
    assert set(each) == {4, 8, 15}


def test_so_many_images_get_a_ruler_along_one_border() -> None:
    image = np.full((100, 100, 3), 200, dtype=np.uint8)
    found = changed(AugmentConfig(flip=False, ruler=0.5), image)
    ruled = [each for each in found if each.any()]
    assert 18 < len(ruled) < 42
    sides = set()
    for each in ruled:
        rows, columns = np.nonzero(each)
        ends = (rows.max(), 99 - rows.min(), columns.max(), 99 - columns.min())
        sides.add(int(np.argmin(ends)))
        assert min(ends) <= 12  # 2 % of foot and at most 8 % of a mark
    assert sides == {0, 1, 2, 3}


def test_things_lie_under_the_light_that_is_then_changed() -> None:
    """A picture twice as bright has a ruler that is as much brighter."""
    config = AugmentConfig(flip=False, ruler=1, saturation=0.5)
    image = np.full((64, 64, 3), (90, 60, 50), dtype=np.uint8)
    varied = augment(image, config, size=64, rng=np.random.default_rng(3))
    plain = augment(
        image, AugmentConfig(flip=False, ruler=1), size=64, rng=np.random.default_rng(3)
    )
    dark = plain.sum(axis=2) < 100
    assert dark.any()
    spread = np.ptp(plain.astype(int), axis=2)[dark].mean()
    assert np.ptp(varied.astype(int), axis=2)[dark].mean() != pytest.approx(spread)


def test_the_same_seed_gives_the_same_variation_and_another_another() -> None:
    image = noise(64)
    first, second, other = (
        augment(image, EVERYTHING, size=64, rng=np.random.default_rng(seed))
        for seed in (5, 5, 6)
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_shrinking_keeps_a_flat_colour_and_the_middle() -> None:
    image = np.full((128, 128, 3), (200, 120, 90), dtype=np.uint8)
    image[48:80, 48:80] = 20
    small = augment(image, NOTHING, size=32, rng=np.random.default_rng(0))
    assert np.abs(small[2, 2].astype(int) - (200, 120, 90)).max() <= 1
    assert small[15, 15].max() <= 25


def test_the_centre_stays_at_the_centre_without_a_shift() -> None:
    config = AugmentConfig(rotate=180, scale=0.5, stretch=0.5)
    warp = warp_matrix(config, 100, 60, np.random.default_rng(3))
    assert warp @ [29.5, 29.5, 1] == pytest.approx([49.5, 49.5])


def test_grey_stays_grey_under_hue_and_saturation() -> None:
    config = AugmentConfig(saturation=0.9, hue=180)
    matrix = colour_matrix(config, np.random.default_rng(2))
    assert matrix is not None
    assert matrix @ [120, 120, 120, 1] == pytest.approx([120, 120, 120])


def test_no_colour_change_is_no_matrix() -> None:
    assert colour_matrix(NOTHING, np.random.default_rng(0)) is None
