"""`lentigo calibrate`: fit a model's probabilities and thresholds to one's own clinic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lentigo.cli import options
from lentigo.cli.say import say, say_json
from lentigo.cli.word_options import reads_tables
from lentigo.notice import RESEARCH_ONLY
from lentigo.words import counted

if TYPE_CHECKING:
    from lentigo.inference.recalibrate import Recalibrated


@reads_tables
def calibrate_command(
    model: Annotated[Path, typer.Argument(help="Model folder, or run of one fold.")],
    table: Annotated[Path, typer.Argument(help="Labelled images of your own.")],
    out: Annotated[Path, typer.Option("--out", help="Model folder to write; new.")],
    cost_miss: options.CostMiss = None,
    cost_excision: options.CostExcision = None,
    device: Annotated[
        str, typer.Option("--device", help="cpu, cuda, mps, or auto.")
    ] = "auto",
    json: options.Json = False,
) -> None:
    """Fit a model's calibration and thresholds to your own images.

    The weights stay the same.

    \b
    Example:
        lentigo calibrate model clinic.csv --out model-clinic
    """
    from lentigo.config import EvaluationConfig
    from lentigo.output import check_new_folder

    check_new_folder(out)
    options.check_there(table, "table")
    given = {"cost_miss": cost_miss, "cost_excision": cost_excision}
    judging = EvaluationConfig(**{n: v for n, v in given.items() if v is not None})  # type: ignore[arg-type]
    from lentigo.datasets.any_table import read_any
    from lentigo.datasets.counts import label_sentence
    from lentigo.evaluation.choosing import Costs
    from lentigo.inference.recalibrate import recalibrate
    from lentigo.models.backend import check_device
    from lentigo.progress import log

    check_device(device)
    costs = Costs(miss=judging.cost_miss, excision=judging.cost_excision)
    lesions = read_any(table)
    for note in (*lesions.notes, label_sentence(lesions.table)):
        log.info("%s", note)
    found = recalibrate(model, lesions.table, out, costs=costs, device=device)
    if json:
        say_json(_as_dict(found))
    else:
        _say(found)


def _as_dict(found: Recalibrated) -> dict[str, Any]:
    return {
        "folder": str(found.folder),
        "calibration": found.calibration.model_dump(mode="json"),
        "judged": found.judged.as_dict(),
        "operating_points": [each.model_dump(mode="json") for each in found.points],
    }


def _say(found: Recalibrated) -> None:
    from lentigo.inference.thresholds import point_sentence

    fitted = found.calibration
    say(
        f"{found.folder}: calibrated on {counted(fitted.n_images, 'image')} "
        f"({counted(fitted.n_melanomas, 'melanoma')}, "
        f"{counted(fitted.n_groups, 'group')}), "
        f"{100 * (fitted.prevalence or 0):.3g} % melanoma."
    )
    say(found.judged.as_line(judged_on="left-out groups"))
    for point in found.points:
        say(point_sentence(point))
    say(RESEARCH_ONLY)
