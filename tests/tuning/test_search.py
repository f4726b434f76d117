"""A whole search on discs: killed and gone on with, judged, written, and drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from lentigo.config import read_config, with_settings
from lentigo.errors import ConfigError, RunError
from lentigo.tables import as_noted, read_any_table, write_table
from tests.cohorts import draw_cohort, tiny_config

pytest.importorskip("optuna", reason="the extra tune is not installed")
from lentigo.tuning.result import Tuning
from lentigo.tuning.search import tune
from lentigo.tuning.space import search_space
from lentigo.tuning.trainable import check_space

CONFIG = tiny_config(
    model__backbone="test_resnet", split__validation=0.4, training__epochs=2,
    training__average=0.0, training__index="none",
)  # fmt: skip
SEARCH = ["training.learning_rate=log:1e-4..0.1", "augment.hue=choice:0,5,10"]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return draw_cohort(tmp_path_factory.mktemp("discs"), images=80)


@pytest.fixture(scope="module")
def whole(
    cohort: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Tuning, Path, list[str]]:
    """Return a search that nobody stopped, and the parts of the images it looked at."""
    from lentigo.training import network

    out, parts = tmp_path_factory.mktemp("whole") / "out", []
    examples = network._examples

    def noted(work: Any, role: Any, config: Any, name: str, *more: Any) -> Any:
        parts.append(name)
        return examples(work, role, config, name, *more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "_examples", noted)
        found = tune(cohort, CONFIG, search=SEARCH, out=out, trials=4)
    return found, out, parts


def test_no_held_out_image_is_looked_at(whole: tuple[Tuning, Path, list[str]]) -> None:
    _, out, parts = whole
    assert set(parts) == {"train", "validation"}
    for place in out.glob("trial-*"):
        role = read_any_table(place / "roles.csv").set_index("image_id")["role"]
        judged = read_any_table(place / "validation.csv")
        assert set(judged["image_id"].map(role)) == {"validation"}
        table = read_any_table(out / "prepared" / "table.parquet").set_index("image_id")
        others = table.loc[role.index[role != "validation"], "group_id"]
        assert not set(judged["group_id"]) & set(others)
        assert not list(place.glob("*.pt")) + list(place.glob("*.safetensors"))


def test_the_best_is_judged_beside_the_recipe(
    whole: tuple[Tuning, Path, list[str]],
) -> None:
    found, out, _ = whole
    trials = read_any_table(out / "trials.csv")
    assert trials["trial"].tolist() == [0, 1, 2, 3]
    done = trials[trials["state"] == "finished"]
    table = read_any_table(out / "prepared" / "table.parquet").set_index("image_id")
    for row in done.to_dict("records"):
        own = read_any_table(out / f"trial-{row['trial']}" / "validation.csv")
        truth = own["image_id"].map(table["melanoma"]).to_numpy(bool)
        assert row["validation_auc"] == pytest.approx(roc_auc_score(truth, own["logit"]))
    assert found.auc.value == pytest.approx(done["validation_auc"].max())
    assert found.difference.value == pytest.approx(found.auc.value - found.base.value)
    assert found.n_images == len(own)
    told = json.loads((out / "tune.json").read_text(encoding="utf-8"))
    assert told["trial"] == found.trial
    assert f"the best of {found.finished}" in told["optimism"]
    assert {path.name for path in (out / "figures").iterdir()} == {
        "tuning.csv", "tuning.png", "tuning.svg"
    }  # fmt: skip


def test_the_best_settings_are_ready_for_a_run(
    whole: tuple[Tuning, Path, list[str]],
) -> None:
    found, out, _ = whole
    assert read_config(out / "best.yaml") == with_settings(CONFIG, found.settings)
    assert set(found.settings) == {"training.learning_rate", "augment.hue"}


@pytest.mark.slow
def test_a_killed_search_ends_as_one_that_was_not(
    whole: tuple[Tuning, Path, list[str]],
    cohort: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed after an epoch of a trial is saved and not noted, and again before it ends."""
    from lentigo.tuning import trials

    out = tmp_path / "out"
    calls = {"report": 0, "finish": 0}

    def killing(name: str, at: int) -> None:
        real = getattr(trials, name)

        def called(*given: Any) -> Any:
            calls[name] += 1
            if calls[name] == at:
                raise SystemExit("killed")
            return real(*given)

        monkeypatch.setattr(trials, name, called)

    killing("report", 3)
    killing("finish", 2)
    for killed in (True, True, False):
        again: dict[str, Any] = {"search": SEARCH, "out": out, "resume": out.exists()}
        if killed:
            with pytest.raises(SystemExit, match="killed"):
                tune(cohort, CONFIG, trials=2, **again)
        else:  # in two goes: the second counts the trials of the first
            tune(cohort, CONFIG, trials=2, **again)
            found = tune(cohort, CONFIG, trials=4, **again)
    expected, same = whole[0].trials, ["minutes"]
    pd.testing.assert_frame_equal(
        found.trials.drop(columns=same), expected.drop(columns=same)
    )
    assert found.corrected == pytest.approx(whole[0].corrected, nan_ok=True)


