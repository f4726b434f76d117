"""Several networks a fold as one model: by their ranks, or by the mean of their weights."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import lentigo
from lentigo.errors import ConfigError, RunError
from lentigo.evaluation.discrimination import auc
from lentigo.models.calibration import Calibration, Ranks, then_line
from lentigo.models.description import checked_file, read_description
from lentigo.models.weights import read_weights
from lentigo.run_layout import FoldLayout
from lentigo.tables import read_any_table
from lentigo.training import soup
from lentigo.training.spread import of_one_distribution
from tests.cohorts import draw_cohort, tiny_config

LOW, HIGH = np.array([1.0, 2.0, 3.0]), np.array([10.0, 30.0, 20.0])
"""Logits of two networks for three images, which they rank otherwise."""


def test_a_logit_becomes_the_mean_logit_of_its_rank() -> None:
    low, high = of_one_distribution([LOW, HIGH])
    assert low.apply(LOW) == pytest.approx([5.5, 11, 16.5])
    assert high.apply(HIGH) == pytest.approx([5.5, 16.5, 11])
    assert (low.method, low.n_images) == ("ranks", 3)
    # Between two ranks a line. Beyond the last it goes on with the mean slope, 11 / 2, and
    # rises by a quarter of the range, 2.75, at most: half of it after 1 / 2.
    assert low.apply([1.5, 3.5, 0.5]) == pytest.approx([8.25, 16.5 + 1.375, 5.5 - 1.375])
    assert low.apply([1e6, -1e6]) == pytest.approx([19.25, 2.75], abs=1e-5)


def test_images_beyond_all_of_the_fit_keep_their_order() -> None:
    """Of logits above the highest one, all had one answer; those between keep theirs."""
    rng = np.random.default_rng(0)
    fits = [rng.normal(size=60), 100 * rng.normal(size=60)]
    new = np.sort(rng.normal(2, 1, size=300))
    for each, own, scale in zip(of_one_distribution(fits), fits, (1, 100), strict=True):
        assert isinstance(each.map, Ranks)
        found = each.apply(scale * new)
        assert (np.diff(found) > 0).all()
        within = (own.min() <= scale * new) & (scale * new <= own.max())
        flat = each.map.model_copy(update={"beyond": 0.0})
        assert np.array_equal(found[within], flat.apply(scale * new)[within])
        assert np.sum(flat.apply(scale * new) == max(each.map.values)) > 50
        # A wild logit counts as the last rank and a quarter of the range, no more.
        wild = each.apply([1e6]).item()
        assert wild - max(each.map.values) <= 0.2501 * np.ptp(each.map.values)


@pytest.mark.parametrize("values", [(1.0, 1.0), (0.0, 4.0)])
def test_the_tails_never_reverse_two_logits(values: tuple[float, float]) -> None:
    logits = np.sort(np.random.default_rng(0).normal(0, 1e3, size=20_000))
    near = np.sort(np.concatenate([logits, np.nextafter(logits, np.inf)]))
    found = Ranks(knots=(-1.0, 2.0), values=values, beyond=0.7).apply(near)
    assert (np.diff(found) >= 0).all()
    assert np.isfinite(found).all()
    assert np.isnan(Ranks(knots=(0.0, 1.0), values=values, beyond=1).apply([np.nan])).all()


def test_ties_get_one_value_and_a_constant_network_has_no_ranks() -> None:
    tied, other = of_one_distribution([np.array([1.0, 1.0, 3.0]), LOW])
    assert tied.apply([1.0, 3.0]) == pytest.approx([1.25, 3.0])
    assert other.apply(LOW) == pytest.approx([1, 1.5, 3])
    assert of_one_distribution([np.ones(3), LOW]) == []


def test_the_mean_of_ranks_knows_no_loud_network() -> None:
    truth = np.array([True, True, False, False])
    quiet, loud = np.array([2.0, 1.0, -1.0, -2.0]), np.array([9.0, -99.0, -8.0, 99.0])
    assert auc(truth, quiet + loud) == 1 / 4
    maps = of_one_distribution([quiet, loud])
    ranks = [each.apply(own) for each, own in zip(maps, (quiet, loud), strict=True)]
    # The ranks 4, 3, 2, 1 and 3, 1, 2, 4 stand for the same four values.
    values = np.sort(ranks[0])
    assert ranks[1] == pytest.approx(values[[2, 0, 1, 3]])


def test_a_line_after_ranks_is_one_map_that_counts_as_fitted() -> None:
    ranks = Ranks(knots=(0.0, 1.0), values=(-2.0, 4.0))
    both = Calibration(map=then_line(ranks, 0.5, 1.0))
    assert both.apply([0.0, 0.5, 1.0]) == pytest.approx([0, 1.5, 3])
    tails = ranks.model_copy(update={"beyond": 2.0})
    line = then_line(tails, 0.5, 1.0)
    assert line.apply([-3.0, 1.2]) == pytest.approx(0.5 * tails.apply([-3.0, 1.2]) + 1)
    assert (Calibration(map=ranks).method, both.method) == ("ranks", "platt")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return draw_cohort(tmp_path_factory.mktemp("discs"), images=80)


def test_a_run_by_ranks_answers_as_its_model_folder(
    cohort: pd.DataFrame, tmp_path: Path
) -> None:
    config = tiny_config(
        members=({}, {"training.target": "diagnosis"}), combine="ranks", split__folds=5
    )
    run = lentigo.train(cohort, config, folds=1, out=tmp_path / "run")
    fold = run.layout.fold(0)
    known = read_description(fold.model)
    assert {each.calibration.map.method for each in known.members} == {"ranks"}
    logits = [
        member.calibration.apply(read_any_table(each.predictions)["raw_logit"])
        for member, each in zip(known.members, fold.members(), strict=True)
    ]
    held_out = read_any_table(fold.predictions)
    assert np.allclose(held_out["logit"], np.mean(logits, axis=0), atol=1e-9)
    paths = cohort.set_index("image_id").loc[held_out["image_id"], "path"]
    again = lentigo.load(fold.model, engine="torch").predict(list(paths))
    assert np.allclose(again["logit"], held_out["logit"], atol=1e-4)
    assert "ranks among those of the networks" in (fold.model / "card.md").read_text()


def test_a_soup_is_one_network_with_the_mean_of_the_weights(
    cohort: pd.DataFrame, tmp_path: Path
) -> None:
    config = tiny_config(members=({}, {}), combine="soup", split__folds=5)
    run = lentigo.train(cohort, config, folds=1, out=tmp_path / "run")
    fold = run.layout.fold(0)
    own = [_weights(each.model) for each in fold.members()]
    mixed = _weights(fold.model)
    learnt = [name for name in mixed if "running" not in name and "num_" not in name]
    assert any(not torch.equal(own[0][name], own[1][name]) for name in learnt)
    # Which are kept, the validation AUC decides: the first, the second, or both.
    kept = [
        part for part in ([own[0]], [own[1]], own)
        if all(_is_mean(mixed[name], [each[name] for each in part]) for name in learnt)
    ]  # fmt: skip
    assert len(kept) == 1
    known = read_description(fold.model)
    assert known.settings["combine"] == "soup"
    assert known.members[0].name.startswith("fold-0 mean of weights of member-")
    best = max(_auc(each, cohort) for each in fold.members())
    assert _auc(fold, cohort) >= best - 1e-9
    held_out = read_any_table(fold.predictions)
    paths = cohort.set_index("image_id").loc[held_out["image_id"], "path"]
    again = lentigo.load(fold.model, engine="torch").predict(list(paths))
    assert np.allclose(again["logit"], held_out["logit"], atol=1e-4)


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    known = read_description(folder)
    (member,) = known.members
    return read_weights(checked_file(folder, known, str(member.files.torch)))


def _is_mean(mixed: torch.Tensor, parts: list[torch.Tensor]) -> bool:
    return torch.allclose(mixed, torch.stack(parts).mean(dim=0), atol=1e-6)


def _auc(layout: FoldLayout, cohort: pd.DataFrame) -> float:
    table = read_any_table(layout.validation)
    truth = cohort.set_index("image_id").loc[table["image_id"], "melanoma"]
    return float(auc(truth.to_numpy(bool), table["raw_logit"].to_numpy(float)))


class _Judged:
    """Two validation images, of which the second is a melanoma."""

    labels = np.array([0.0, 1.0])

    def __len__(self) -> int:
        return 2


def test_the_mean_that_is_judged_is_that_of_all_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One network after the other is judged alone, then both together, then three."""
    judged: list[float] = []

    def predict(self: Any, _: Any) -> np.ndarray:
        judged.append(self.swa.module.weight.item())
        return np.array([0.0, 1.0])

    trainer: Any = SimpleNamespace(
        model=torch.nn.Linear(1, 1, bias=False), swa=None,
        fold=SimpleNamespace(validation=_Judged()),
    )  # fmt: skip
    trainer.predict = lambda examples: predict(trainer, examples)
    monkeypatch.setattr(soup, "_recompute", lambda *_: None)
    one, two, four = ({"weight": torch.full((1, 1), value)} for value in (1.0, 2.0, 4.0))
    layout: Any = SimpleNamespace(model="m")
    for weights in ([one], [two], [one, two], [two, one], [one, two, four], [four]):
        assert soup._judged(trainer, weights, layout) == 1
    assert judged == pytest.approx([1, 2, 1.5, 1.5, 7 / 3, 4])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"logit_shift": 1.1}, "member-1 has another logit_shift than member-0"),
        ({"diagnoses": ["melanoma", "other"]}, "member-1 tells other diagnoses apart"),
        ({"metadata": "late"}, "member-1 has other numbers for age, sex and site"),
    ],
    ids=str,
)
def test_weights_of_different_meanings_have_no_mean(
    changed: dict[str, Any], said: str
) -> None:
    plain = {"diagnoses": [], "logit_shift": 0.0, "metadata": None, "input": "rgb"}
    one, other = (SimpleNamespace(**{**plain, **each}) for each in ({}, changed))
    soup.check_same_meaning([one, one])  # type: ignore[list-item]
    with pytest.raises(RunError, match=said):
        soup.check_same_meaning([one, other])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("together", "kept"),
    [
        ({(1, 0): 0.85, (1, 0, 2): 0.84}, [1, 0]),  # the third makes it worse
        ({(1, 0): 0.79, (1, 2): 0.80}, [1, 2]),  # as good as before is kept
        ({(1, 0): 0.5, (1, 2): 0.5}, [1]),
    ],
)
def test_only_what_does_not_lower_the_auc_is_kept(
    together: dict[tuple[int, ...], float],
    kept: list[int],
    monkeypatch: Any,
    tmp_path: Path,
) -> None:
    known = {(0,): 0.7, (1,): 0.8, (2,): 0.6, **together}
    monkeypatch.setattr(soup, "merge_adapters", lambda network: None)
    monkeypatch.setattr(soup, "_weights", lambda folder: int(folder.parent.name[-1]))
    monkeypatch.setattr(soup, "_judged", lambda _, weights, __: known[tuple(weights)])
    monkeypatch.setattr(
        soup, "read_description",
        lambda _: SimpleNamespace(members=[SimpleNamespace(best_epoch=3)]),
    )  # fmt: skip
    members: list[Any] = [
        SimpleNamespace(model=tmp_path / f"member-{k}" / "model") for k in range(3)
    ]
    trainer: Any = SimpleNamespace(
        model=None, progress=SimpleNamespace(),
        fabric=SimpleNamespace(is_global_zero=False),
    )  # fmt: skip
    assert soup.greedy_soup(trainer, members) == kept
    assert trainer.progress.best_epoch == 3
    assert trainer.progress.history[2]["validation_auc"] == known[tuple(kept)]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"combine": "soup"}, "combine soup is for several networks"),
        ({"combine": "ranks", "members": ({},)}, "is for several networks"),
        (
            {"combine": "soup", "members": ({}, {"training.image_size": 40})},
            "cannot differ in training.image_size",
        ),
        (
            {"combine": "soup", "members": ({}, {"model.dropout": 0.5})},
            "cannot differ in model.dropout",
        ),
        ({"combine": "soup", "members": ({}, {}), "refit": True}, "a refit has none"),
    ],
)
def test_what_cannot_be_combined_is_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        tiny_config(**settings)
