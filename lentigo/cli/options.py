"""Options that several commands share, and their conversion to a `Config`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from lentigo import output
from lentigo.cli.console import fit_json

if TYPE_CHECKING:
    import pandas as pd

    from lentigo.config import Config
    from lentigo.table_files.parts import Parts
    from lentigo.tables import NotedTable

Out = Annotated[
    Path, typer.Option("--out", help="New folder for everything that is written.")
]
Recipe = Annotated[
    str,
    typer.Option("--recipe", help="Named settings to start from (lentigo list recipes)."),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="YAML",
        help="Start from the settings of a run or a search, not from a recipe.",
    ),
]
Weights = Annotated[
    list[Path] | None,
    typer.Option(
        "--weights",
        help="Start from this safetensors file, not from timm's hub; of several, each "
        "member of the recipe from its own.",
    ),
]
Folds = Annotated[
    int, typer.Option("--folds", min=1, help="Hold out so many folds, one after another.")
]
Scheme = Annotated[
    str | None,
    typer.Option(
        "--scheme",
        help="grouped (by default), or source: hold out one data set after another.",
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")]
Refit = Annotated[
    bool,
    typer.Option(
        "--refit",
        help="After the folds, train once more on all rows: that is then the model.",
    ),
]
Repeats = Annotated[
    int | None,
    typer.Option(
        "--repeats",
        min=1,
        help="Deal the groups into folds so often, each time anew, and train for each.",
    ),
]
Nested = Annotated[
    bool,
    typer.Option(
        "--nested",
        help="Also train without each pair of folds, for intervals that count what folds "
        "share.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="A.B=C", help="Change one setting; may be repeated."),
]
Watch = Annotated[
    str | None,
    typer.Option(
        "--watch", help="Write each epoch for tensorboard, or mlflow (a SQLite file), too."
    ),
]
Devices = Annotated[
    int | None,
    typer.Option("--devices", min=1, help="GPUs (or CPU processes) on each node."),
]
Nodes = Annotated[
    int | None,
    typer.Option("--nodes", min=1, help="Machines; start it on each by torchrun."),
]


Group = Annotated[
    str | None,
    typer.Option("--group", help="Column of the patient or lesion, resampled as a whole."),
]
Prevalence = Annotated[
    float | None,
    typer.Option(
        "--prevalence",
        metavar="SHARE",
        help="Share of melanoma in your clinic, such as 0.02, to move probabilities to.",
    ),
]
CostMiss = Annotated[
    float | None,
    typer.Option("--cost-miss", help="Cost of a missed melanoma, for one threshold."),
]
CostExcision = Annotated[
    float | None,
    typer.Option(
        "--cost-excision", help="Cost of cutting out something else, in the same unit."
    ),
]


def _json_asked(asked: bool) -> bool:
    if asked:
        fit_json()
    return asked


On = Annotated[
    str, typer.Option("--on", help="Who works: here, or ray (a cluster of machines).")
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        "--ray-address",
        metavar="HOST:PORT",
        help="Ray cluster to join; by default RAY_ADDRESS, else one of this machine alone.",
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json", help="Print one JSON object and nothing else.", callback=_json_asked
    ),
]


class Asked(NamedTuple):
    """The settings of a command line, before a file of weights determines the backbone."""

    config: Config
    backbone_given: bool
    """Whether the user chose the backbone, so that a file of weights must not replace
    it."""

    def settled(self) -> Config:
        """Return the final settings, with the backbone that the given weights belong to.

        A backbone that the user named is kept. This takes seconds, as it loads timm's list
        of backbones.
        """
        from lentigo.training.run import settled

        return settled(self.config, backbone_given=self.backbone_given)


def ask(
    recipe_name: str,
    weights: list[Path] | None,
    assignments: list[str] | None,
    scheme: str | None = None,
    costs: tuple[float | None, float | None] = (None, None),
    config_file: Path | None = None,
    **flags: int | str | None,
) -> Asked:
    """Return the settings that a command line gives; `flags` are fields of `training`.

    `costs` are the cost of a missed melanoma and that of excising another lesion; a
    `config_file` takes the place of the recipe. Raises `ConfigError`, `UnknownNameError` or
    `DatasetNotFoundError` for wrong settings.
    """
    from lentigo.cli.starting_weights import (
        check_weights,
        each_from_its_own,
        without_backbones,
    )
    from lentigo.config import (
        BY_SOURCE,
        check_watch,
        parse_settings,
        with_settings,
    )
    from lentigo.models.backbone_names import check_backbones
    from lentigo.recipes import recipe

    settings: dict[str, Any] = parse_settings(assignments or [])
    settings |= {f"training.{k}": value for k, value in flags.items() if value is not None}
    named = zip(("cost_miss", "cost_excision"), costs, strict=True)
    settings |= {f"evaluation.{k}": value for k, value in named if value is not None}
    if scheme is not None:
        settings["split.scheme"] = BY_SOURCE if scheme == "source" else scheme
    for file in weights or ():
        check_weights(file)
    if weights:
        settings["model.weights"] = weights[0]
    start = _read(config_file) if config_file else recipe(recipe_name)
    config = with_settings(start, settings)
    if weights and "members" not in settings:
        # The files on the command line, not the recipe, say which backbones are trained.
        config = with_settings(config, {"members": without_backbones(config)})
    if weights and len(weights) > 1:
        config = with_settings(config, {"members": each_from_its_own(config, weights)})
    check_watch(config)
    check_backbones(config)
    if config.training.teacher is not None:
        from lentigo.training.teacher_split import check_teacher

        check_teacher(config)
    from_file = config_file is not None and not weights
    return Asked(config, from_file or "model.backbone" in settings)


def _read(file: Path) -> Config:
    from lentigo.config.run import check_names_its_recipe, read_config
    from lentigo.recipes import RECIPES

    config = read_config(file)
    check_names_its_recipe(config, file, RECIPES)
    return config


def check_metadata(
    config: Config, tables: Sequence[Path], columns: Sequence[str] | None = None
) -> None:
    """Raise `DatasetError` if patients are to be learnt from whom no table describes.

    The headers of `tables` are read for it. `columns` are the values of --column.
    """
    if config.needs_metadata:
        from lentigo.datasets.early import check_patient_columns

        check_patient_columns(tables, named_columns(list(columns or [])))


def with_asked(
    assignments: list[str] | None, *, refit: bool, repeats: int | None, nested: bool
) -> list[str]:
    """Return the `--set` assignments, with those of the options that are given."""
    dealt = [] if repeats is None else [f"split.repeats={repeats}"]
    also = [*(["refit=true"] if refit else []), *(["split.nested=true"] if nested else [])]
    return [*(assignments or []), *also, *dealt]


def check_run_folder(out: Path, *, resume: bool) -> None:
    """Raise `RunError` unless `out` is free for a run, or has one to be resumed.

    See `lentigo.output.check_run_folder`. Of several processes that train together, only
    the first checks.
    """
    from lentigo.machine import is_first_process

    if is_first_process():
        output.check_run_folder(out, resume=resume)


def check_table_out(
    out: Path,
    inputs: Sequence[Path | str],
    *,
    kind: output.Kind = output.TABLE,
    resume: bool = False,
) -> None:
    """Raise an error if no table can be written to `out`, or `out` is one of the `inputs`.

    With `resume`, `out` may exist. `ConfigError` for a wrong ending, `NotInstalledError`
    for Parquet without pyarrow, and `RunError` in all other cases.
    """
    output.check_not_input(out, inputs)
    output.check_not_of_run(out)
    output.check_file(out, kind, new=not resume)


def write_out(table: pd.DataFrame | NotedTable, out: Path, *, resume: bool = False) -> None:
    """Write the table that a command makes.

    Raises `RunError` if `out` was read before or exists. With `resume` a table of the same
    bytes may be there: it is what a killed command wrote last, and no other is lost.
    """
    from lentigo.tables import write_table

    output.check_not_read(out)
    write_table(table, out, new=True, same=resume)


def write_parts_out(parts: Parts, out: Path, *, resume: bool = False) -> None:
    """Write a long table as `write_out` does, part by part."""
    from lentigo.table_files.parts import write_parts

    output.check_not_read(out)
    write_parts(parts, out, new=True, same=resume)


def check_there(path: Path, what: str) -> None:
    """Raise `DatasetNotFoundError` if `path` does not exist; `#` and a sheet may follow.

    `what` is the word for it in the message, such as "table".
    """
    from lentigo.errors import DatasetNotFoundError

    workbook = Path(str(path).rpartition("#")[0])  # clinic.xlsx#Patients
    if not path.exists() and not workbook.is_file():
        raise DatasetNotFoundError(f"There is no {what} {path}.")


def read_lesions(table: Path) -> NotedTable:
    """Read a lesion table; the first process logs the notes on how it was read."""
    from lentigo.datasets.any_table import read_any
    from lentigo.datasets.counts import label_sentence
    from lentigo.machine import is_first_process
    from lentigo.progress import log

    lesions = read_any(table)
    if is_first_process():
        for note in (*lesions.notes, label_sentence(lesions.table)):
            log.info("%s", note)
    return lesions


def reader_options(
    images: Path | None,
    columns: list[str] | None,
    part: str | None,
    melanoma: str | None,
    modality: str | None = None,
) -> dict[str, Any]:
    """Return those options of an archive's reader that the command line gives."""
    options: dict[str, Any] = {
        "image_dir": images,
        "part": part,
        "melanoma": melanoma,
        "modality": modality,
        "columns": named_columns(columns) or None,
    }
    return {name: value for name, value in options.items() if value is not None}


