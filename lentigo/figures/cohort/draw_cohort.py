"""Figures of sex, age, site and diagnosis of all images, malignant lesions, or test set."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lentigo.figures.bars import rows_height
from lentigo.figures.cohort.counts import collapsed, count_data, plot_by_class, plot_counts
from lentigo.figures.cohort.drawn import (
    Cohort,
    CohortFigure,
    NotDrawnError,
    need_classes,
    part_of,
)
from lentigo.figures.cohort.values import (
    NOT_MELANOMA,
    ages,
    by_class,
    by_dataset,
    flags,
    known,
)
from lentigo.figures.style import MALIGNANT, MELANOMA, WIDTHS, headed, style
from lentigo.words import counted

_WORTH_SAYING = 0.25
"""A title names the most frequent sex or site if its share of images is at least this."""
PANELS = ("sex", "age", "site", "diagnosis")


def cohort(given: Cohort) -> CohortFigure:
    """Draw sex, age, site and diagnosis of all images, in four panels."""
    table = given.table
    title = _in_short(table)
    figure = panels(table, PANELS, title=title)
    sentence = (
        "Images by sex, age, anatomical site and diagnosis. What the table does not know "
        "is a bar of its own. An age bar spans five years."
    )
    return CohortFigure(figure, panel_data(table, PANELS), title, sentence)


def malignant(given: Cohort) -> CohortFigure:
    """Draw sex, age and site of malignant lesions only.

    Raises `NotDrawnError` when no image has a label or none is of a malignant lesion.
    """
    table = _malignant(given.table)
    title = _in_short(
        table, nouns=("image of a malignant lesion", "images of malignant lesions")
    )
    columns = ("sex", "age", "site")
    alone = bool(flags(table, "melanoma").fillna(False).all())
    color = MELANOMA if alone else MALIGNANT
    figure = panels(table, columns, title=title, color=color)
    sentence = "Only images of malignant lesions, by sex, age and anatomical site."
    if not alone:
        number = int(flags(table, "melanoma").sum())
        sentence += f" {counted(number, 'image is', 'images are')} of melanomas."
    return CohortFigure(figure, panel_data(table, columns), title, sentence)


def test_set(given: Cohort) -> CohortFigure:
    """Draw sex, age and site of the test set. Raises `NotDrawnError` without a test set."""
    if given.test is None:
        raise NotDrawnError("No test table was given (--test).")
    columns = ("sex", "age", "site")
    title = _in_short(given.test, nouns=("test image", "test images"))
    figure = panels(given.test, columns, title=title)
    sentence = "Images of the test set by sex, age and anatomical site."
    return CohortFigure(figure, panel_data(given.test, columns), title, sentence)


def sex_by_class(given: Cohort) -> CohortFigure:
    """Draw the share of each sex among images of melanomas and of other lesions.

    Raises `NotDrawnError` when a class has no image or sex is missing in every row.
    """
    table = given.table
    need_classes(table)
    groups = by_class(table)
    data = count_data(groups, column="sex")
    if (data["value"] == "missing").all():
        raise NotDrawnError("Sex is missing in every row of the table.")
    shares = data.set_index(["group", "value"])["share"]
    most = _most(data[(data["group"] == "melanoma") & (data["value"] != "missing")])
    title = (
        f"{_who(most)} have {part_of(shares['melanoma', most], 1)} of the images of "
        f"melanomas and {part_of(shares[NOT_MELANOMA, most], 1)} of the others"
    )
    with style():
        figure = Figure(figsize=(WIDTHS["column"], 2.5), layout="constrained")
        plot_by_class(figure.subplots(), table, column="sex")
        headed(figure, title, width=38)
    sentence = "The share of each sex within each class, with the number of images."
    return CohortFigure(figure, data, title, sentence)


def panels(
    table: pd.DataFrame, columns: Sequence[str], *, title: str, color: str | None = None
) -> Figure:
    """Draw bars of each of `columns` on one page, ages at the bottom over its width."""
    lists = [name for name in columns if name != "age"]
    with style():
        rows = {name: _height(table, name) for name in lists}
        left, right = (lists[:-1], lists[-1:]) if len(lists) > 1 else (lists, [])
        tall = max(sum(rows[name] for name in side) for side in (left, right or left))
        age = (2.7 if _several(table) else 1.9) * ("age" in columns)
        figure = Figure(figsize=(WIDTHS["page"], 0.4 + tall + age), layout="constrained")
        for ax, name in _places(figure, (left, right), rows, (tall, age)):
            plot_counts(ax, table, column=name, color=color)
        headed(figure, title)
    return figure


def panel_data(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return the data of several panels as one table, a row for each bar."""
    groups = by_dataset(table)
    parts = [count_data(groups, column=name) for name in columns]
    return pd.concat(parts, ignore_index=True).rename(columns={"group": "dataset"})


