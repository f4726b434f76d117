"""Search for better settings of a recipe, trial by trial, on validation images alone."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lentigo.config import Config, with_settings
from lentigo.errors import ConfigError, RunError
from lentigo.evaluation.best_of_many import corrected_best
from lentigo.evaluation.clustered import clustered_auc, clustered_difference
from lentigo.evaluation.discrimination import auc
from lentigo.evaluation.telling import tells, told
from lentigo.files import write_text
from lentigo.json_files import write_json, write_plan
from lentigo.output import alone, check_planned_folder
from lentigo.progress import log
from lentigo.recipes import recipe_or
from lentigo.run_layout import (
    BEST_SETTINGS,
    FIGURES,
    TRIALS,
    TUNING,
    TUNING_PLAN,
    TUNING_TABLE,
    FoldLayout,
)
from lentigo.tables import NotedTable, as_noted, read_any_table, write_table
from lentigo.tuning.result import Tuning
from lentigo.tuning.space import Dimension, check_asked
from lentigo.tuning.trainable import REFUSALS, check_space, trial_settings

if TYPE_CHECKING:
    import optuna

    from lentigo.training.checkpoint import Row
    from lentigo.training.trial import Bench

BASE = "as-it-is"
"""Name of the folder with the training of the unchanged recipe, beside those of the
trials."""


class _StoppedEarlyError(Exception):
    """Raised in a trial that the pruner stops early, as its validation AUC is poor."""


def tune(
    table: pd.DataFrame | NotedTable,
    config: Config | None = None,
    *,
    search: Sequence[str] = (),
    out: Path | str,
    trials: int = 30,
    hours: float | None = None,
    pruner: str = "median",
    resume: bool = False,
) -> Tuning:
    """Train a recipe unchanged and with other settings, and find the best settings.

    `search` names settings with ranges or choices (`training.learning_rate=log:1e-4..1e-2`,
    `model.dropout=0..0.5`, `augment.hue=choice:0,5,10`); by default learning rate, weight
    decay, dropout and label smoothing. A trial is one training with values from these
    ranges, which all members of an ensemble share. All trials use the same images, groups
    and folds: they are trained on the training part of the first fold and evaluated by the
    AUC on its validation part, which has other groups (patients). Held-out images are not
    used. `pruner` is the rule that stops poor trials early (`PRUNERS`).

    No new trial begins once `trials` have ended (those before a `resume` included) or
    `hours` have passed since this call. The same call gives the same trials, even if it was
    killed and resumed. Writes `trials.csv`, `best.yaml` (the best settings), a figure and
    `tune.json` into `out`.

    Raises `ConfigError` for a setting, range or number that is not valid, `RunError` if the
    folder `out` is taken or no trial was trained to its end, and what `lentigo.train`
    raises.
    """
    out, config = Path(out), recipe_or(config)
    space = check_asked(
        config, search, out, trials=trials, hours=hours, pruner=pruner, resume=resume
    )
    from lentigo.training.run import settled  # takes seconds; refusals come first
    from lentigo.training.trial import make_bench
    from lentigo.tuning.trials import opened_study

    config, noted = settled(config), as_noted(table)
    with alone(out):
        if not (out / TUNING_PLAN).is_file():  # what is begun goes on, one trial fewer
            check_space(config, space, noted)
        _claim(out, _plan(config, space, pruner), resume=resume)
        began = time.monotonic()
        bench = make_bench(noted, config, out)
        log.info("The recipe as it is comes first.")
        bench.answers(config, FoldLayout(out / BASE))
        with opened_study(out / TRIALS, pruner=pruner) as study:
            run = _Search(bench, config, noted, space, out, study)
            run.clear()
            while run.count() < trials and not _is_over(began, hours):
                run.next(trials)
            found = _judged(run)
        _write(found, out, config)
    return found


def _is_over(began: float, hours: float | None) -> bool:
    return hours is not None and time.monotonic() - began >= hours * 3600


def _plan(config: Config, space: Sequence[Dimension], pruner: str) -> dict[str, Any]:
    return {
        "settings": config.model_dump(mode="json"),
        "search": [each.as_dict() for each in space],
        "pruner": pruner,
    }


def _claim(out: Path, plan: dict[str, Any], *, resume: bool) -> None:
    """Write the plan of a search to `out`, or compare `plan` with the one already there.

    Raises `ConfigError` where the two differ, and `RunError` where `out`
    holds other files, or such a folder without `resume`.
    """
    check_planned_folder(out, plan=TUNING_PLAN, holds="a search", resume=resume)
    refusal = (
        f"The search in {out} was started with other settings, ranges or another "
        f"pruner ({TUNING_PLAN}). Resume it with the same ones, or give another --out."
    )
    write_plan(out / TUNING_PLAN, plan, refusal=refusal)


@dataclass(frozen=True)
class _Search:
    """A search in progress: its data, settings, folder and Optuna study."""

    bench: Bench
    """The images, folds and precision that all trials share."""
    config: Config
    """The settings of the unchanged recipe."""
    table: NotedTable
    space: tuple[Dimension, ...]
    """The searched settings."""
    out: Path
    study: optuna.Study

    def count(self) -> int:
        """Return the number of trials that ended, whether finished or stopped early."""
        from lentigo.tuning.trials import ended

        return len(ended(self.study))

    def place(self, number: int) -> FoldLayout:
        return FoldLayout(self.out / f"trial-{number}")

    def clear(self) -> None:
        """Delete weights and checkpoints that a killed process left of ended trials."""
        from lentigo.training.trial import cleared
        from lentigo.tuning.trials import ended

        for each in ended(self.study):
            cleared(self.place(each.number))
        if (base := FoldLayout(self.out / BASE)).validation.is_file():
            cleared(base)

    def next(self, trials: int) -> None:
        """Run one trial and record its result: an interrupted one if any, else a new one.

        `trials` is the number of trials of the whole search, for the log.
        """
        from lentigo.training.trial import cleared
        from lentigo.tuning.trials import finish, give_up, next_trial, values_of

        trial = next_trial(self.study)
        values = values_of(trial, self.space, seed=self.config.seed)
        place = self.place(trial.number)
        said = ", ".join(f"{name}={_short(value)}" for name, value in values.items())
        log.info("Trial %d of %d: %s.", trial.number + 1, trials, said)
        try:
            answers = self._answers(trial, values, place)
        except _StoppedEarlyError:
            log.info("%s is stopped early: others were better by then.", place.folder.name)
            give_up(trial, "stopped early: others were better by then")
        except _CannotBeTrainedError as error:
            log.info("%s: %s", place.folder.name, error)
            give_up(trial, str(error))
        else:
            score = answers["logit"].to_numpy(np.float64)
            value = float(auc(self.bench.truth(answers), score))
            log.info("%s: validation AUC %.3f.", place.folder.name, value)
            finish(trial, value)
        cleared(place)

    def _answers(
        self, trial: optuna.Trial, values: dict[str, Any], place: FoldLayout
    ) -> pd.DataFrame:
        from lentigo.training.trial import has_diverged
        from lentigo.tuning.trials import report

        try:
            config = trial_settings(self.config, values, self.table)
        except REFUSALS as error:
            # Weights or a table that are gone since are no fault of the trial.
            trial_settings(self.config, {}, self.table)
            raise _CannotBeTrainedError(f"cannot be trained: {error}") from error
        lengths = [own.training.epochs for own in config.of_members()]

        def told(member: int, rows: list[Row]) -> None:
            before = sum(lengths[:member])
            steps = {before + row["epoch"]: row["validation_auc"] for row in rows}
            poor = report(trial, {int(n): float(v) for n, v in steps.items()})
            # After its last epoch a trial costs nothing more, and its answers are worth it.
            if poor and before + len(rows) < sum(lengths):
                raise _StoppedEarlyError

        try:
            return self.bench.answers(config, place, told)
        except ConfigError as error:  # such as a teacher that cannot see its images
            raise _CannotBeTrainedError(f"cannot be trained: {error}") from error
        except RunError as error:
            if has_diverged(place):
                raise _CannotBeTrainedError(f"diverged: {error}") from error
            raise


class _CannotBeTrainedError(Exception):
    """The settings of a trial contradict each other, or its training diverged."""


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _judged(run: _Search) -> Tuning:
    """Compare the best finished trial with the unchanged recipe.

    Raises `RunError` if no trial was trained to its end.
    """
    rows = _rows(run)
    done = rows[rows["state"] == "finished"]
    if done.empty:
        write_table(rows, run.out / TUNING_TABLE)
        raise RunError(
            f"None of the trials was trained to its end ({run.out / TUNING_TABLE} says "
            "why). Search nearer to the settings of the recipe, or give more --trials."
        )
    base = read_any_table(FoldLayout(run.out / BASE).validation)
    truth = run.bench.truth(base)
    group = pd.factorize(base["group_id"])[0].astype(np.intp)
    own = [_scores(run.place(number), base["image_id"]) for number in done["trial"]]
    best = int(np.argmax(done["validation_auc"].to_numpy()))
    number = int(done["trial"].iloc[best])
    before = base["logit"].to_numpy(np.float64)
    kept = run.study.trials[number].params
    return Tuning(
        recipe=run.config.recipe,
        trial=number,
        settings={each.name: kept[each.name] for each in run.space},
        auc=clustered_auc(truth, own[best], group),
        corrected=corrected_best(
            truth, np.stack(own), group, seed=run.config.seed
        ).value if len(own) > 1 else math.nan,
        base=clustered_auc(truth, before, group),
        difference=told(
            clustered_difference(truth, own[best], before, group),
            enough=tells(truth, group),
        ),
        tells=tells(truth, group),
        trials=rows,
        searched=run.space,
        base_settings=_base_settings(run),
        n_images=len(truth),
        n_melanomas=int(truth.sum()),
        n_groups=len(np.unique(group)),
    )  # fmt: skip


def _base_settings(run: _Search) -> dict[str, Any]:
    from lentigo.config import flat_settings

    flat = flat_settings(run.config)
    return {each.name: flat.get(each.name) for each in run.space}


def _rows(run: _Search) -> pd.DataFrame:
    """Return one row per ended trial, with the columns of `Tuning.trials`.

    `validation_auc` of a trial that was stopped early is that of its last epoch.
    """
    from lentigo.training.trial import minutes_of
    from lentigo.tuning.trials import REASON, ended

    rows = []
    for each in ended(run.study):
        reason = str(each.user_attrs.get(REASON, ""))
        seen = each.intermediate_values
        stopped = "not trained" if not seen else "stopped early"
        state = "diverged" if reason.startswith("diverged") else stopped
        value = each.value if not reason else (seen[max(seen)] if seen else math.nan)
        rows.append(
            {
                "trial": each.number,
                "state": state if reason else "finished",
                "validation_auc": value,
                "epochs": len(seen),
                "minutes": minutes_of(run.place(each.number)),
                **{dim.name: each.params[dim.name] for dim in run.space},
                "reason": reason,
            }
        )
    names = ["trial", "state", "validation_auc", "epochs", "minutes"]
    return pd.DataFrame(rows, columns=[*names, *(dim.name for dim in run.space), "reason"])


def _scores(place: FoldLayout, order: pd.Series[str]) -> np.ndarray:
    answers = read_any_table(place.validation).set_index("image_id")["logit"]
    found = order.map(answers).to_numpy(np.float64)
    if np.isnan(found).any():
        raise RunError(
            f"{place.validation} is not of this search; delete {place.folder} and resume."
        )
    return found


def _write(found: Tuning, out: Path, config: Config) -> None:
    """Write table, best settings and figure, then the JSON, which shows that all exist."""
    from lentigo.figures.registry import drawing_of, shown_by
    from lentigo.reports.drawable import drawable

    write_table(found.trials, out / TUNING_TABLE)
    best = with_settings(config, found.settings)
    write_text(out / BEST_SETTINGS, best.to_yaml())
    if drawable():
        from lentigo.figures.style import style

        with style():
            for row in shown_by("tuning"):
                drawing_of(row)(
                    found.trials, recipe=found.recipe, base=found.base.value,
                    searched={each.name: each.log for each in found.searched},
                ).save(out / FIGURES)  # fmt: skip
    write_json(out / TUNING, found.as_dict())
