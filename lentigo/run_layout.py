"""The files of a run folder: each of their names is said here, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CONFIG, COMMAND, ENVIRONMENT = "config.yaml", "command.txt", "environment.json"
ARITHMETIC = "arithmetic.json"
TABLE, SPLIT = "table.parquet", "split.csv"
DUPLICATES, FAILURES = "duplicates.csv", "failures.csv"
PREDICTIONS, BASELINE = "predictions.csv", "baseline.csv"
EVALUATION, FIGURES, REPORT = "evaluation.json", "figures", "report.html"
SUBGROUPS = "subgroups.csv"
COMPARISON = "comparison.json"
PIXELS = "pixels"
METRICS, ROLES, VALIDATION, MODEL = "metrics.csv", "roles.csv", "validation.csv", "model"
CHECKPOINT, BEST, DIVERGED = "checkpoint.pt", "best.safetensors", "diverged.json"
_FOLD = "fold-"
FIRST_FOLD = f"{_FOLD}0"


@dataclass(frozen=True)
class FoldLayout:
    """The folder of one trained model, inside that of its run; it may be absent."""

    folder: Path

    @property
    def number(self) -> int:
        """The fold that was held out."""
        return int(self.folder.name.removeprefix(_FOLD))

    @property
    def metrics(self) -> Path:
        """One row an epoch."""
        return self.folder / METRICS

    @property
    def roles(self) -> Path:
        """Training, validation or test: the role of each image."""
        return self.folder / ROLES

    @property
    def predictions(self) -> Path:
        """Predictions of the held-out images; written last, so the fold is done."""
        return self.folder / PREDICTIONS

    @property
    def validation(self) -> Path:
        """Predictions of the validation images, on which thresholds were chosen."""
        return self.folder / VALIDATION

    @property
    def model(self) -> Path:
        """The model folder."""
        return self.folder / MODEL

    @property
    def checkpoint(self) -> Path:
        """Where a training that was broken off goes on."""
        return self.folder / CHECKPOINT

    @property
    def best(self) -> Path:
        """Weights of the best epoch so far."""
        return self.folder / BEST

    @property
    def diverged(self) -> Path:
        """Why the training cannot go on, where it cannot."""
        return self.folder / DIVERGED


@dataclass(frozen=True)
class RunLayout:
    """The folder of a run; it may be absent."""

    folder: Path

    @property
    def config(self) -> Path:
        """The settings. A folder that has them is a run that can be resumed."""
        return self.folder / CONFIG

    @property
    def command(self) -> Path:
        """The command line that made the run."""
        return self.folder / COMMAND

    @property
    def environment(self) -> Path:
        """Versions, machine, digests of the data, minutes."""
        return self.folder / ENVIRONMENT

    @property
    def arithmetic(self) -> Path:
        """Number format and memory layout that were fastest; a resumed run keeps to it."""
        return self.folder / ARITHMETIC

    @property
    def table(self) -> Path:
        """The lesion table that is learnt from; written last, so the run is prepared."""
        return self.folder / TABLE

    @property
    def split(self) -> Path:
        """The groups and folds as a manifest, with a JSON of the same name beside it."""
        return self.folder / SPLIT

    @property
    def duplicates(self) -> Path:
        """Pairs of images that show the same picture."""
        return self.folder / DUPLICATES

    @property
    def failures(self) -> Path:
        """Images that cannot be used, and why."""
        return self.folder / FAILURES

    @property
    def pixels(self) -> Path:
        """The pixel store, unless the settings name another one."""
        return self.folder / PIXELS

    @property
    def predictions(self) -> Path:
        """Predictions of all held-out images; there when training is done."""
        return self.folder / PREDICTIONS

    @property
    def baseline(self) -> Path:
        """Predictions of the baseline that knows age, sex and site alone."""
        return self.folder / BASELINE

    @property
    def evaluation(self) -> Path:
        """Every metric with its interval."""
        return self.folder / EVALUATION

    @property
    def subgroups(self) -> Path:
        """The main metrics of each value of a column, where they were asked for."""
        return self.folder / SUBGROUPS

    @property
    def figures(self) -> Path:
        """The figures, and the numbers that drew them."""
        return self.folder / FIGURES

    @property
    def model(self) -> Path:
        """All networks of the run as one model folder, for any machine."""
        return self.folder / MODEL

    @property
    def report(self) -> Path:
        """The page."""
        return self.folder / REPORT

    def fold(self, number: int) -> FoldLayout:
        """Return the layout of the model that held out fold `number`."""
        return FoldLayout(self.folder / f"{_FOLD}{number}")

    def folds(self) -> list[FoldLayout]:
        """Return the folds that have a folder, in the order of their numbers."""
        found = [path for path in self.folder.glob(f"{_FOLD}*") if _is_fold(path.name)]
        return sorted(map(FoldLayout, found), key=lambda fold: fold.number)

    def is_prepared(self) -> bool:
        """Tell whether the run got so far that there is something to keep."""
        return self.table.is_file()

    def is_trained(self) -> bool:
        """Tell whether every fold of the run is trained."""
        return self.predictions.is_file()


def _is_fold(name: str) -> bool:
    number = name.removeprefix(_FOLD)
    # Not one of somebody's own names, such as fold-1-old, nor a number without end.
    return number.isascii() and number.isdecimal() and len(number) < 10


def run_of(model: Path) -> Iterator[RunLayout]:
    """Yield the folders that may be the run of `model`, a run folder or one inside it."""
    for folder in (model, *model.absolute().parents[:2]):
        yield RunLayout(folder)
