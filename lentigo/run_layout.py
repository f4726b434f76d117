"""The files of a run folder: each name is written in this module, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CONFIG, COMMAND, ENVIRONMENT = "config.yaml", "command.txt", "environment.json"
ARITHMETIC = "arithmetic.json"
TABLE, SPLIT = "table.parquet", "split.csv"
REPEATS, REPEATED = "repeats.csv", "predictions-repeats.csv"
NESTED = "predictions-nested.csv"
DUPLICATES, FAILURES = "duplicates.csv", "failures.csv"
PREDICTIONS, BASELINE = "predictions.csv", "baseline.csv"
EVALUATION, FIGURES, REPORT = "evaluation.json", "figures", "report.html"
SUBGROUPS = "subgroups.csv"
PAPER, METHODS, CHECKLISTS = "paper", "methods.md", "checklists.md"
COMPARISON = "comparison.json"
ABLATION, ABLATION_TABLE, ABLATION_PLAN = (
    "ablation.json",
    "ablation.csv",
    "ablation-plan.json",
)
RATES, RATES_TABLE = "rates.json", "rates.csv"
TUNING, TUNING_TABLE, TUNING_PLAN = "tune.json", "trials.csv", "tune-plan.json"
TENSORBOARD, MLFLOW = "tensorboard", "mlflow.db"
TRIALS, BEST_SETTINGS = "trials.db", "best.yaml"
OUTLINES, ABCD, EXPLANATIONS = "outlines.csv", "abcd.csv", "explanations.csv"
DUCKLINGS, CHANGE = "duckling.csv", "change.csv"
STRESS, STRESS_SCORES, STRESS_ANSWERS = "stress.json", "scores.csv", "answers.csv"
UNFINISHED = ".unfinished"
"""Name of the marker file in a folder that is being filled; for a table of predictions that
is being written, the ending of the marker's name, after the name of the table."""
READERS = "readers.json"
DRIFT, DRIFT_TABLE = "drift.json", "drift.csv"
LOCKED, LOCKED_IMAGES, LOCKED_LABELS = "lock.json", "images.csv", "labels.json"
OPENINGS = "openings.jsonl"
PIXELS = "pixels"
METRICS, ROLES, VALIDATION, MODEL = "metrics.csv", "roles.csv", "validation.csv", "model"
CHECKPOINT, BEST, DIVERGED = "checkpoint.pt", "best.safetensors", "diverged.json"
REFIT, TEACHER = "refit", "teacher.json"
_FOLD, _MEMBER, _REPEAT, _PAIR = "fold-", "member-", "repeat-", "without-"
FIRST_FOLD = f"{_FOLD}0"
NO_FOLD = -1
"""Number that stands for the held-out fold of a refit, which holds out none."""
# Does not match a name such as fold-1-old, or a number of more than 9 digits.
_OF_FOLD = re.compile(rf"(?:{_REPEAT}([0-9]{{1,9}})-)?{_FOLD}([0-9]{{1,9}})")


@dataclass(frozen=True)
class FoldLayout:
    """The paths in the folder of one trained model of a run; the folder need not exist."""

    folder: Path

    @property
    def name(self) -> str:
        """Return the name by which the model is called: `fold-0`, `fold-0 member-1`.

        In a later repeat of the split it is `repeat-1-fold-0`.
        """
        own = self.folder.name
        return f"{self.folder.parent.name} {own}" if own.startswith(_MEMBER) else own

    @property
    def number(self) -> int:
        """Return the number of the fold that was held out."""
        return int(_fold_numbers(self.folder)[1])

    @property
    def repeat(self) -> int:
        """Return the number of the repeat of the split; 0 is the first."""
        return _fold_numbers(self.folder)[0]

    def member(self, number: int) -> FoldLayout:
        """Return the layout of network `number` of a fold with several.

        The mean of these networks is the fold's model.
        """
        return FoldLayout(self.folder / f"{_MEMBER}{number}")

    def members(self) -> list[FoldLayout]:
        """Return the fold's networks that have a folder.

        An empty list if the fold has only one.
        """
        found = [path for path in self.folder.glob(f"{_MEMBER}*") if _ends_in_number(path)]
        return sorted(map(FoldLayout, found), key=lambda each: int(_number(each.folder)))

    @property
    def metrics(self) -> Path:
        """Return the path of the loss and metrics of the training, one row per epoch."""
        return self.folder / METRICS

    @property
    def roles(self) -> Path:
        """Return the path of the role of each image: train, validation or test."""
        return self.folder / ROLES

    @property
    def predictions(self) -> Path:
        """Return the path of the held-out predictions.

        They are written last: if the file exists, the fold is done.
        """
        return self.folder / PREDICTIONS

    @property
    def validation(self) -> Path:
        """Return the path of the validation predictions, on which thresholds are chosen."""
        return self.folder / VALIDATION

    @property
    def model(self) -> Path:
        """Return the path of the model folder."""
        return self.folder / MODEL

    @property
    def checkpoint(self) -> Path:
        """Return the path of the checkpoint from which a stopped training is resumed."""
        return self.folder / CHECKPOINT

    @property
    def best(self) -> Path:
        """Return the path of the weights of the best epoch so far."""
        return self.folder / BEST

    @property
    def teacher(self) -> Path:
        """Return the path of the name and digest of the model that taught, if one did."""
        return self.folder / TEACHER

    @property
    def diverged(self) -> Path:
        """Return the path of the file that says why a training diverged, if it did."""
        return self.folder / DIVERGED


