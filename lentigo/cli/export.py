"""`lentigo export`: write a trained model as one folder for any machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lentigo.cli import options
from lentigo.cli.say import say, say_json
from lentigo.notice import RESEARCH_ONLY

if TYPE_CHECKING:
    from lentigo.export import Exported

_Source = Annotated[Path, typer.Argument(help="Run folder or model folder.")]
_Out = Annotated[Path, typer.Option("--out", help="Model folder to write; new.")]
_Int8 = Annotated[
    bool,
    typer.Option(
        "--int8", help="Also in 8-bit whole numbers, if AUC and refusals stay alike."
    ),
]
_Images = Annotated[
    list[str] | None,
    typer.Option(
        "--images",
        help="Images, folder or table on which to compare; by default those of the run.",
    ),
]


def export_command(
    source: _Source,
    out: _Out,
    int8: _Int8 = False,
    images: _Images = None,
    json: options.Json = False,
) -> None:
    """Write a trained model as one folder that needs no torch.

    \b
    Example:
        lentigo export runs/ham --out model
    """
    from lentigo.output import check_new_folder

    check_new_folder(out)
    from lentigo.export import export

    result = export(source, out, int8=int8, images=images or [])
    if json:
        say_json(_as_dict(result))
    else:
        _say(result)


def _as_dict(result: Exported) -> dict[str, object]:
    from dataclasses import asdict

    return {
        "folder": str(result.folder),
        "agreement": asdict(result.agreement),
        "int8": [asdict(each) for each in result.int8],
        "members": [
            each.model_dump(mode="json", include={"name", "files", "cost"})
            for each in result.description.members
        ],
    }


def _say(result: Exported) -> None:
    from lentigo.words import counted

    agreement = result.agreement
    say(
        f"{result.folder}: {counted(len(result.description.members), 'network')}. On "
        f"{counted(agreement.images, 'image')} the probabilities of ONNX and torch differ "
        f"by {agreement.largest:.1e} at most."
    )
    for found in result.int8:
        say(
            f"The 8-bit AUC ({found.engine}) differs by {found.difference_in_words} on "
            f"{counted(found.images, 'held-out image')} "
            f"({counted(found.melanomas, 'melanoma')})."
        )
        if found.refused and found.refused_exact:
            say(
                f"Of these images the 8-bit network refuses {found.refused.value:.1%}, the "
                f"exact one {found.refused_exact.value:.1%}."
            )
        for point in found.calls:
            say(
                f"From {point.name} it finds {point.found:,} of "
                f"{counted(point.melanomas, 'melanoma')}, the exact one "
                f"{point.found_exact:,}."
            )
    for member in result.description.members:
        if member.cost:
            pairs = member.cost.images_a_second.items()
            told = ", ".join(f"{speed:g} ({name})" for name, speed in pairs)
            say(f"{member.name}: images a second: {told}.")
    say(RESEARCH_ONLY)