def _places(
    figure: Figure,
    sides: tuple[list[str], list[str]],
    rows: dict[str, float],
    heights: tuple[float, float],
) -> list[tuple[Axes, str]]:
    """Return pairs of Axes and column: two `sides` side by side, and the age below them.

    `heights` are those of the sides and of the ages (0 for no ages), in inches.
    """
    left, right = sides
    tall, age = heights
    outer = figure.add_gridspec(
        1 + bool(age), 1, height_ratios=[tall, age][: 1 + bool(age)]
    )
    upper = outer[0].subgridspec(1, 1 + bool(right))
    cells = upper[0].subgridspec(len(left), 1, height_ratios=[rows[name] for name in left])
    places = [(figure.add_subplot(cells[place]), name) for place, name in enumerate(left)]
    places += [(figure.add_subplot(upper[1]), name) for name in right]
    if age:
        places.append((figure.add_subplot(outer[1]), "age"))
    return places


def _height(table: pd.DataFrame, column: str) -> float:
    """Return the height of a panel in inches, with its title and legend."""
    groups = by_dataset(table)
    values = collapsed(count_data(groups, column=column))["value"].unique()
    several = len(groups) > 1
    legend = 0.16 * len(groups) + 0.1 if several else 0.0
    return rows_height(values, groups=len(groups)) + 0.42 + legend


def _several(table: pd.DataFrame) -> bool:
    return len(by_dataset(table)) > 1


def _malignant(table: pd.DataFrame) -> pd.DataFrame:
    flag = table["malignant"].fillna(table["melanoma"]).fillna(False)
    if table[["malignant", "melanoma"]].isna().all(axis=None):
        raise NotDrawnError("No image has a label: nothing is known to be malignant.")
    chosen = table[flag.astype(bool)]
    if chosen.empty:
        raise NotDrawnError("No image is of a malignant lesion.")
    return chosen


def _in_short(table: pd.DataFrame, *, nouns: tuple[str, str] = ("image", "images")) -> str:
    """Return a title such as "33,126 images: 52 % in men, median age 50 years"."""
    facts = []
    for column in ("sex", "site"):
        counts = table[column].value_counts()
        if len(counts) and counts.iloc[0] >= _WORTH_SAYING * len(table):
            place = str(counts.index[0])
            word = f"in {_who(place).lower()}" if column == "sex" else _where(place)
            facts.append(f"{part_of(counts.iloc[0], len(table))} {word}")
    if ages(table).notna().any():
        facts.append(f"median age {ages(table).median():.0f} years")
    names = list(by_dataset(table))
    many = f" of {len(names)} data sets" if len(names) > 1 else ""
    images = counted(len(table), *nouns)
    return f"{images}{_lesions(table)}{many}" + (f": {', '.join(facts)}" if facts else "")


def _lesions(table: pd.DataFrame) -> str:
    """Return " (N lesions)"; empty where the lesion of an image is not known."""
    lesion = known(table, "lesion_id")
    if lesion.isna().any() or not len(lesion):
        return ""
    keys = pd.DataFrame({"set": known(table, "dataset"), "lesion": lesion})
    return f" ({counted(len(keys.drop_duplicates()), 'lesion')})"


def _most(data: pd.DataFrame) -> str:
    return str(data.sort_values("images", kind="stable")["value"].iloc[-1])


def _who(sex: str) -> str:
    return {"male": "Men", "female": "Women"}.get(sex, sex)


def _where(site: str) -> str:
    places = {"torso": "on the torso", "head/neck": "on head or neck"}
    return places.get(site, f"on the {site}" if site.endswith("extremity") else site)
