"""Every figure has its row, and each row has what it names."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from lentigo import figures
from lentigo.figures.registry import FIGURES, PLOTS, drawing_of, shown_by

FOLDER = Path(figures.__file__).parent


def test_every_function_that_draws_on_an_axes_is_in_one_row() -> None:
    there = {
        node.name: ".".join(path.relative_to(FOLDER).with_suffix("").parts)
        for path in FOLDER.rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("plot_")
    }
    assert there == PLOTS
    assert len(PLOTS) == sum(len(row.plots) for row in FIGURES.values())


@pytest.mark.parametrize("name", figures.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(figures, name) is not None
    assert name in dir(figures)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'plot_nothing'"):
        _ = figures.plot_nothing


def test_what_explore_shows_has_its_function_and_its_heading() -> None:
    for row in shown_by("explore"):
        assert callable(drawing_of(row))
        assert row.heading, row.name


def test_what_pages_of_predictions_show_has_its_function() -> None:
    for row in [*shown_by("evaluate"), *shown_by("divided"), *shown_by("report")]:
        assert callable(drawing_of(row))


def test_each_row_says_what_it_shows_and_needs_in_one_line() -> None:
    for row in FIGURES.values():
        assert 0 < len(row.shows) <= 80
        assert row.needs


def test_listing_the_figures_needs_neither_matplotlib_nor_numpy() -> None:
    code = (
        "import sys; from lentigo.figures.registry import FIGURES; "
        "print(*sorted({'numpy', 'pandas', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
