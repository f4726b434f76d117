"""A frozen backbone looks once at each view, and the head learns the same as otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from lentigo.config import Config
from lentigo.stopping import Terminated, listening
from lentigo.training.frozen import FrozenEpochs
from lentigo.training.loop import fit
from lentigo.training.trainer import Trainer
from tests.training.test_trainer import settings, stop_after, trainer


def frozen(views: int, **more: Any) -> Config:
    """Return settings of two frozen epochs, then one in which all learns."""
    return settings(
        training__epochs=3, training__frozen_epochs=2, training__frozen_views=views,
        training__average=0.9, model__dropout=0.3, model__hidden=4, **more,
    )  # fmt: skip


def varied(folder: Path, config: Config) -> Trainer:
    """Return the training of 21 images, each varied as the settings say."""
    found = trainer(folder, config)
    found.fold.train.config = config.augment
    return found


def looks(fold: Trainer) -> list[int]:
    """Count the images that the backbone sees in each epoch."""
    seen: list[int] = []
    fold.model.backbone.register_forward_pre_hook(
        lambda _, given: seen.append(len(given[0]))
    )
    counts = []
    note = fold.epoch

    def epoch() -> Any:
        before = sum(seen)
        row = note()
        counts.append(sum(seen) - before)
        return row

    fold.epoch = epoch  # type: ignore[method-assign]
    fit(fold)
    return counts


def same(ours: Trainer, theirs: Trainer) -> None:
    for one, other in zip(ours.progress.history, theirs.progress.history, strict=True):
        assert {**one, "seconds": 0} == pytest.approx({**other, "seconds": 0}, abs=1e-6)
    for network in ("model", "judged"):
        weights = getattr(theirs, network).state_dict()
        for name, value in getattr(ours, network).state_dict().items():
            torch.testing.assert_close(value, weights[name], rtol=0, atol=1e-6)


@pytest.mark.parametrize("views", [1, 2])
def test_the_head_learns_the_same_as_if_the_backbone_looked_each_time(
    views: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = varied(tmp_path / "kept", frozen(views))
    fit(kept)
    with monkeypatch.context() as patched:
        patched.setattr(FrozenEpochs, "keeps", lambda *_: False)
        plain = varied(tmp_path / "plain", frozen(views))
        fit(plain)
    same(kept, plain)


def test_each_view_is_looked_at_once(tmp_path: Path) -> None:
    """21 images, of which the 12 to judge by stand in two mirrored views."""
    one, two, new = (
        looks(varied(tmp_path / str(views), frozen(views))) for views in (1, 2, 0)
    )
    assert one[:2] == [21 + 2 * 12, 0]
    assert two[:2] == [21 + 2 * 12, 21]
    assert new[:2] == [21, 21]  # the average of the weights judges, a network of its own


def test_only_what_is_drawn_is_looked_at(tmp_path: Path) -> None:
    config = frozen(1, training__epoch_images=8)
    assert looks(varied(tmp_path / "run", config))[:2] == [16 + 2 * 12, 0]


@pytest.mark.parametrize("steps", [2, 5])
def test_a_stop_among_frozen_epochs_changes_nothing(
    steps: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An epoch has three steps."""
    whole = varied(tmp_path / "whole", frozen(1))
    fit(whole)
    with monkeypatch.context() as patched:
        stop_after(patched, steps)
        with pytest.raises(Terminated, match="resume"), listening():
            fit(varied(tmp_path / "fold-0", frozen(1)))
    resumed = varied(tmp_path / "fold-0", frozen(1))
    fit(resumed)
    for ours, theirs in zip(resumed.progress.history, whole.progress.history, strict=True):
        assert {**ours, "seconds": 0} == {**theirs, "seconds": 0}
    weights = resumed.judged.state_dict()
    assert all(torch.equal(v, weights[k]) for k, v in whole.judged.state_dict().items())


def test_kept_views_differ_between_images_and_views_and_not_between_epochs(
    tmp_path: Path,
) -> None:
    phase = varied(tmp_path / "run", frozen(2)).frozen
    keys = [
        {place: key for batch in phase.draws(epoch) for place, key in batch}
        for epoch in range(3)
    ]
    assert all(keys[0][place] != keys[1][place] for place in range(21))
    assert len({*keys[0].values(), *keys[1].values()}) == 42
    assert {len(key) for key in keys[2].values()} == {3}  # of an epoch, not kept
    assert phase._kept(4, 0) == phase._kept(4, 2)


def test_a_training_without_frozen_epochs_draws_as_ever(tmp_path: Path) -> None:
    fold = varied(tmp_path / "run", settings(training__frozen_views=1))
    assert fold.frozen.draws(0) == fold.order.epoch(0)