@dataclass(frozen=True)
class RunLayout:
    """The paths of the files in the folder of a run; the folder need not exist."""

    folder: Path

    @property
    def config(self) -> Path:
        """Return the path of the settings; a folder with this file can be resumed."""
        return self.folder / CONFIG

    @property
    def command(self) -> Path:
        """Return the path of the command line that made the run."""
        return self.folder / COMMAND

    @property
    def environment(self) -> Path:
        """Return the path of the file with versions, machine, data digests and minutes."""
        return self.folder / ENVIRONMENT

    @property
    def arithmetic(self) -> Path:
        """Return the path of the file with numeric precision and memory layout.

        A resumed run reads it and goes on with the same.
        """
        return self.folder / ARITHMETIC

    @property
    def table(self) -> Path:
        """Return the path of the lesion table.

        It is written last: if the file exists, the run is prepared.
        """
        return self.folder / TABLE

    @property
    def split(self) -> Path:
        """Return the path of the groups and folds.

        A JSON file of the same name lies beside it.
        """
        return self.folder / SPLIT

    @property
    def repeats(self) -> Path:
        """Return the path of the folds of further repeats of the split, if any."""
        return self.folder / REPEATS

    @property
    def duplicates(self) -> Path:
        """Return the path of the pairs of near-identical images."""
        return self.folder / DUPLICATES

    @property
    def failures(self) -> Path:
        """Return the path of the images that cannot be used, with the reason."""
        return self.folder / FAILURES

    @property
    def pixels(self) -> Path:
        """Return the path of the pixel store, unless the settings name another one."""
        return self.folder / PIXELS

    @property
    def predictions(self) -> Path:
        """Return the path of all held-out predictions, written when the training is done.

        If the split is repeated, these are the predictions of the first repeat.
        """
        return self.folder / PREDICTIONS

    @property
    def repeated(self) -> Path:
        """Return the path of the held-out predictions of all repeats, if there are any."""
        return self.folder / REPEATED

    @property
    def nested(self) -> Path:
        """Return the path of the predictions of nested folds, if there are any."""
        return self.folder / NESTED

    @property
    def baseline(self) -> Path:
        """Return the path of the predictions of the baseline (age, sex and site alone)."""
        return self.folder / BASELINE

    @property
    def evaluation(self) -> Path:
        """Return the path of the metrics with their intervals."""
        return self.folder / EVALUATION

    @property
    def subgroups(self) -> Path:
        """Return the path of the main metrics of each subgroup, if they were asked for."""
        return self.folder / SUBGROUPS

    @property
    def paper(self) -> Path:
        """Return the folder of tables, methods and checklists for a manuscript."""
        return self.folder / PAPER

    @property
    def figures(self) -> Path:
        """Return the folder of the figures and of the tables from which they are drawn."""
        return self.folder / FIGURES

    @property
    def model(self) -> Path:
        """Return the path of the model folder with all networks of the run."""
        return self.folder / MODEL

    @property
    def report(self) -> Path:
        """Return the path of the report, an HTML page."""
        return self.folder / REPORT

    def fold(self, number: int, repeat: int = 0) -> FoldLayout:
        """Return the layout of the model that held out fold `number` of repeat `repeat`."""
        return FoldLayout(self.folder / f"{_of_repeat(repeat)}{_FOLD}{number}")

    def without_pair(self, one: int, other: int, repeat: int = 0) -> FoldLayout:
        """Return the layout of the network trained without two folds of a repeat.

        It belongs to a nested cross-validation, and not to the model of the run.
        """
        name = f"{_of_repeat(repeat)}{_PAIR}{one}-{other}"
        return FoldLayout(self.folder / name)

    @property
    def refit(self) -> FoldLayout:
        """Return the layout of the model trained on all rows; many runs have none."""
        return FoldLayout(self.folder / REFIT)

    def folds(self) -> list[FoldLayout]:
        """Return the folds that have a folder, sorted by repeat, then by number."""
        names = self.folder.glob(f"*{_FOLD}*")
        found = [FoldLayout(path) for path in names if _OF_FOLD.fullmatch(path.name)]
        return sorted(found, key=lambda fold: (fold.repeat, fold.number))

    def folds_of_first_repeat(self) -> list[FoldLayout]:
        """Return the folds of the first repeat, those in the column `fold` of the table."""
        return [fold for fold in self.folds() if not fold.repeat]

    def is_prepared(self) -> bool:
        """Tell whether the run is prepared: its lesion table is written."""
        return self.table.is_file()

    def is_trained(self) -> bool:
        """Tell whether every fold of the run is trained."""
        return self.predictions.is_file()


def _fold_numbers(folder: Path) -> tuple[int, int]:
    """Return the numbers of the repeat and of the fold, from the name of the fold's folder.

    Raises `ValueError` for any other name.
    """
    found = _OF_FOLD.fullmatch(folder.name)
    if found is None:
        raise ValueError(f"{folder.name} is no folder of a fold")
    return int(found[1] or 0), int(found[2])


def _of_repeat(number: int) -> str:
    return f"{_REPEAT}{number}-" if number else ""


def _number(folder: Path) -> str:
    return folder.name.partition("-")[2]


def _ends_in_number(folder: Path) -> bool:
    number = _number(folder)
    return number.isascii() and number.isdecimal() and len(number) < 10


def fold_of(network: str) -> str:
    """Return the name of the fold of a network: `fold-0` from `fold-0 member-1`."""
    return network.partition(" ")[0]


def run_of(model: Path) -> Iterator[RunLayout]:
    """Yield `model` and the three folders above it, one of which may be its run folder."""
    for folder in (model, *model.absolute().parents[:3]):
        yield RunLayout(folder)
