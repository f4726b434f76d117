"""`lentigo list`: print the names that other commands accept."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Annotated

import typer

from lentigo.cli import options
from lentigo.cli.say import say, say_json
from lentigo.errors import UnknownNameError, unknown_name
from lentigo.visible import LONGEST_NAME, shortened


def list_command(
    kind: Annotated[
        str | None,
        typer.Argument(
            help="formats, recipes, backbones, metrics, figures, views, splits, checks, "
            "engines or disturbances; without it these kinds."
        ),
    ] = None,
    filter: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILTER]", help="Only names such as 'vit*', or that hold this word."
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Print all names of one kind, such as recipes.

    Each has a line of description.

    \b
    Example:
        lentigo list backbones 'vit*224'
    """
    if kind is None:
        _say_kinds(as_json=json)
        return
    if kind not in KINDS:
        raise typer.BadParameter(str(unknown_name("list", kind, KINDS)))
    names = _fitting(KINDS[kind](), filter, kind)
    if json:
        say_json({kind: names})
        return
    width = max(map(len, names))
    for name, summary in names.items():
        say(f"{name:<{width}}  {summary}".rstrip())


def _say_kinds(*, as_json: bool) -> None:
    if as_json:
        say_json({"kinds": list(KINDS)})
        return
    for kind in KINDS:
        say(f"lentigo list {kind}")


def _fitting(names: dict[str, str], wanted: str | None, kind: str) -> dict[str, str]:
    """Return the `names` that fit `wanted`: a pattern with * and ?, or a part of the name.

    Raises `UnknownNameError` where none fits.
    """
    if wanted is None:
        return names
    pattern = wanted.casefold()
    if not set(pattern) & set("*?["):
        pattern = f"*{pattern}*"
    found = {name: names[name] for name in names if fnmatchcase(name.casefold(), pattern)}
    if not found:
        near = get_close_matches(wanted.strip("*?")[:LONGEST_NAME], names, n=3)
        hint = f"Did you mean {' or '.join(near)}? " if near else ""
        raise UnknownNameError(
            f"None of the {len(names):,} {kind} is called like "
            f"{shortened(wanted)!r}. {hint}"
            f"All of them: lentigo list {kind}."
        )
    return found


def _formats() -> dict[str, str]:
    from lentigo.datasets import FORMATS

    return {name: row.summary for name, row in FORMATS.items()}


def _recipes() -> dict[str, str]:
    from lentigo.recipes import RECIPES

    return {name: (make.__doc__ or "").splitlines()[0] for name, make in RECIPES.items()}


def _backbones() -> dict[str, str]:
    from lentigo.models.backbones import backbones

    return backbones()


def _metrics() -> dict[str, str]:
    from lentigo.evaluation.registry import METRICS

    return {name: metric.summary for name, metric in METRICS.items()}


def _views() -> dict[str, str]:
    from lentigo.imaging.views import VIEWS

    return {name: (view.__doc__ or "").splitlines()[0] for name, view in VIEWS.items()}


def _disturbances() -> dict[str, str]:
    from lentigo.imaging.disturbances import DISTURBANCES

    return {
        name: f"{(row.function.__doc__ or '').splitlines()[0]} ({row.group})"
        for name, row in DISTURBANCES.items()
    }


def _splits() -> dict[str, str]:
    from lentigo.curation import SCHEMES

    return {
        name: (divide.__doc__ or "").splitlines()[0] for name, divide in SCHEMES.items()
    }


def _figures() -> dict[str, str]:
    from lentigo.figures.registry import FIGURES

    return {name: f"{row.shows}; needs {row.needs}" for name, row in FIGURES.items()}


def _checks() -> dict[str, str]:
    from lentigo.audit.checks.registry import CHECKS, REFUSALS

    return {
        name: f"{'REFUSES: ' if name in REFUSALS else ''}{summary}"
        for name, summary in CHECKS.items()
    }


def _engines() -> dict[str, str]:
    from lentigo.models.engines import ENGINES

    return {
        name: f"{each.summary} ({'installed' if each.is_installed() else each.way})"
        for name, each in ENGINES.items()
    }


KINDS: dict[str, Callable[[], dict[str, str]]] = {
    "formats": _formats,
    "recipes": _recipes,
    "backbones": _backbones,
    "metrics": _metrics,
    "figures": _figures,
    "views": _views,
    "splits": _splits,
    "checks": _checks,
    "engines": _engines,
    "disturbances": _disturbances,
}
