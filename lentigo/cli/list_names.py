"""`lentigo list`: the names that other commands take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli.main import app
from lentigo.cli.say import say, say_json
from lentigo.errors import unknown_name


@app.command("list")
def list_command(
    kind: Annotated[
        str,
        typer.Argument(
            help="formats, recipes, backbones, metrics, views, splits or checks."
        ),
    ],
    json: options.Json = False,
) -> None:
    """Print the formats, recipes, backbones, metrics, views, splits or checks there are.

    \b
    Example:
        lentigo list recipes
    """
    if kind not in KINDS:
        raise typer.BadParameter(str(unknown_name("list", kind, KINDS)))
    names = KINDS[kind]()
    if json:
        say_json({kind: names})
        return
    width = max(map(len, names))
    for name, summary in names.items():
        say(f"{name:<{width}}  {summary}".rstrip())


def _formats() -> dict[str, str]:
    from lentigo.datasets import FORMATS

    return {name: row.summary for name, row in FORMATS.items()}


def _recipes() -> dict[str, str]:
    from lentigo.recipes import RECIPES

    return {name: (make.__doc__ or "").splitlines()[0] for name, make in RECIPES.items()}


def _backbones() -> dict[str, str]:
    import timm

    with_weights = set(timm.list_models(pretrained=True, include_tags=False))
    named = {name.partition(".")[0] for name in with_weights}
    return {
        name: "" if name in named else "(timm has no weights for it)"
        for name in timm.list_models()
    }


def _metrics() -> dict[str, str]:
    from lentigo.evaluation.registry import METRICS

    return dict(METRICS)


def _views() -> dict[str, str]:
    from lentigo.imaging.views import VIEWS

    return {name: (view.__doc__ or "").splitlines()[0] for name, view in VIEWS.items()}


def _splits() -> dict[str, str]:
    from lentigo.curation import SCHEMES

    return {
        name: (divide.__doc__ or "").splitlines()[0] for name, divide in SCHEMES.items()
    }


def _checks() -> dict[str, str]:
    from lentigo.audit.checks import CHECKS, REFUSALS

    return {
        name: f"{'REFUSES: ' if name in REFUSALS else ''}{summary}"
        for name, summary in CHECKS.items()
    }


KINDS: dict[str, Callable[[], dict[str, str]]] = {
    "formats": _formats,
    "recipes": _recipes,
    "backbones": _backbones,
    "metrics": _metrics,
    "views": _views,
    "splits": _splits,
    "checks": _checks,
}
