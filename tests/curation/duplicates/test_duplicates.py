from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from lentigo.curation import assign_groups, duplicate_pairs
from lentigo.curation.duplicates import LEAST_CORRELATION, hamming, search
from lentigo.datasets import read_table
from lentigo.errors import ConfigError, DatasetError
from lentigo.tables import check_table

Image = np.ndarray[Any, Any]


def lesion(seed: int, side: int = 128) -> Image:
    """A blob of smooth noise on smooth skin, unlike that of every other seed."""
    rng = np.random.default_rng(seed)
    fine = cv2.GaussianBlur(rng.normal(size=(side, side, 3)), (0, 0), side / 40)
    coarse = cv2.GaussianBlur(rng.normal(size=(side, side, 3)), (0, 0), side / 10)
    pixels = 140 + 300 * fine + 800 * coarse
    return np.asarray(np.clip(pixels, 0, 255).astype(np.uint8))


def find(*images: Image, **columns: list[str | None]) -> list[tuple[str, str, str]]:
    names = [f"i{k}" for k in range(len(images))]
    table = check_table(pd.DataFrame({"image_id": names, **columns}), source="test")
    pairs = duplicate_pairs(np.stack(images), table)
    return list(zip(pairs["a"], pairs["b"], pairs["kind"], strict=True))


def jpeg(image: Image) -> Image:
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 40])
    assert done
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))


def rescaled(image: Image) -> Image:
    half = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.asarray(
        cv2.resize(half, image.shape[:2][::-1], interpolation=cv2.INTER_CUBIC)
    )


def brighter(image: Image, share: float) -> Image:
    return np.asarray(np.clip(image * share, 0, 255).astype(np.uint8))


def square(image: Image, side: int = 128) -> Image:
    return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA))


CHANGES: dict[str, Callable[[Image], Image]] = {
    "recompressed": jpeg,
    "another resolution": rescaled,
    "brighter": lambda image: brighter(image, 1.1),
    "much brighter": lambda image: brighter(image + 10.0, 1.2),
    "another colour": lambda image: (image * [1.0, 0.85, 0.7]).astype(np.uint8),
    "moved by two pixels": lambda image: np.roll(image, 2, axis=1),
    "cropped in a corner": lambda image: image[: int(0.95 * len(image)), 6:],
    "5 % cut from each edge": lambda image: image[6:-6, 6:-6],
    "all at once": lambda image: jpeg(
        np.rot90(brighter(rescaled(image[7:, 1:-6]), 0.9), 3).copy()
    ),
    **{f"turned by {90 * k}": partial(np.rot90, k=k) for k in (1, 2, 3)},
    "mirrored": lambda image: image[:, ::-1],
    "upside down": lambda image: image[::-1],
    "transposed": lambda image: image.swapaxes(0, 1),
    "transposed the other way": lambda image: np.rot90(image, 2).swapaxes(0, 1),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_picture_is_recognised(change: str) -> None:
    found = find(lesion(0), lesion(1), square(CHANGES[change](lesion(0))), lesion(2))
    assert found == [("i0", "i2", "near-duplicate")]


def test_different_pictures_are_no_pair() -> None:
    assert find(*[lesion(seed) for seed in range(40)]) == []


def test_the_strongest_kind_is_told_once() -> None:
    one = lesion(0)
    same = ["0" * 64, "0" * 64, None, None]
    assert find(one, one, one, jpeg(one), sha256=same) == [
        ("i0", "i1", "identical file"),
        ("i0", "i2", "identical pixels"),
        ("i0", "i3", "near-duplicate"),
    ]


def test_names_stand_in_alphabetical_order() -> None:
    table = check_table(pd.DataFrame({"image_id": ["z", "a"]}), source="test")
    pairs = duplicate_pairs(np.stack([lesion(0), lesion(0)]), table)
    assert pairs.to_dict("list") == {
        "a": ["a"],
        "b": ["z"],
        "kind": ["identical pixels"],
        "similarity": [1.0],
    }


def test_one_pixel_more_or_less_is_near_but_not_identical() -> None:
    other = lesion(0).copy()
    other[5, 5] = 255 - other[5, 5]
    assert find(lesion(0), other) == [("i0", "i1", "near-duplicate")]


def test_black_and_plain_images_resemble_none() -> None:
    black, grey = np.zeros((128, 128, 3), np.uint8), np.full((128, 128, 3), 90, np.uint8)
    assert find(black, black, grey, grey, lesion(0)) == []


def test_dark_frames_alike_make_no_pair() -> None:
    framed = []
    for seed in range(12):
        image = lesion(seed)
        cv2.circle(image, (64, 64), 85, (0, 0, 0), thickness=46)
        framed.append(image)
    assert find(*framed) == []


def test_similarity_is_one_for_the_same_and_less_for_a_copy() -> None:
    table = check_table(pd.DataFrame({"image_id": list("abcd")}), source="test")
    images = np.stack([lesion(0), lesion(0), jpeg(lesion(0)), lesion(1)])
    same, copy = duplicate_pairs(images, table)["similarity"]
    assert same == 1.0
    assert LEAST_CORRELATION <= copy < 1.0


def test_images_may_come_from_whatever_gives_one_at_a_position() -> None:
    class Shards:
        """As a store in several files: no array, no slices."""

        def __init__(self, images: list[Image]) -> None:
            self._images = images

        def __len__(self) -> int:
            return len(self._images)

        def __getitem__(self, row: int) -> Image:
            assert type(row) is int
            return self._images[row]

    images = [lesion(0, 64), lesion(1, 64), lesion(0, 64)[:, ::-1], lesion(1, 64)]
    table = check_table(pd.DataFrame({"image_id": list("abcd")}), source="test")
    pairs = duplicate_pairs(Shards(images), table)
    assert pairs[["a", "b", "kind"]].to_numpy().tolist() == [
        ["a", "c", "near-duplicate"],
        ["b", "d", "identical pixels"],
    ]


def test_any_number_of_workers_finds_the_same() -> None:
    images = np.stack([change(lesion(seed)) for seed in range(30)
                       for change in (jpeg, np.fliplr, lambda image: image)])  # fmt: skip
    ids = [f"{row:02}" for row in range(len(images))]
    table = check_table(pd.DataFrame({"image_id": ids}), source="test")
    one, three = (duplicate_pairs(images, table, workers=count) for count in (1, 3))
    pd.testing.assert_frame_equal(one, three)
    assert len(one) == 30 * 3
    with pytest.raises(ConfigError, match="workers is -1"):
        duplicate_pairs(images, table, workers=-1)


def test_noise_in_the_dark_is_no_picture() -> None:
    dark = [np.random.default_rng(seed).integers(0, 9, (128, 128, 3), np.uint8)
            for seed in range(30)]  # fmt: skip
    assert find(*dark) == []


def test_a_crowd_of_nearly_equal_pictures_is_bounded_and_one_group() -> None:
    images, rng = [], np.random.default_rng(0)
    for _ in range(240):
        noisy = lesion(0).astype(int) + rng.integers(-3, 4, (128, 128, 3))
        images.append(np.clip(noisy, 0, 255).astype(np.uint8))
    ids = [f"{row:03}" for row in range(len(images))]
    table = check_table(pd.DataFrame({"image_id": ids}), source="test")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "GATHERED", 1000)
        patch.setattr(hamming, "BLOCK", 1000)
        pairs = duplicate_pairs(np.stack(images), table)
    assert 239 < len(pairs) < 240 * 239 / 2 / 2
    assert set(assign_groups(table, pairs)["group_id"]) == {"000"}


