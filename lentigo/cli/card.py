"""`lentigo card`: print the card of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli.say import say_json, say_lines

_Model = Annotated[Path, typer.Argument(help="Run folder or model folder.")]


def card_command(model: _Model, json: options.Json = False) -> None:
    """Print what a model is for, learnt from, takes and costs.

    \b
    Example:
        lentigo card runs/ham
    """
    from lentigo.models.card import card_text
    from lentigo.models.description import find_models, read_description

    known = [read_description(folder) for folder in find_models(model)]
    if json:
        dumped = [each.model_dump(mode="json") for each in known]
        say_json(dumped[0] if len(dumped) == 1 else dumped)
        return
    for each in known:
        say_lines(card_text(each).rstrip())
