"""Options of `lentigo predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lentigo.output import PREDICTIONS, Kind

FORMATS = {"table": PREDICTIONS, "fhir": Kind("a FHIR Bundle", (".json",))}
"""The formats in which predictions are written."""

Model = Annotated[Path, typer.Argument(help="Run folder or model folder.")]
Inputs = Annotated[
    list[str],
    typer.Argument(metavar="INPUT...", help="Images, folders, patterns or lesion tables."),
]
Out = Annotated[Path, typer.Option("--out", help="Predictions (.csv or .parquet).")]
Submission = Annotated[
    Path | None,
    typer.Option("--submission", help="Also write image_name,target as in SIIM-ISIC 2020."),
]
Like = Annotated[
    Path | None,
    typer.Option(
        "--like", help="Sample whose columns, ids and order the submission takes over."
    ),
]
Also = Annotated[
    list[Path] | None,
    typer.Option(
        "--also",
        help="A further run or model folder, as often as wanted: the mean logit of all "
        "networks, each shown images in its own size and view.",
    ),
]
Point = Annotated[
    str,
    typer.Option(
        "--operating-point",
        metavar="NAME",
        help="Threshold of the model by which melanoma is called; auto is the guaranteed "
        "sensitivity of 95 %, where there is one, none calls nothing.",
    ),
]
Engine = Annotated[
    str,
    typer.Option(
        "--engine",
        help="What computes: onnx, torch, openvino, onnx-int8, openvino-int8, or auto: of "
        "the first three the fastest, measured where that pays, else the first there is.",
    ),
]
Views = Annotated[
    int | None,
    typer.Option(
        "--views",
        help="Look at each image in 1, 2 (mirrored) or 8 (turned) views; by default as the "
        "model was judged.",
    ),
]
Format = Annotated[
    str,
    typer.Option("--format", help="table, or fhir: a Bundle of FHIR R5 (.json)."),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with a prediction that was stopped.")
]
By = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="lesion",
        help="Also write the mean over the photographs of each lesion, by lesion_id of the "
        "table, to FILE.lesions.csv beside FILE.csv.",
    ),
]
DicomSr = Annotated[
    Path | None,
    typer.Option(
        "--dicom-sr",
        metavar="FOLDER",
        help="Also write a DICOM structured report of each image that is DICOM; new.",
    ),
]
NoAbstain = Annotated[
    bool,
    typer.Option(
        "--no-abstain",
        help="Show the probability of images, too, that look like nothing the model learnt "
        "from or are too poor to judge; they are marked.",
    ),
]
BatchSize = Annotated[int, typer.Option("--batch-size", min=1, help="Images a step.")]
Device = Annotated[
    str, typer.Option("--device", help="cpu, cuda, mps, or the fastest there is.")
]
