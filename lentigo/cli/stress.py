"""`lentigo stress`: how the predictions of a model change on disturbed images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lentigo.cli import options
from lentigo.cli import predict_options as asked
from lentigo.cli.say import say, say_json, say_lines
from lentigo.cli.word_options import reads_tables
from lentigo.notice import RESEARCH_ONLY
from lentigo.output import check_new_folder, check_not_input
from lentigo.run_layout import STRESS, STRESS_ANSWERS, UNFINISHED
from lentigo.words import names_in

if TYPE_CHECKING:
    from pandas import DataFrame

_Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="NAMES",
        help="Disturbances (lentigo list disturbances), or groups: views, view, light, "
        "camera, drawn, skin, hidden; with commas between, or once each; all by default.",
    ),
]
_Masks = Annotated[
    Path | None,
    typer.Option("--mask", help="Folder of masks of the lesions; else they are found."),
]
_Reference = Annotated[
    Path | None,
    typer.Option(
        "--reference",
        help="Stress test of a reference network on these images, whose corrupted error "
        "divides this one's.",
    ),
]


@reads_tables
def stress_command(
    model: asked.Model,
    table: Annotated[Path, typer.Argument(help="Labelled images, new to the model.")],
    out: options.Out,
    only: _Only = None,
    mask: _Masks = None,
    reference: _Reference = None,
    operating_point: asked.Point = "auto",
    views: asked.Views = None,
    engine: asked.Engine = "auto",
    device: asked.Device = "auto",
    batch_size: asked.BatchSize = 32,
    seed: Annotated[int, typer.Option("--seed", help="Of what is drawn in.")] = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a test that was stopped.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Disturb images, and see what a model uses beside the lesion.

    There are 21 disturbances, each at five strengths.

    \b
    Example:
        lentigo stress runs/ham clinic.csv --out stressed/
    """
    options.check_there(table, "table")
    check_not_input(out, [table, *([reference] if reference else [])])
    if not (resume and (out / STRESS).is_file()):
        check_new_folder(out, besides=(STRESS_ANSWERS + UNFINISHED,))
    names = _names_of(only or ["all"])
    _check_names(views=views, device=device, engine=engine)
    from lentigo.reports.stress.write import Options, is_done, write_stress

    lesions = _lesions_of(table)
    wanted = Options(
        only=names, operating_point=operating_point, engine=engine, device=device,
        views=views, batch_size=batch_size, seed=seed, mask=mask, reference=reference,
        resume=resume,
    )  # fmt: skip
    if resume and is_done(model, lesions, out, wanted):
        _say_finished(out, json=json)
        return
    found = write_stress(model, lesions, out, wanted)
    if json:
        say_json({**found.as_dict(), "out": str(out)})
        return
    say_lines(found.as_text())
    _say_page(out)


def _names_of(only: list[str]) -> list[str]:
    """Return the names in `only`; raise `UnknownNameError` if one is no disturbance."""
    from lentigo.robustness.conditions import conditions

    names = names_in(only)
    conditions(names)
    return names


def _check_names(*, views: int | None, device: str, engine: str) -> None:
    """Refuse unknown views, devices and engines before anything is read."""
    from lentigo.inference.predict import check_views
    from lentigo.models.backend import check_device
    from lentigo.models.engines import check_engine

    check_views(views)
    check_device(device)
    check_engine(engine)


def _lesions_of(table: Path) -> DataFrame:
    """Read a lesion table, and log its notes and the number of each label."""
    from lentigo.datasets.any_table import read_any
    from lentigo.datasets.counts import label_sentence
    from lentigo.progress import log

    lesions = read_any(table)
    for note in (*lesions.notes, label_sentence(lesions.table)):
        log.info("%s", note)
    return lesions.table


def _say_finished(out: Path, *, json: bool) -> None:
    from lentigo.json_files import read_json
    from lentigo.progress import log

    log.info("%s is finished already: nothing was left to do.", out)
    if json:
        say_json({**read_json(out / STRESS), "out": str(out)})
    else:
        _say_page(out)


def _say_page(out: Path) -> None:
    say(f"Page: {out / 'index.html'}")
    say(RESEARCH_ONLY)
