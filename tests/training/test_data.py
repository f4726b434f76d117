"""Who is drawn when: the order decides whether a resumed run ends alike."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lentigo.config import AugmentConfig, TrainConfig
from lentigo.training.data import Examples, Order, in_order, load, worker_count

LABELS = np.array([1, 0, 0, 0, 0, 0, 0, 0, 0, 0], dtype=np.float32)


def places(batches: list[list[tuple[int, tuple[int, ...]]]]) -> list[int]:
    return [place for batch in batches for place, _ in batch]


def test_an_epoch_of_all_images_shows_each_once() -> None:
    order = Order(LABELS, epoch_images=10, batch_size=5, seed=1)
    assert sorted(places(order.epoch(0))) == list(range(10))
    assert sorted(places(order.epoch(1))) == list(range(10))
    assert places(order.epoch(0)) != places(order.epoch(1))


def test_short_epochs_go_through_all_images_before_one_comes_again() -> None:
    order = Order(LABELS, epoch_images=4, batch_size=2, seed=1)
    drawn = [place for epoch in range(5) for place in places(order.epoch(epoch))]
    assert sorted(drawn[:10]) == list(range(10))
    assert sorted(drawn[10:]) == list(range(10))


def test_classes_drawn_alike_come_equally_often() -> None:
    order = Order(LABELS, epoch_images=10, batch_size=5, seed=1, alike=True)
    drawn = [place for epoch in range(4) for place in places(order.epoch(epoch))]
    assert drawn.count(0) == 20
    assert {drawn.count(benign) for benign in range(1, 10)} <= {2, 3}


@given(world=st.sampled_from([1, 2, 4]), epoch=st.integers(0, 5), alike=st.booleans())
def test_devices_share_the_batches_of_one_device(
    world: int, epoch: int, alike: bool
) -> None:
    labels = np.tile(LABELS, 5)
    order = Order(labels, epoch_images=40, batch_size=8, seed=3, alike=alike)
    alone = order.epoch(epoch)
    ranks = [order.epoch(epoch, rank=rank, world=world) for rank in range(world)]
    together = [
        [draw for rank in ranks for draw in rank[step]] for step in range(len(alone))
    ]
    assert together == alone


@given(count=st.integers(1, 50), world=st.integers(1, 4), batch=st.integers(1, 9))
def test_judging_visits_every_image_and_each_device_equally(
    count: int, world: int, batch: int
) -> None:
    ranks = [
        places(in_order(count, batch_size=batch, rank=rank, world=world))
        for rank in range(world)
    ]
    assert set().union(*ranks) == set(range(count))
    assert len({len(rank) for rank in ranks}) == 1


@pytest.mark.parametrize("workers", [0, 2])
def test_workers_do_not_change_what_is_drawn(workers: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
    labels = np.array([0, 1, 0, 1, 0, 0], dtype=np.float32)
    examples = Examples(
        images, np.arange(6), labels, size=32, config=AugmentConfig(rotate=90, blur=1)
    )
    order = Order(labels, epoch_images=6, batch_size=3, seed=7)
    cpu = torch.device("cpu")
    batches = list(load(examples, order.epoch(0), workers=workers, device=cpu))
    again = list(load(examples, order.epoch(0), workers=0, device=cpu))
    for ours, theirs in zip(batches, again, strict=True):
        assert torch.equal(ours.images, theirs.images)
        assert torch.equal(ours.labels, theirs.labels)
        assert ours.labels.tolist() == labels[ours.places.numpy()].tolist()


def test_the_last_small_batch_of_a_judging_is_kept() -> None:
    assert [len(batch) for batch in in_order(7, batch_size=3)] == [3, 3, 1]


@given(
    count=st.integers(1, 200),
    batch=st.integers(2, 40),
    world=st.sampled_from([1, 2, 3]),
    epoch=st.integers(0, 2),
)
def test_an_epoch_leaves_nobody_out_and_nobody_alone(
    count: int, batch: int, world: int, epoch: int
) -> None:
    labels = (np.arange(count) % 4 == 0).astype(np.float32)
    order = Order(labels, epoch_images=count, batch_size=batch, seed=1)
    ranks = [order.epoch(epoch, rank=rank, world=world) for rank in range(world)]
    assert set().union(*(places(rank) for rank in ranks)) == set(range(count))
    assert sum(len(places(rank)) for rank in ranks) < count + world
    sizes = [[len(each) for each in rank] for rank in ranks]
    assert all(len(rank) == len(sizes[0]) for rank in sizes), "devices wait for each other"
    assert min(map(min, sizes)) >= 1
    each = -(-batch // world)
    if batch >= 2 * world and count > world:
        assert min(map(min, sizes)) >= 2 or count < 2 * world + 1
    assert max(map(max, sizes)) <= max(each, 3)
    whole = [sum(together) for together in zip(*sizes, strict=True)]
    assert whole == order.sizes(world)


@pytest.mark.parametrize("world", [2, 3, 8])
@pytest.mark.parametrize("alike", [False, True])
def test_several_devices_form_the_batches_of_one(*, world: int, alike: bool) -> None:
    """101 images in batches of 32: 26, 25, 25, 25, of which no device has the half."""
    labels = (np.arange(101) % 5 == 0).astype(np.float32)
    order = Order(labels, epoch_images=101, batch_size=32, seed=0, alike=alike)
    ranks = [order.epoch(1, rank=rank, world=world) for rank in range(world)]
    together = [[*chain(*parts)] for parts in zip(*ranks, strict=True)]
    assert together == order.epoch(1)
    assert order.sizes(world) == [26, 25, 25, 25]
    for parts in zip(*ranks, strict=True):
        assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_the_last_part_of_an_epoch_is_shown_as_well() -> None:
    order = Order(np.tile(LABELS, 10)[:95], epoch_images=95, batch_size=32, seed=1)
    assert [len(batch) for batch in order.epoch(0)] == [32, 32, 31]
    order = Order(np.tile(LABELS, 10)[:97], epoch_images=97, batch_size=32, seed=1)
    assert [len(batch) for batch in order.epoch(0)] == [25, 24, 24, 24]


@pytest.mark.parametrize(
    ("granted", "devices", "expected"), [(64, 1, 8), (6, 1, 6), (16, 8, 2), (2, 8, 1)]
)
def test_the_devices_of_a_machine_share_its_cores(
    granted: int, devices: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lentigo.training.data.cores", lambda: granted)
    monkeypatch.setattr("os.cpu_count", lambda: 999)
    config = TrainConfig(devices=devices)
    assert worker_count(torch.device("cuda"), config) == expected
    assert worker_count(torch.device("cpu"), config) == 0
    assert worker_count(torch.device("cuda"), TrainConfig(workers=3, devices=8)) == 3