def test_another_search_is_not_gone_on_with(
    whole: tuple[Tuning, Path, list[str]], cohort: pd.DataFrame
) -> None:
    out = whole[1]
    with pytest.raises(RunError, match=r"holds a search\. Go on with --resume"):
        tune(cohort, CONFIG, search=SEARCH, out=out)
    with pytest.raises(ConfigError, match="other settings, ranges"):
        tune(cohort, CONFIG, search=SEARCH[:1], out=out, resume=True)
    twice = with_settings(CONFIG, {"split.repeats": 2})
    with pytest.raises(ConfigError, match="All trials share one division"):
        tune(cohort, twice, search=SEARCH, out=out.parent / "twice")


def test_several_networks_answer_by_their_mean_and_poor_trials_end_early(
    cohort: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second trial is called poor after one network, the first after its last."""
    from lentigo.tuning import trials

    real = trials.report
    poor = {(1, 1), (0, 2)}
    monkeypatch.setattr(
        trials, "report",
        lambda trial, seen: real(trial, seen) or (trial.number, len(seen)) in poor,
    )  # fmt: skip
    members: tuple[dict[str, str], ...] = ({}, {"training.loss": "focal"})
    config = with_settings(CONFIG, {"members": members, "training.epochs": 1})
    found = tune(
        cohort, config, search=["training.label_smoothing=0..0.1"],
        out=tmp_path / "out", trials=2,
    )  # fmt: skip
    assert found.trials["state"].tolist() == ["finished", "stopped early"]
    assert found.trials["epochs"].tolist() == [2, 1]
    own = read_any_table(tmp_path / "out/trial-0/validation.csv")
    assert np.isfinite(own["logit"]).all()
    assert (tmp_path / "out/trial-0/member-1/metrics.csv").is_file()


def test_settings_that_do_not_go_together_are_a_trial_that_is_told(
    cohort: pd.DataFrame, tmp_path: Path
) -> None:
    """Each value goes along with the recipe, but not mixup with the margin of AUC."""
    search = ["training.mixup=choice:0.1,0.2", "training.loss=choice:auc_margin,focal"]
    config = with_settings(CONFIG, {"training.epochs": 1, "seed": 1})
    with pytest.raises(RunError, match=r"None of the trials|best") as told:
        tune(cohort, config, search=search, out=tmp_path / "out", trials=1)
    assert "trials.csv says why" in str(told.value)
    (row,) = read_any_table(tmp_path / "out/trials.csv").to_dict("records")
    assert row["state"] == "not trained"
    assert "auc_margin does not go together with mixup" in row["reason"]


@pytest.mark.parametrize(
    ("search", "said"),
    [
        ("training.frozen_stages=0..5", "the value 5 cannot be trained.* 4 stages behind"),
        ("model.metadata=choice:none,late", "the value late .* an age, a sex or a site"),
        ("training.margin=0.1..1", "Nothing reads training.margin"),
    ],
)
def test_a_value_that_cannot_be_trained_is_refused_before_the_first_training(
    cohort: pd.DataFrame, tmp_path: Path, search: str, said: str
) -> None:
    unknown = cohort.drop(columns=["age", "sex", "site"], errors="ignore")
    with pytest.raises(ConfigError, match=said):
        tune(unknown, CONFIG, search=[search], out=tmp_path / "out", trials=1)
    assert not list((tmp_path / "out").glob("*"))


def test_a_value_that_another_searched_setting_allows_is_tried(
    cohort: pd.DataFrame,
) -> None:
    """An exponent of the focal loss is read where the loss is searched, too."""
    space = search_space(
        CONFIG, ["training.focus=1..3", "training.loss=choice:focal,cross_entropy"]
    )
    check_space(CONFIG, space, as_noted(cohort))
    with pytest.raises(ConfigError, match=r"training\.focus"):
        check_space(CONFIG, space[:1], as_noted(cohort))


def test_a_search_that_was_begun_goes_on_past_a_value_that_cannot_be_trained(
    cohort: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One value ended the whole search, and each --resume ended at the same trial."""
    from lentigo.training import trial

    answered: list[int] = []

    def answers(self: Any, config: Any, place: Any, told: Any = None) -> pd.DataFrame:
        answered.append(config.training.frozen_stages)
        own = self.work.table[(self.role == "validation").to_numpy()]
        found: pd.DataFrame = own[["image_id", "group_id"]].assign(
            logit=np.arange(len(own))
        )
        write_table(found, place.validation)
        return found

    monkeypatch.setattr(trial.Bench, "answers", answers)
    monkeypatch.setattr("lentigo.tuning.search.check_space", lambda *_: None)
    out, search = tmp_path / "out", ["training.frozen_stages=choice:9,1,2"]
    found = tune(cohort, CONFIG, search=search, out=out, trials=4)
    monkeypatch.undo()
    monkeypatch.setattr(trial.Bench, "answers", answers)
    found = tune(cohort, CONFIG, search=search, out=out, trials=6, resume=True)
    state = found.trials.set_index("trial")["state"].tolist()
    assert set(state) == {"not trained", "finished"}
    assert len(state) == 6
    lost = found.trials[found.trials["state"] == "not trained"]
    assert lost["training.frozen_stages"].tolist() == [9] * len(lost)
    assert lost["reason"].str.contains("leave none to learn; give at most 3").all()
    assert 9 not in answered


@pytest.mark.parametrize("diverged", [True, False])
def test_a_trial_that_cannot_be_trained_is_told_and_any_other_error_is_raised(
    cohort: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, diverged: bool
) -> None:
    from lentigo.training import trial

    def answers(self: Any, config: Any, place: Any, told: Any = None) -> pd.DataFrame:
        if place.folder.name == "as-it-is":
            own: pd.DataFrame = self.work.table[(self.role == "validation").to_numpy()]
            return own[["image_id", "group_id"]].assign(logit=np.arange(len(own)))
        if config.training.frozen_stages == 2:
            raise ConfigError("The teacher cannot see these images.")
        raise RunError("It went wrong.")

    monkeypatch.setattr(trial.Bench, "answers", answers)
    monkeypatch.setattr(trial, "has_diverged", lambda place: diverged)
    said = "None of the trials was trained to its end" if diverged else "It went wrong"
    out, search = tmp_path / "out", ["training.frozen_stages=choice:1,2"]
    with pytest.raises(RunError, match=said):
        tune(cohort, CONFIG, search=search, out=out, trials=6)
    if diverged:
        assert set(pd.read_csv(out / "trials.csv")["reason"]) == {
            "cannot be trained: The teacher cannot see these images.",
            "diverged: It went wrong.",
        }