def named_columns(columns: list[str] | None) -> dict[str, str]:
    """Return the values of `--column OURS=THEIRS` as a mapping.

    Raises `ConfigError` for a value of another form.
    """
    from lentigo.errors import ConfigError

    pairs = [column.partition("=") for column in columns or []]
    for name, equals, source in pairs:
        if not (name and equals and source):
            raise ConfigError(
                f"--column {name!r} is not of the form OURS=THEIRS (melanoma=target)."
            )
    return {name: source for name, _, source in pairs}


Images = Annotated[
    Path | None, typer.Option("--images", help="Folder of the image files (format csv).")
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column", metavar="OURS=THEIRS", help="Name a column, such as melanoma=target."
    ),
]
Where = Annotated[
    str | None,
    typer.Option(
        "--where",
        metavar="CONDITION",
        help="Rows of the table to take: 'melanoma and age >= 50', 'missing(site)'.",
    ),
]
Mask = Annotated[
    Path | None,
    typer.Option(
        "--mask",
        help="Mask of the lesion, white inside; for several images a folder of masks.",
    ),
]
Melanoma = Annotated[
    str | None,
    typer.Option(
        "--melanoma",
        metavar="CLASS,...",
        help="Subfolders whose lesions are melanomas (format folder).",
    ),
]
Modality = Annotated[
    str | None,
    typer.Option("--modality", help="Keep images of one kind: dermoscopy, clinical …"),
]
Part = Annotated[
    str | None, typer.Option("--part", help="Part of the archive, such as train or test.")
]
