"""Options that several commands share, and how they become a `Config`."""

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
    """The settings that a command line asks for, before the weights have their say."""

    config: Config
    backbone_given: bool

    def settled(self) -> Config:
        """The settings of the run; to know the backbones takes seconds."""
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
    """The settings that a command line asks for; `flags` are fields of `training`.

    `costs` are those of a miss and of an excision. `config_file` is in place of the recipe.
    """
    from lentigo.config import (
        BY_SOURCE,
        check_watch,
        parse_settings,
        read_config,
        with_settings,
    )
    from lentigo.recipes import recipe

    settings: dict[str, Any] = parse_settings(assignments or [])
    settings |= {f"training.{k}": value for k, value in flags.items() if value is not None}
    named = zip(("cost_miss", "cost_excision"), costs, strict=True)
    settings |= {f"evaluation.{k}": value for k, value in named if value is not None}
    if scheme is not None:
        settings["split.scheme"] = BY_SOURCE if scheme == "source" else scheme
    for file in weights or ():
        check_there(file, "weights file")
    if weights:
        settings["model.weights"] = weights[0]
    start = read_config(config_file) if config_file else recipe(recipe_name)
    config = with_settings(start, settings)
    if weights and "members" not in settings:
        # The files on the command line, not the recipe, say which backbones are trained.
        config = with_settings(config, {"members": _without_backbones(config)})
    if weights and len(weights) > 1:
        config = with_settings(config, {"members": _each_from_its_own(config, weights)})
    check_watch(config)
    from_file = config_file is not None and not weights
    return Asked(config, from_file or "model.backbone" in settings)


def with_asked(
    assignments: list[str] | None, *, refit: bool, repeats: int | None
) -> list[str]:
    """The `--set` assignments with those of `--refit` and `--repeats`, where given."""
    dealt = [] if repeats is None else [f"split.repeats={repeats}"]
    return [*(assignments or []), *(["refit=true"] if refit else []), *dealt]


def _without_backbones(config: Config) -> list[dict[str, Any]]:
    """Return the members of `config`, each without a backbone of its own."""
    return [
        {name: value for name, value in own.items() if name != "model.backbone"}
        for own in config.members
    ]


def _each_from_its_own(config: Config, weights: list[Path]) -> list[dict[str, Any]]:
    """Return the members of `config`, as many as files at least, each with its file.

    A recipe of more members than files begins again with the first file.
    """
    members = [dict(own) for own in config.members]
    members += [{} for _ in range(len(weights) - len(members))]
    return [
        {**own, "model.weights": str(weights[number % len(weights)].resolve())}
        for number, own in enumerate(members)
    ]


def check_run_folder(out: Path, *, resume: bool) -> None:
    """Refuse a taken folder of a run at once, before anything heavy is imported."""
    from lentigo.machine import is_first_process

    if is_first_process():
        output.check_run_folder(out, resume=resume)


def check_table_out(
    out: Path, inputs: Sequence[Path | str], *, kind: output.Kind = output.TABLE
) -> None:
    """Refuse at once a place to which no table can be written, and one of the `inputs`."""
    output.check_file(out, kind)
    output.check_not_input(out, inputs)
    output.check_not_of_run(out)


def write_out(table: pd.DataFrame | NotedTable, out: Path) -> None:
    """Write the table that a command makes, over no table that the command has read."""
    from lentigo.tables import write_table

    output.check_not_read(out)
    write_table(table, out)


def check_there(path: Path, what: str) -> None:
    """Refuse at once what is not there."""
    from lentigo.errors import DatasetNotFoundError

    workbook = Path(str(path).rpartition("#")[0])  # clinic.xlsx#Patients
    if not path.exists() and not workbook.is_file():
        raise DatasetNotFoundError(f"There is no {what} {path}.")


def read_lesions(table: Path) -> NotedTable:
    """Read a lesion table, and say, in the first process alone, how it was read."""
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
    """The reader's options that were given on the command line."""
    options: dict[str, Any] = {
        "image_dir": images,
        "part": part,
        "melanoma": melanoma,
        "modality": modality,
        "columns": named_columns(columns) or None,
    }
    return {name: value for name, value in options.items() if value is not None}


def named_columns(columns: list[str] | None) -> dict[str, str]:
    """`--column OURS=THEIRS`, as often as it was given, as a mapping."""
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
