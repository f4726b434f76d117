"""The limit is set so that few images like those held back are refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.spatial import distance

from lentigo.inference.abstention import fit
from lentigo.inference.abstention.fit import (
    Seen,
    _signal,
    gradient_hash,
    limit_of,
    make_index,
    set_limit,
)
from lentigo.inference.abstention.judge import strangest, with_abstention
from lentigo.inference.abstention.neighbours import Neighbours
from lentigo.inference.abstention.signals import Familiar
from lentigo.models.backend import Looked

WIDE = 20


def seen(features: np.ndarray) -> Seen:
    count = len(features)
    rng = np.random.default_rng(count)
    looked = Looked(
        answers=np.zeros((1, count)),
        features=features.astype(np.float32),
        energy=np.full(count, np.nan),
        spread=np.abs(rng.normal(size=count)),
    )
    return Seen(looked, rng.normal(size=(6, count)), np.arange(count, dtype=np.uint64))


def cloud(count: int, *, seed: int, place: int = 0) -> np.ndarray:
    """Features about one direction."""
    middle = np.zeros(WIDE)
    middle[place] = 5
    return middle + np.random.default_rng(seed).normal(size=(count, WIDE))


def table(count: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "image_id": [f"image-{number}" for number in range(count)],
            "group_id": [f"group-{number // 2}" for number in range(count)],
            "melanoma": [number % 3 == 0 for number in range(count)],
            "diagnosis": ["nevus" if number % 3 else "melanoma" for number in range(count)],
        }
    )


@pytest.fixture(scope="module")
def familiar() -> Familiar:
    index = make_index(seen(cloud(300, seed=0)), table(300))
    held_back = seen(cloud(2000, seed=1))
    groups = [str(number) for number in range(2000)]
    return Familiar(index, set_limit(index, held_back, groups, set_on="test"), 2)


def test_features_from_elsewhere_are_refused_and_those_alike_are_not(
    familiar: Familiar,
) -> None:
    refused = []
    for features in (cloud(20_000, seed=2), cloud(50, seed=3, place=7)):
        found = seen(features)
        values = familiar.values(found.looked, found.pictures)
        judged = strangest([values], [familiar.abstention])
        refused.append(judged.refused.mean())
    assert refused[0] <= 0.05
    assert refused[1] == 1
    assert set(judged.words) == {"looks like nothing I learnt from"}


def test_the_limit_is_sure_of_what_it_promises() -> None:
    score = np.arange(600.0)
    limit = limit_of(score, np.ones(600))
    # scipy.stats.binomtest(22, 600).proportion_ci(0.8, "exact").high is 0.0489; 23: 0.0508.
    assert limit is not None
    assert (score > limit).sum() == 22


def test_44_groups_set_no_limit_and_45_do() -> None:
    # 0.95 ** 44 > 0.1 > 0.95 ** 45: all of them may be answered by chance, or not.
    assert limit_of(np.arange(44.0), np.ones(44)) is None
    assert limit_of(np.arange(45.0), np.ones(45)) == 44


def test_each_group_counts_once() -> None:
    one_patient = np.r_[np.full(100, 1 / 100), np.ones(99)]
    score = np.r_[np.full(100, 5.0), np.zeros(99)]
    assert limit_of(score, one_patient) is not None


def with_early(found: Seen, early: np.ndarray) -> Seen:
    looked = replace(found.looked, early=early.astype(np.float32))
    return replace(found, looked=looked)


def test_the_distance_of_early_features_is_that_of_mahalanobis() -> None:
    mixing = np.random.default_rng(1).normal(size=(6, 6))
    learnt = np.random.default_rng(2).normal(size=(400, 6)) @ mixing
    index = make_index(with_early(seen(cloud(400, seed=0)), learnt), table(400))
    asked = np.random.default_rng(3).normal(size=(5, 6)) @ mixing
    # Its standardised features have 0.02 added to each variance.
    scale = learnt.std(axis=0)
    variance = np.corrcoef(learnt.T) + 0.02 * np.eye(6)
    inverse = np.linalg.inv(variance)
    rows = (asked - learnt.mean(axis=0)) / scale
    plain = [distance.mahalanobis(row, np.zeros(6), inverse) ** 2 for row in rows]
    assert index.early_distance(asked.astype(np.float32)) == pytest.approx(plain, rel=1e-3)
    assert index.early_distance(asked[:, :5].astype(np.float32)) is None


def test_other_colours_and_texture_are_refused_where_the_features_are_alike() -> None:
    early = np.random.default_rng(1).normal(size=(1600, 6))
    index = make_index(with_early(seen(cloud(1000, seed=0)), early[:1000]), table(1000))
    held = with_early(seen(cloud(600, seed=1)), early[1000:])
    limit = set_limit(index, held, [str(each) for each in range(600)], set_on="validation")
    weights = {each.name: each.weight for each in limit.signals}
    assert (weights["early"], weights["dark"], weights["frame"]) == (1.0, 0.5, 0.5)
    found = with_early(seen(cloud(2, seed=2)), np.array([[0] * 6, [9] * 6]))
    found.pictures[:] = 0
    judged = strangest(
        [Familiar(index, limit, 1).values(found.looked, found.pictures)], [limit]
    )
    assert judged.refused.tolist() == [False, True]
    assert judged.words[1].startswith("its colours and texture")
    # A network whose file gives no early features answers by the other signals.
    bare = Familiar(index, limit, 1).values(
        replace(found.looked, early=None), found.pictures
    )
    assert not strangest([bare], [limit]).refused.any()


def test_neighbours_are_those_of_plain_arithmetic(familiar: Familiar) -> None:
    search = Neighbours(familiar.index)
    points, _ = familiar.index.reduced(cloud(4, seed=5))
    far, row = search.nearest(points, 3)
    plain = np.linalg.norm(points[:, None] - search.rows[None], axis=2)
    assert (row == plain.argsort(axis=1)[:, :3]).all()
    assert far == pytest.approx(np.sort(plain, axis=1)[:, :3], rel=1e-3)


def test_an_image_is_not_its_own_neighbour(familiar: Familiar) -> None:
    search = Neighbours(familiar.index)
    _, row = search.nearest(search.rows[:5], 2, own=np.arange(5))
    assert not (row == np.arange(5)[:, None]).any()


def test_what_is_refused_has_no_probability_unless_it_is_shown(familiar: Familiar) -> None:
    found = seen(np.concatenate([cloud(1, seed=6), cloud(1, seed=7, place=7)]))
    found.pictures[:] = 0
    judged = strangest(
        [familiar.values(found.looked, found.pictures)], [familiar.abstention]
    )
    given = pd.DataFrame(
        {"probability": [0.2, 0.3], "logit": [0.0, 0.0], "reason": ["", "may be odd"]}
    )
    kept, shown = (with_abstention(given, judged, shown=shown) for shown in (False, True))
    assert kept["abstain"].tolist() == shown["abstain"].tolist() == ["no", "yes"]
    assert kept["probability"].isna().tolist() == [False, True]
    assert shown["probability"].tolist() == [0.2, 0.3]
    assert kept["reason"][1].startswith("not answered: looks like nothing I learnt from")
    assert kept["reason"][1].endswith("; may be odd")
    assert shown["reason"][1].startswith("shown, but should not be answered")


def test_a_copy_has_the_hash_of_its_original() -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    lighter = (image * 0.8 + 20).astype(np.uint8)
    apart = bin(gradient_hash(image) ^ gradient_hash(lighter)).count("1")
    assert apart <= 4
    mirrored = gradient_hash(image[:, ::-1])
    assert bin(gradient_hash(image) ^ mirrored).count("1") > 16


class Looking:
    """A predictor whose features are the mean colours, and that counts its looks."""

    def __init__(self) -> None:
        self.looks: list[int | None] = []

    def looked(self, squares: np.ndarray, *, looks: int | None = None) -> Looked:
        self.looks.append(looks)
        means = squares.mean(axis=(1, 2)).astype(np.float32)
        nothing = np.full(len(means), np.nan)
        return Looked(
            answers=means.T[:1].astype(float),
            features=means,
            energy=nothing,
            spread=nothing,
        )


def test_what_was_learnt_from_is_looked_at_once() -> None:
    """Of eight views an index keeps the features of the first, so the others are no use."""
    squares = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3), dtype=np.uint8)
    once, often = Looking(), Looking()
    for_index = fit.seen(once, [squares[:3], squares[3:]], for_index=True)  # type: ignore[arg-type]
    judged = fit.seen(often, [squares[:3], squares[3:]])  # type: ignore[arg-type]
    assert (once.looks, often.looks) == ([1, 1], [None, None])
    assert for_index is not None
    assert judged is not None
    assert np.array_equal(for_index.looked.features, judged.looked.features)
    assert np.array_equal(for_index.prints, judged.prints)
    assert (for_index.pictures.shape[1], judged.pictures.shape[1]) == (0, 5)


def test_a_channel_that_was_always_zero_makes_no_image_strange() -> None:
    early = np.abs(np.random.default_rng(1).normal(size=(400, 6)))
    early[:, 5] = 0  # behind a ReLU that never opened
    index = make_index(with_early(seen(cloud(400, seed=0)), early), table(400))
    asked = early[:50].copy()
    usual = index.early_distance(asked)
    asked[:, 5] = 1e-4
    tiny = index.early_distance(asked)
    asked[:, 5] = 1
    large = index.early_distance(asked)
    assert usual is not None
    assert tiny == pytest.approx(usual, abs=0.01)
    assert large is not None
    assert large.min() > usual.max()


def test_a_wholly_dark_or_framed_picture_is_strange_where_no_other_was() -> None:
    """Shares go from 0 to 1: a spread above that would let the blackest picture pass."""
    for name in ("print", "blur", "dark", "bright", "frame", "members"):
        signal = _signal(name, np.zeros(100), 1.0)
        assert 0 < signal.spread <= 0.1
    assert _signal("dark", np.zeros(100), 1.0).middle == 0
    # What spreads by itself keeps its spread: from the middle to the usual upper end.
    wide = _signal("dark", np.linspace(0, 1, 1001), 1.0)
    assert wide.middle == 0.5
    assert 0.1 < wide.spread <= 0.5
