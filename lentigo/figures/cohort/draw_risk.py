"""Figures of the share of melanomas, a decision tree, and differences of data sets."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lentigo.baselines.tree import MetadataTree, metadata_tree
from lentigo.errors import DatasetError
from lentigo.evaluation.intervals import Interval
from lentigo.figures.bars import rows_height, rows_of_bars
from lentigo.figures.cohort.age_by_class import age_data, plot_age_by_class, plot_classes
from lentigo.figures.cohort.counts import count_data
from lentigo.figures.cohort.draw_images import sized
from lentigo.figures.cohort.drawn import (
    Cohort,
    CohortFigure,
    NotDrawnError,
    need_classes,
    part_of,
)
from lentigo.figures.cohort.rates import ENOUGH, beyond, drawn_rates, plot_rate, rate_data
from lentigo.figures.cohort.shift import plot_shift, shared_patients, shift_data
from lentigo.figures.cohort.sizes import SIZE
from lentigo.figures.cohort.values import (
    NOT_MELANOMA,
    YEARS,
    ages,
    by_class,
    by_dataset,
    known,
    titled_column,
)
from lentigo.figures.confusion import confusion_data, plot_confusion
from lentigo.figures.metadata_tree import plot_tree, tree_data
from lentigo.figures.style import WIDTHS, headed, named, style
from lentigo.words import count, counted, listed

RATES = ("sex", "site", "age")


def classes(given: Cohort) -> CohortFigure:
    """Draw the number of images of each class, and the ages of their patients.

    Raises `NotDrawnError` when no image has a label.
    """
    table = given.table
    if table["melanoma"].isna().all():
        raise NotDrawnError("No image has a label: melanoma is missing in every row.")
    hits, of = int(table["melanoma"].sum()), int(table["melanoma"].count())
    title = f"{part_of(hits, of)} of {counted(of, 'labelled image')} are of melanomas"
    medians = {name: ages(rows).median() for name, rows in by_class(table).items()}
    if all(
        not math.isnan(medians.get(name, math.nan)) for name in ("melanoma", NOT_MELANOMA)
    ):
        title += (
            f", at a median age of {medians['melanoma']:.0f} years against "
            f"{medians[NOT_MELANOMA]:.0f}"
        )
    with style():
        figure = Figure(figsize=(WIDTHS["page"], 2.9), layout="constrained")
        aged = bool(ages(table).notna().any())
        widths = [1, 1.3][: 1 + aged]
        axes = list(figure.subplots(1, 1 + aged, squeeze=False, width_ratios=widths).flat)
        plot_classes(axes[0], table)
        if aged:
            plot_age_by_class(axes[1], table)
        headed(figure, title)
    sentence = (
        "Images of each class; and the ages of each class in per cent of it for five "
        "years, as steps and as a smooth density; marks beneath are the ages that occur."
    )
    return CohortFigure(figure, _class_numbers(table), title, sentence)


def rates(given: Cohort) -> CohortFigure:
    """Draw the share of melanomas among the images of each sex, site and age.

    Raises `NotDrawnError` when a class has no image, or all three columns are missing.
    """
    table = given.table
    need_classes(table)
    columns = [name for name in RATES if known(table, name).notna().any()]
    if not columns:
        raise NotDrawnError("Sex, site and age are missing in every row of the table.")
    data = pd.concat(
        [rate_data(by_dataset(table), column=name) for name in columns], ignore_index=True
    )
    title = _highest(data, by_dataset(table))
    with style():
        figure = _rate_figure(table, columns, data)
        headed(figure, title)
    sentence = (
        "The share of melanomas among the labelled images, with its 95 % interval; "
        "dotted, the share over all. Intervals take the patient as the unit, the lesion "
        "where no patient is known, and single images where nothing is. The title speaks "
        f"of groups of at least {ENOUGH} images; smaller ones do not set the width of the "
        "axis"
    )
    far = any(beyond(rows) for _, rows in data.groupby("column"))
    sentence += ", and an arrow stands for a share beyond it." if far else "."
    return CohortFigure(figure, data.rename(columns={"group": "dataset"}), title, sentence)


def shift(given: Cohort) -> CohortFigure:
    """Draw the difference of each other data set, and of the test set, from the first set.

    Raises `NotDrawnError` when there is only one set, or no column is known in both.
    """
    first, base, pairs = _compared(given)
    data = {name: shift_data(base, rows) for name, rows in pairs.items()}
    if all(rows.empty for rows in data.values()):
        raise NotDrawnError("The tables know no column together.")
    title = _furthest(data, first)
    with style():
        rows = max(len(part) for part in data.values())
        height = 0.6 + len(pairs) * (0.75 + 0.2 * rows)
        figure = Figure(figsize=(WIDTHS["page"], height), layout="constrained")
        for ax, (name, part) in zip(
            figure.subplots(len(pairs), 1, squeeze=False).flat, pairs.items(), strict=True
        ):
            plot_shift(ax, base, part, name=f"{name} against {first}")
        headed(figure, title)
    table = pd.concat([part.assign(set=name) for name, part in data.items()])
    sentence = _SHIFT + _sizes_read({first: base, **pairs})
    return CohortFigure(figure, table, title, sentence + _patients_in_both(base, pairs))


def tree(given: Cohort) -> CohortFigure:
    """Draw a decision tree on the features of `given`, judged on held-out patients.

    Raises `NotDrawnError` when a class has no image, all features are missing, or there
    are too few images to hold some out.
    """
    table = given.table
    need_classes(table)
    features = [name for name in given.features if known(table, name).notna().any()]
    if not features:
        raise NotDrawnError("All features are missing in every row of the table.")
    try:
        grown = metadata_tree(table, features=features)
    except DatasetError as error:
        raise NotDrawnError(str(error)) from None
    cells, many = grown.confusion, len(features) > 1
    title = (
        f"{listed(features).capitalize()} alone {'find' if many else 'finds'} "
        f"{part_of(cells.tp, cells.tp + cells.fn)} of the images of melanomas, and "
        f"{'call' if many else 'calls'} "
        f"{part_of(cells.fp, cells.fp + cells.tn)} of the other images, too"
    )
    with style():
        figure = _tree_figure(grown)
        headed(figure, title)
    sentence = _tree_sentence(grown, table)
    if absent := [name for name in given.features if name not in features]:
        sentence += f" Missing in every row, and not asked for: {listed(absent)}."
    return CohortFigure(figure, _tree_numbers(grown), title, sentence)


_SHIFT = (
    "How much each column differs: the share of the images that would have to move to "
    "another value for both to be alike. In brackets the effect size: the standardised "
    "mean difference d for age, Cramér's V for words."
)


def _compared(given: Cohort) -> tuple[str, pd.DataFrame, dict[str, pd.DataFrame]]:
    """Return the first data set's name and images, and the sets to compare with it.

    All tables have the column `size`. Raises `NotDrawnError` when there is only one set.
    """
    sets = by_dataset(given.table)
    first, *others = sets
    base, pairs = sets[first], {name: sets[name] for name in others}
    if not others:
        first = "training"
    if given.test is not None:
        name = next(free for free in ("test", "test set", "--test") if free not in sets)
        pairs[name] = given.test
    if not pairs:
        raise NotDrawnError("There is one table only: give --test, or several tables.")
    return first, sized(base), {name: sized(rows) for name, rows in pairs.items()}


def _sizes_read(sets: Mapping[str, pd.DataFrame]) -> str:
    """Return a sentence on how many image sizes are known.

    Empty if all sizes are known, or a set has no known size.
    """
    read = {name: int(known(rows, SIZE).notna().sum()) for name, rows in sets.items()}
    if not all(read.values()) or all(read[name] == len(sets[name]) for name in sets):
        return ""
    parts = [f"{count(read[name])} of {count(len(sets[name]))} ({name})" for name in sets]
    return f" Sizes are those of {listed(parts)} images, drawn by lot where not all."


def _class_numbers(table: pd.DataFrame) -> pd.DataFrame:
    counts = count_data(by_dataset(table), column="melanoma")
    counts = counts.drop(columns="group").rename(columns={"value": "group"})
    counts = counts.assign(kind="class").drop(columns="column")
    return pd.concat([counts, age_data(table)], ignore_index=True)[
        ["group", "kind", "age", "images", "of", "share"]
    ]


def _highest(data: pd.DataFrame, sets: Mapping[str, pd.DataFrame]) -> str:
    """Return a title on the value with the highest share of melanomas.

    Only values with at least `ENOUGH` images count. The title compares the share with that
    over all images of the same data set.
    """
    sure = data[(data["images"] >= ENOUGH) & (data["value"] != "missing")]
    if sure.empty:
        flags = pd.concat([rows["melanoma"] for rows in sets.values()]).astype("boolean")
        return f"{part_of(float(flags.mean()), 1)} of the images are of melanomas"
    top = sure.sort_values("rate", kind="stable").iloc[-1]
    overall = float(sets[str(top["group"])]["melanoma"].astype("boolean").mean())
    year, several = str(top["value"]), len(sets) > 1
    where = (
        f"at {year} to {int(year) + YEARS - 1} years"
        if top["column"] == "age"
        else (f"for {year}")
    )
    where += f" in {top['group']}" if several else ""
    return (
        f"Of groups of at least {ENOUGH} images, the share of melanomas is highest "
        f"{where}: {part_of(top['rate'], 1)} (95\u00a0% interval "
        f"{part_of(top['low'], 1)} to {part_of(top['high'], 1)}), "
        f"against {part_of(overall, 1)} {'of that set' if several else 'in all'}"
    )


def _rate_height(data: pd.DataFrame, many: int) -> float:
    return rows_height(drawn_rates(data)["value"].unique(), groups=many)


def _rate_figure(table: pd.DataFrame, columns: list[str], data: pd.DataFrame) -> Figure:
    many = len(by_dataset(table))
    around = 0.75 + (0.1 + 0.16 * many) * (many > 1)
    rows = {
        name: around + _rate_height(data[data["column"] == name], many) for name in columns
    }
    left = [name for name in columns if name != "age"]
    right = ["age"] if "age" in columns else []
    tall = max(sum(rows[name] for name in side) for side in (left, right))
    figure = Figure(figsize=(WIDTHS["page"], 0.5 + tall), layout="constrained")
    sides = [side for side in (left, right) if side]
    grid = figure.add_gridspec(1, len(sides))
    for place, side in enumerate(sides):
        cells = grid[place].subgridspec(
            len(side), 1, height_ratios=[rows[name] for name in side]
        )
        for number, name in enumerate(side):
            plot_rate(figure.add_subplot(cells[number]), table, column=name)
    return figure


def _furthest(data: Mapping[str, pd.DataFrame], first: str) -> str:
    table = pd.concat([part.assign(set=name) for name, part in data.items()])
    top = table.sort_values("total_variation", kind="stable").iloc[-1]
    return (
        f"{titled_column(top['column'])} differs most between {first} and {top['set']}: "
        f"{part_of(top['total_variation'], 1)} of the images would have to move"
    )


def _patients_in_both(base: pd.DataFrame, pairs: Mapping[str, pd.DataFrame]) -> str:
    said = []
    for name, rows in pairs.items():
        shared = shared_patients(base, rows)
        if shared is not None:
            said.append(f" {counted(shared, 'patient id')} stand in both ({name}).")
    return "".join(said)


def _tree_figure(grown: MetadataTree) -> Figure:
    figure = Figure(figsize=(WIDTHS["page"], 5.4), layout="constrained")
    upper, lower = np.asarray(figure.subfigures(2, 1, height_ratios=[3.0, 2.1]))
    plot_tree(upper.subplots(), grown.root)
    left, right = lower.subplots(1, 2, width_ratios=[1, 1.3])
    plot_confusion(left, grown.confusion)
    _plot_scores(right, grown)
    return figure


def _plot_scores(ax: Axes, grown: MetadataTree) -> None:
    scores = _scores(grown)
    data = pd.DataFrame(
        {"group": "tree", "value": list(scores), "images": list(scores.values()), "of": 1,
         "share": list(scores.values())}
    )  # fmt: skip
    ends = [grown.intervals.get(name.lower()) for name in scores]
    texts = [
        f"{value:.3f}" + (f" ({each.low:.3f}–{each.high:.3f})" if each is not None else "")
        for value, each in zip(scores.values(), ends, strict=True)
    ]
    rows_of_bars(ax, data, texts=texts)
    ax.set_xlim(0, 1)
    named(ax, f"On {count(grown.judged)} held-out images")


def _scores(grown: MetadataTree) -> dict[str, float]:
    return {
        "Precision": grown.precision,
        "Recall": grown.recall,
        "F1": grown.f1,
        "Accuracy": grown.accuracy,
    }


def _tree_numbers(grown: MetadataTree) -> pd.DataFrame:
    found = _scores(grown)
    none = Interval(float("nan"))
    ends = [grown.intervals.get(name.lower(), none) for name in found]
    scores = pd.DataFrame(
        {
            "score": list(found),
            "value": list(found.values()),
            "low": [each.low for each in ends],
            "high": [each.high for each in ends],
        }
    )
    parts = {
        "tree": tree_data(grown.root),
        "confusion": confusion_data(grown.confusion),
        "scores": scores,
    }
    tables = [part.assign(part=name) for name, part in parts.items()]
    whole = pd.concat(tables, ignore_index=True)
    return whole[["part", *(name for name in whole if name != "part")]].astype(
        {"images": "Int64", "melanomas": "Int64"}
    )


def _tree_sentence(grown: MetadataTree, table: pd.DataFrame) -> str:
    if table["patient_id"].notna().all():
        others = "of other patients"
    elif table["lesion_id"].notna().all() and table["patient_id"].isna().all():
        others = "of other lesions (no patient is known)"
    elif table[["patient_id", "lesion_id"]].isna().all(axis=None):
        others = "others (neither patient nor lesion is known)"
    else:
        others = "of other patients, or lesions or images where none is known"
    return (
        f"A decision tree on {listed(grown.features)}, grown on "
        f"{count(grown.learned)} images and judged on {count(grown.judged)} "
        f"{others}. Melanomas weigh as much as all others together, so it calls where they "
        "are more frequent than overall. At every question, yes goes to the left. "
        "The diagnosis may not be asked for: it is the answer in other words."
    )
