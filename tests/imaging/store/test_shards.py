"""Images in several files, indexed as if they were one array of numpy's."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lentigo.errors import DatasetError
from lentigo.imaging.store.shards import ImageRows, create_files, open_images, pixel_files

COUNT, SHAPE = 23, (2, 2, 3)
PIXELS = np.random.default_rng(0).integers(0, 256, (COUNT, *SHAPE), np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """23 images in files of 5, the last one of 3."""
    place = tmp_path_factory.mktemp("shards")
    create_files(place, COUNT, SHAPE, shard_mb=5 * 12 / 1e6)
    for number, path in enumerate(pixel_files(place)):
        np.save(path, PIXELS[5 * number :][:5])
    return place


@pytest.fixture(scope="module")
def images(folder: Path) -> ImageRows:
    found = open_images(folder)
    assert isinstance(found, ImageRows)
    return found


def test_the_files_hold_equally_many_but_the_last(folder: Path) -> None:
    names = [path.name for path in pixel_files(folder)]
    assert names == [f"images-000{number}.npy" for number in range(5)]
    assert [len(np.load(path)) for path in pixel_files(folder)] == [5, 5, 5, 5, 3]


def test_what_fits_into_one_file_is_one(tmp_path: Path) -> None:
    create_files(tmp_path, 5, SHAPE, shard_mb=5 * 12 / 1e6)
    assert [path.name for path in pixel_files(tmp_path)] == ["images.npy"]
    assert isinstance(open_images(tmp_path), np.memmap)


def test_the_order_is_that_of_the_numbers(tmp_path: Path) -> None:
    for number in (10_000, 2, 9_999):
        (tmp_path / f"images-{number:04}.npy").touch()
    names = [path.stem for path in pixel_files(tmp_path)]
    assert names == ["images-0002", "images-9999", "images-10000"]


def test_it_says_of_itself_what_an_array_says(images: ImageRows) -> None:
    assert (len(images), images.shape, images.ndim) == (COUNT, PIXELS.shape, 4)
    assert (images.dtype, images.nbytes) == (PIXELS.dtype, PIXELS.nbytes)
    assert np.array_equal(np.array(images), PIXELS)
    assert np.asarray(images, np.float32).dtype == np.float32
    assert np.array_equal(list(images), PIXELS)
    assert (images == PIXELS) is not NotImplemented


ROW = st.integers(-COUNT, COUNT - 1)
BOUND = st.none() | st.integers(-30, 30)
STEP = st.none() | st.integers(-7, 7).filter(bool)
KEYS = st.one_of(
    ROW,
    ROW.map(np.int64),
    st.builds(slice, BOUND, BOUND, STEP),
    st.lists(ROW, max_size=9).map(lambda rows: np.array(rows, np.int64)),
    st.lists(ROW, min_size=1, max_size=9),
    st.lists(ROW, min_size=6, max_size=6).map(lambda rows: np.reshape(rows, (2, 3))),
    st.lists(st.booleans(), min_size=COUNT, max_size=COUNT).map(np.array),
    st.just(...),
)


@given(key=KEYS)
def test_every_index_gives_what_numpy_gives(images: ImageRows, key: Any) -> None:
    found, expected = images[key], PIXELS[key]
    assert found.shape == expected.shape
    assert found.dtype == np.uint8
    assert np.array_equal(found, expected)


@given(rows=st.lists(st.integers(0, COUNT - 1), max_size=12), key=KEYS)
def test_chosen_rows_are_indexed_alike(folder: Path, rows: list[int], key: Any) -> None:
    chosen = ImageRows(folder, np.array(rows, np.intp))
    expected = PIXELS[np.array(rows, np.intp)]
    try:
        wanted = expected[key]
    except IndexError:
        with pytest.raises(IndexError):
            chosen[key]
        return
    assert np.array_equal(chosen[key], wanted)


@pytest.mark.parametrize("key", [COUNT, -COUNT - 1, [0, COUNT], (0, 0), "a", 1.5])
def test_what_numpy_refuses_is_refused(images: ImageRows, key: Any) -> None:
    with pytest.raises(IndexError):
        images[key]


def test_one_image_is_read_where_it_lies_and_read_only(images: ImageRows) -> None:
    assert not images[7].flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        images[7][:] = 0


def test_only_the_name_is_pickled(folder: Path, images: ImageRows, tmp_path: Path) -> None:
    packed = pickle.dumps(images)
    assert len(packed) < 300
    assert np.array_equal(pickle.loads(packed)[:], PIXELS)
    some = ImageRows(folder, np.array([20, 3]))
    assert np.array_equal(pickle.loads(pickle.dumps(some))[:], PIXELS[[20, 3]])
    np.save(tmp_path / "images.npy", PIXELS.repeat(100, axis=0))
    whole = open_images(tmp_path)
    assert len(pickle.dumps(whole)) < 300
    assert np.array_equal(pickle.loads(pickle.dumps(whole)), whole)
    part = pickle.loads(pickle.dumps(whole[3:5]))
    assert np.array_equal(part, whole[3:5])
    assert np.array_equal(pickle.loads(pickle.dumps(whole[300])), PIXELS[3])


def _lose(paths: list[Path]) -> None:
    paths[1].unlink()


def _shorten(paths: list[Path]) -> None:
    np.save(paths[1], PIXELS[:4])


def _cut(paths: list[Path]) -> None:
    paths[1].write_bytes(paths[1].read_bytes()[:-1])


def _resize(paths: list[Path]) -> None:
    np.save(paths[1], np.zeros((5, 2, 3, 3), np.uint8))


def _lengthen(paths: list[Path]) -> None:
    np.save(paths[-1], np.zeros((6, 2, 2, 3), np.uint8))


@pytest.mark.parametrize("harm", [_shorten, _cut, _resize, _lengthen])
def test_files_that_do_not_fit_together_are_refused(tmp_path: Path, harm: Any) -> None:
    create_files(tmp_path, COUNT, SHAPE, shard_mb=5 * 12 / 1e6)
    assert open_images(tmp_path).shape == PIXELS.shape
    harm(pixel_files(tmp_path))
    with pytest.raises(ValueError, match=r"\w"):
        open_images(tmp_path)


def test_a_lost_file_is_missed(tmp_path: Path) -> None:
    create_files(tmp_path, COUNT, SHAPE, shard_mb=5 * 12 / 1e6)
    _lose(pixel_files(tmp_path))
    assert len(open_images(tmp_path)) == COUNT - 5  # the index says that 23 are needed


@pytest.mark.parametrize("shard_mb", [1, 5 * 12 / 1e6], ids=["one file", "sharded"])
def test_files_that_took_the_place_of_others_are_not_taken_for_them(
    tmp_path: Path, shard_mb: float
) -> None:
    """A process that is started later would show the pixels of other rows."""
    create_files(tmp_path, COUNT, SHAPE, shard_mb=shard_mb)
    images = open_images(tmp_path)
    pickled = pickle.dumps(images)
    assert pickle.loads(pickled).shape == images.shape
    last = pixel_files(tmp_path)[-1]
    np.save(tmp_path / "new.npy", np.load(last)[::-1])
    os.utime(tmp_path / "new.npy", ns=(0, 0))
    (tmp_path / "new.npy").replace(last)
    with pytest.raises(DatasetError, match="made anew while they were in use"):
        pickle.loads(pickled)
