"""Ablation: train a recipe with and without each setting on the same folds, and compare."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lentigo.ablation_strata import auc_within, comparable, difference_within
from lentigo.ablation_switches import (
    changed_by,
    check_asked,
    of_switch,
    same,
)
from lentigo.config import BY_SOURCE, Config, parse_settings, with_settings
from lentigo.config.sense import check_is_read
from lentigo.errors import RunError
from lentigo.evaluation.clustered import Estimate
from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import IntArray, Interval
from lentigo.evaluation.telling import tells, told, too_few_to_tell
from lentigo.json_files import write_json, write_plan
from lentigo.output import alone, check_planned_folder
from lentigo.progress import log
from lentigo.recipes import recipe_or
from lentigo.run_layout import (
    ABLATION,
    ABLATION_PLAN,
    ABLATION_TABLE,
    FIGURES,
    PIXELS,
    RunLayout,
)
from lentigo.tables import NotedTable, as_noted, read_any_table, write_table
from lentigo.words import counted

BASE = "as it is"
"""The name, in the results, of the recipe as it is, without any switch."""


@dataclass(frozen=True, kw_only=True)
class Effect:
    """The effect of a switch: the AUC with it minus the AUC without it."""

    switch: str
    """The switch as it was given, such as `training.views=2`; `BASE` for the unchanged
    recipe."""
    auc: float
    """The mean over seeds of the AUC on the held-out images, each compared with those of
    its fold and archive."""
    difference: Interval
    """The mean over seeds of the paired differences in AUC, with its 95 % interval; without
    bounds where there are too few groups to tell a difference."""
    of_seeds: tuple[float, ...]
    """The difference in AUC of each seed, in the order of the seeds."""
    of_archives: Mapping[str, float] = field(default_factory=dict)
    """The mean over seeds of the AUC in each archive; empty where there is only one."""
    minutes: float
    """The training time in minutes, of all epochs and networks of a run: its mean over
    seeds."""

    def as_dict(self) -> dict[str, Any]:
        """Return all fields as plain values, ready for JSON."""
        return {**asdict(self), "difference": self.difference.as_dict()}


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """The effect of each switch of a recipe; the first entry is the unchanged recipe."""

    recipe: str
    """Name of the recipe."""
    effects: tuple[Effect, ...]
    seeds: tuple[int, ...]
    """The seeds with which each switch was trained."""
    n_images: int
    """Number of held-out images that the AUCs are from; likewise melanomas and groups."""
    n_melanomas: int
    n_groups: int
    too_few: str = ""
    """A sentence that there are too few groups to tell a difference, where that is so."""
    diverged: Mapping[str, str] = field(default_factory=dict)
    """The switches that were not judged, as a training of theirs diverged, and how."""

    def as_dict(self) -> dict[str, Any]:
        """Return all fields as plain values, ready for JSON."""
        plain = {name: value for name, value in vars(self).items() if name != "effects"}
        return {**plain, "effects": [each.as_dict() for each in self.effects]}

    def as_table(self) -> pd.DataFrame:
        """Return one row per switch: its AUC, difference, interval, seeds and minutes."""
        return pd.DataFrame(
            [
                {
                    "switch": each.switch,
                    "auc": each.auc,
                    "difference": each.difference.value,
                    "low": each.difference.low,
                    "high": each.difference.high,
                    **{
                        f"difference_seed_{seed}": value
                        for seed, value in zip(self.seeds, each.of_seeds, strict=True)
                    },
                    **{f"auc_{name}": v for name, v in each.of_archives.items()},
                    "minutes": each.minutes,
                }
                for each in self.effects
            ]
        )

    def as_text(self) -> str:
        """Return a heading and one line for each switch, for a terminal."""
        lines = [
            f"AUC on {counted(self.n_images, 'held-out image')} of "
            f"{counted(self.n_groups, 'group')}, {counted(self.n_melanomas, 'melanoma')}; "
            f"mean of {counted(len(self.seeds), 'seed')}; minus that of the recipe, 95 % "
            "interval."
        ]
        for each in self.effects:
            lines.append(f"  {each.auc:.3f}  {_words(each):<28}  {each.switch}")
        lines += [f"  not judged  {name}: {why}" for name, why in self.diverged.items()]
        return "\n".join([*lines, *([self.too_few] if self.too_few else [])])


def _words(effect: Effect) -> str:
    found = effect.difference
    if effect.switch == BASE:
        return ""
    if math.isnan(found.low):
        return f"{found.value:+.3f} (no interval)"
    return f"{found.value:+.3f} ({found.low:+.3f} to {found.high:+.3f})"


def ablate(
    table: pd.DataFrame | NotedTable,
    config: Config | None = None,
    *,
    switches: Sequence[str],
    out: Path | str,
    seeds: int = 3,
    folds: int = 1,
    resume: bool = False,
) -> Ablation:
    """Train a recipe without a switch and with each of `switches`, and compare the AUCs.

    A switch changes a setting (`training.views=2`) or several at once (with spaces between
    them). All trainings share images, groups and folds; each switch is trained with each of
    `seeds` seeds, from 0 upwards, which also draw the validation images anew. The models
    are judged on the `folds` folds that are held out, so `table` must not contain the test
    images of a later study: the choice of a setting would have seen them.

    An image is compared only with those of its fold (the same network) and its archive; the
    AUC is the mean of theirs, weighted by melanomas. The difference of a switch is the mean
    over seeds of paired differences. Its variance is
    the variance between patients (Obuchowski 1997, doi:10.2307/2533958) plus, from two
    seeds on, the variance of the mean over seeds.

    Writes a table (CSV, JSON), a figure and one run folder for each training into `out`.
    With `resume`, an interrupted ablation goes on without repeating the trainings that are
    done.

    Raises `ConfigError` for a switch that is wrong, changes nothing or repeats another one,
    and `RunError` where `out` holds other files, or an ablation without `resume`.
    """
    from lentigo.training.run import check_can_train, settled  # takes seconds

    out, config = Path(out), recipe_or(config)
    check_asked(config, switches, out, seeds=seeds, folds=folds, resume=resume)
    config = settled(config)
    variants, noted = variants_of(config, switches), as_noted(table)
    for name, each in variants.items():
        with of_switch("" if name == BASE else name):
            check_can_train(each, noted)
    with alone(out):
        _claim(out, _plan(config, variants, seeds, folds), resume=resume)
        runs, lost = _trained(noted, variants, out, seeds=seeds, folds=folds)
        found = replace(_compared(runs, config, seeds), diverged=lost)
        _write(found, out)
    return found


def variants_of(config: Config, switches: Sequence[str]) -> dict[str, Config]:
    """Return the settings of each training by the name of its switch, the recipe first.

    Raises `ConfigError` for a switch that is given twice, changes nothing, changes a
    setting that all trainings share, or one that nothing reads.
    """
    from lentigo.training.run import settled

    found = {BASE: config}
    for name, changed in changed_by(switches, config).items():
        settings = settled(changed)
        if settings in found.values():
            raise same(name)
        with of_switch(name):
            check_is_read(settings, parse_settings(name.split()))
        found[name] = settings
    return found


def _plan(
    config: Config, variants: Mapping[str, Config], seeds: int, folds: int
) -> dict[str, Any]:
    told = {name: each.model_dump(mode="json") for name, each in variants.items()}
    return {"recipe": config.recipe, "seeds": seeds, "folds": folds, "variants": told}


def _claim(out: Path, plan: dict[str, Any], *, resume: bool) -> None:
    """Write the plan of the ablation, or compare `plan` with the one that is there.

    Raises `ConfigError` where the two differ, and `RunError` where `out`
    holds other files, or such a folder without `resume`.
    """
    check_planned_folder(out, plan=ABLATION_PLAN, holds="an ablation", resume=resume)
    refusal = (
        f"The ablation in {out} was started with other settings, switches, seeds or "
        f"folds ({ABLATION_PLAN}). Resume it with the same ones, or give another --out."
    )
    write_plan(out / ABLATION_PLAN, plan, refusal=refusal)


def _trained(
    table: NotedTable,
    variants: Mapping[str, Config],
    out: Path,
    *,
    seeds: int,
    folds: int,
) -> tuple[dict[str, list[RunLayout]], dict[str, str]]:
    """Train the variants not trained yet, each in its own run folder below `out`.

    Returned are the run folders of each variant, in the order of the seeds, and the
    variants of which a training diverged, with its message. Their further seeds are left
    out. Raises `RunError` if the recipe as it is diverges.
    """
    from lentigo.training.run import train
    from lentigo.training.trial import has_diverged

    first = RunLayout(out / "switch-0-seed-0")
    by_source = variants[BASE].split.scheme == BY_SOURCE  # the same folds by itself
    found: dict[str, list[RunLayout]] = {name: [] for name in variants}
    lost: dict[str, str] = {}
    for seed in range(seeds):
        for number, (name, config) in enumerate(variants.items()):
            place = RunLayout(out / f"switch-{number}-seed-{seed}")
            found[name].append(place)
            if place.is_trained() or name in lost:
                continue
            log.info("Seed %d, %s.", seed, name)
            own = with_settings(config, {"seed": seed, "imaging.store": str(out / PIXELS)})
            try:
                train(
                    table, own, out=place.folder, folds=folds,
                    resume=place.folder.is_dir(),
                    split=None if by_source or place == first else first.split,
                )  # fmt: skip
            except RunError as error:
                if name == BASE or not any(map(has_diverged, place.folds())):
                    raise
                log.warning("%s is not judged: %s", name, error)
                lost[name] = str(error)
    return {name: own for name, own in found.items() if name not in lost}, lost


def _compared(runs: Mapping[str, list[RunLayout]], config: Config, seeds: int) -> Ablation:
    judged = _judged(runs[BASE][0])
    truth, group, stratum = judged.truth, judged.group, judged.stratum
    scores = {
        name: [_scores(each, judged.order) for each in places]
        for name, places in runs.items()
    }
    aucs = {
        name: [auc_within(truth, each, stratum) for each in own]
        for name, own in scores.items()
    }
    effects, enough = [], len(truth) > 0 and tells(truth, group)
    for name, own in scores.items():
        pairs = list(zip(own, scores[BASE], strict=True))
        each = tuple(a - b for a, b in zip(aucs[name], aucs[BASE], strict=True))
        found = with_seeds(difference_within(truth, pairs, group, stratum), each)
        effects.append(
            Effect(
                switch=name,
                auc=float(np.mean(aucs[name])),
                of_archives=judged.of_archives(own),
                difference=told(found.interval(), enough=enough),
                of_seeds=each,
                minutes=float(np.mean([_minutes(place) for place in runs[name]])),
            )
        )
    return Ablation(
        recipe=config.recipe,
        effects=tuple(effects),
        seeds=tuple(range(seeds)),
        n_images=len(truth),
        n_melanomas=int(truth.sum()),
        n_groups=len(np.unique(group)),
        too_few="" if enough else too_few_to_tell("what a switch gives"),
    )


@dataclass(frozen=True)
class _Judged:
    """The held-out images whose scores can be compared, in the order of `order`."""

    order: pd.Series[str]
    truth: BoolArray
    group: IntArray
    stratum: IntArray
    """The number of the fold and the archive of each image, together."""
    archive: pd.Series[str]

    def of_archives(self, scores: Sequence[FloatArray]) -> dict[str, float]:
        """Return the mean AUC, over seeds, in each archive; empty for a single one."""
        names = sorted(self.archive.unique())
        parts = {name: (self.archive == name).to_numpy(bool) for name in names}
        return {
            name: float(
                np.mean([auc_within(self.truth[p], s[p], self.stratum[p]) for s in scores])
            )
            for name, p in (parts.items() if len(names) > 1 else ())
        }


def _judged(run: RunLayout) -> _Judged:
    table = read_any_table(run.table).set_index("image_id")
    held_out = read_any_table(run.predictions)
    held_out = held_out.assign(
        archive=held_out["image_id"].map(table["dataset"]).astype("string").fillna("")
    )
    every = held_out["image_id"].map(table["melanoma"]).to_numpy(bool)
    number = held_out.groupby(["fold", "archive"]).ngroup().to_numpy().astype(np.intp)
    there = comparable(every, number)
    own = held_out[there].reset_index(drop=True)
    group = pd.factorize(own["image_id"].map(table["group_id"]))[0].astype(np.intp)
    return _Judged(own["image_id"], every[there], group, number[there], own["archive"])


def with_seeds(patients: Estimate, of_seeds: Sequence[float]) -> Estimate:
    """Add the variance of the mean over seeds to the variance between patients.

    `patients` is the estimated mean, `of_seeds` the value of each seed. The degrees of
    freedom are Satterthwaite's (1946, doi:10.2307/3002019). With one seed the variance
    between seeds is unknown, and `patients` is returned unchanged.
    """
    if len(of_seeds) < 2 or math.isnan(patients.error):
        return patients
    parts = [patients.error**2, float(np.var(of_seeds, ddof=1)) / len(of_seeds)]
    freedom = [patients.freedom, len(of_seeds) - 1]
    spread = sum(part**2 / each for part, each in zip(parts, freedom, strict=True))
    return Estimate(
        patients.value, math.sqrt(sum(parts)), max(1, int(sum(parts) ** 2 / spread))
    )


def _scores(run: RunLayout, order: pd.Series[str]) -> np.ndarray:
    predictions = read_any_table(run.predictions).set_index("image_id")["logit"]
    found = order.map(predictions).to_numpy(np.float64)
    if np.isnan(found).any():
        raise RunError(
            f"{run.predictions} lacks {counted(int(np.isnan(found).sum()), 'image')} that "
            "the first training held out; delete that folder and --resume."
        )
    return found


def _minutes(run: RunLayout) -> float:
    networks = [each for fold in run.folds() for each in (fold.members() or [fold])]
    seconds = sum(read_any_table(each.metrics)["seconds"].sum() for each in networks)
    return float(seconds) / 60


def _write(found: Ablation, out: Path) -> None:
    """Write table and figure into `out`, then the JSON: once it exists, all is written."""
    from lentigo.figures.registry import drawing_of, shown_by
    from lentigo.figures.style import style

    write_table(found.as_table(), out / ABLATION_TABLE)
    with style():
        for row in shown_by("ablation"):
            drawing_of(row)(found.as_table(), found.recipe).save(out / FIGURES)
    write_json(out / ABLATION, found.as_dict())
