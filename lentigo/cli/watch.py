"""`lentigo watch`: predict each image that arrives in a folder, once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli import predict_options as asked
from lentigo.cli.say import say
from lentigo.notice import RESEARCH_ONLY, WITHOUT_LIMIT

_Folder = Annotated[
    Path, typer.Argument(help="Folder into which images or DICOM files come.")
]
_Model = Annotated[Path, typer.Option("--model", help="Run folder or model folder.")]
_Out = Annotated[Path, typer.Option("--out", help="Folder of the answers, one an image.")]
_Format = Annotated[
    str, typer.Option("--format", help="json, or fhir (a Bundle of FHIR R5 an image).")
]
_DicomSr = Annotated[
    Path | None,
    typer.Option(
        "--dicom-sr",
        metavar="FOLDER",
        help="Also write a DICOM structured report of each image that is DICOM.",
    ),
]
_Seconds = Annotated[
    float, typer.Option("--seconds", min=0.1, help="Time between two looks.")
]
_Once = Annotated[
    bool, typer.Option("--once", help="Answer for what is there now, and end.")
]


def watch_command(
    folder: _Folder,
    model: _Model,
    out: _Out,
    format: _Format = "json",
    dicom_sr: _DicomSr = None,
    seconds: _Seconds = 2.0,
    once: _Once = False,
    prevalence: options.Prevalence = None,
    operating_point: asked.Point = "auto",
    engine: asked.Engine = "auto",
) -> None:
    """Predict each image that comes into a folder, exactly once.

    This holds even if the command was killed and is started again.

    \b
    Example:
        lentigo watch inbox --model model --out answers
    """
    from lentigo.errors import ConfigError, DatasetNotFoundError
    from lentigo.extras import require
    from lentigo.inference.watch import FORMATS, Watch, watch
    from lentigo.output import alone
    from lentigo.words import counted

    if format not in FORMATS:
        raise ConfigError(f"--format takes {' or '.join(FORMATS)}, not {format}.")
    if not folder.is_dir():
        raise DatasetNotFoundError(f"There is no folder {folder} to watch.")
    _check_place(out, "--out", folder)
    if dicom_sr is not None:
        _check_place(dicom_sr, "--dicom-sr", folder)
        require("highdicom", what="Writing DICOM structured reports")
    from lentigo.inference.predict import load

    loaded = load(model, engine=engine)
    decision = loaded.decision(prevalence, operating_point)
    out.mkdir(parents=True, exist_ok=True)
    (dicom_sr or out).mkdir(parents=True, exist_ok=True)
    with alone(out):
        say(f"Watching {folder}; answers go to {out}. {RESEARCH_ONLY}", err=True)
        if not loaded.can_abstain:
            say(WITHOUT_LIMIT, err=True)
        watch(
            Watch(folder, loaded, out, decision, format, dicom_sr),
            seconds=seconds,
            told=lambda files: (
                say(f"{counted(len(files), 'answer')} written.") if files or once else None
            ),
            once=once,
        )


def _check_place(place: Path, option: str, watched: Path) -> None:
    from lentigo.errors import ConfigError
    from lentigo.output import check_folder

    if place.resolve().is_relative_to(watched.resolve()):
        raise ConfigError(
            f"{place} lies in the folder that is watched; give another {option}."
        )
    check_folder(place)