def test_an_empty_table_has_no_pair_and_lengths_must_agree() -> None:
    table = check_table(pd.DataFrame({"image_id": ["a"]}), source="test")
    assert duplicate_pairs(np.empty((0, 32, 32, 3), np.uint8), table[:0]).empty
    with pytest.raises(DatasetError, match="2 images for 1 row of"):
        duplicate_pairs(np.zeros((2, 32, 32, 3), np.uint8), table)


def pixels(table: pd.DataFrame) -> Image:
    images = [cv2.imread(path, cv2.IMREAD_COLOR_RGB) for path in table["path"]]
    return np.stack([cv2.resize(image, (128, 128), interpolation=cv2.INTER_AREA)
                     for image in images if image is not None])  # fmt: skip


KNOWN = {
    ("ISIC_0012127", "ISIC_0012970"),  # validation and training, byte for byte the same
    ("ISIC_0012290", "ISIC_0013594"),
    ("ISIC_0012672", "ISIC_0012673"),
    ("ISIC_0012756", "ISIC_0013184"),
}
SEEN = {
    # One photograph in two colour corrections and crops, seen by eye side by side.
    ("ISIC_0000164", "ISIC_0014795"),
    ("ISIC_0000165", "ISIC_0014788"),
    ("ISIC_0000171", "ISIC_0015124"),
    ("ISIC_0000177", "ISIC_0014657"),
    ("ISIC_0000204", "ISIC_0014748"),
    ("ISIC_0000205", "ISIC_0014742"),
    ("ISIC_0000206", "ISIC_0014739"),
    ("ISIC_0000215", "ISIC_0015313"),
    ("ISIC_0000222", "ISIC_0014846"),
    ("ISIC_0000223", "ISIC_0014818"),
    ("ISIC_0000224", "ISIC_0014791"),
    ("ISIC_0000225", "ISIC_0014778"),
    ("ISIC_0000229", "ISIC_0014771"),
    # One lesion, photographed twice: its hairs and spots lie on one another.
    ("ISIC_0000157", "ISIC_0014946"),
    ("ISIC_0000423", "ISIC_0010571"),
}


def test_near_duplicates_of_isic_2017_are_found(shared: Path) -> None:
    table = read_table("isic2017", shared / "data/isic2017")
    table = table[table["path"].notna()].reset_index(drop=True)
    pairs = duplicate_pairs(pixels(table), table)
    found = set(zip(pairs["a"], pairs["b"], strict=True))
    assert found >= KNOWN
    assert found == KNOWN | SEEN
    grouped = assign_groups(table, pairs).set_index("image_id")["group_id"]
    assert all(grouped[a] == grouped[b] for a, b in found)
    assert grouped.nunique() == len(table) - len(found)


def test_different_lesions_of_ham10000_are_not_joined(shared: Path) -> None:
    table = read_table("ham10000", shared / "data/ham10000")
    # Images of lesions that have several, and of others.
    several = table["lesion_id"].duplicated(keep=False)
    table = pd.concat([table[several][:1500], table[~several][:1500]], ignore_index=True)
    pairs = duplicate_pairs(pixels(table), table)
    lesion_of = table.set_index("image_id")["lesion_id"]
    assert len(pairs) > 10
    assert lesion_of[pairs["a"]].tolist() == lesion_of[pairs["b"]].tolist()
