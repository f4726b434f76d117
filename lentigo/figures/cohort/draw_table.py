"""Figures of a lesion table: patients, missing values, diagnoses, and sites by age."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from lentigo.figures.bars import rows_height
from lentigo.figures.cohort.diagnoses import diagnosis_data, plot_diagnoses, tree_rows
from lentigo.figures.cohort.drawn import (
    Cohort,
    CohortFigure,
    NotDrawnError,
    need_column,
    part_of,
)
from lentigo.figures.cohort.missing import COLUMNS, missing_data, partly, plot_missing
from lentigo.figures.cohort.patients import (
    images_a_patient_data,
    melanomas_a_patient_data,
    patient_data,
    plot_images_a_patient,
    plot_melanomas_a_patient,
)
from lentigo.figures.cohort.site_by_age import is_rest, plot_site_by_age, site_by_age_data
from lentigo.figures.cohort.values import known, titled_column
from lentigo.figures.style import WIDTHS, headed, style
from lentigo.words import count, counted, listed


def patients(given: Cohort) -> CohortFigure:
    """Draw the numbers of images and of melanomas per patient.

    Raises `NotDrawnError` when no patient is known.
    """
    table = given.table
    need_column(table, "patient_id", what="The patient")
    people = patient_data(table)
    labelled = bool(table["melanoma"].notna().any())
    several = people[people["melanomas"] >= 2]
    title = _people(people)
    if labelled and len(several):
        part = part_of(several["melanomas"].sum(), people["melanomas"].sum())
        told = f"{count(len(several))} of them have two or more images of melanomas"
        title += f"; {told}, together {part} of these"
    with style():
        figure = Figure(figsize=(WIDTHS["page"], 2.5), layout="constrained")
        axes = list(figure.subplots(1, 1 + labelled, squeeze=False).flat)
        plot_images_a_patient(axes[0], table)
        if labelled:
            plot_melanomas_a_patient(axes[1], table)
        headed(figure, title)
    sentence = (
        "Patients by their number of images and by their number of images of melanomas. "
        "Images of one patient resemble each other, so patients must not be split."
    )
    data = images_a_patient_data(table).assign(count="images a patient")
    if labelled:
        more = melanomas_a_patient_data(table).assign(count="melanomas a patient")
        data = pd.concat([data, more], ignore_index=True)
    columns = ["count", "value", "patients", "images", "melanomas"]
    return CohortFigure(figure, data[columns], title, sentence)


def missing(given: Cohort) -> CohortFigure:
    """Draw the columns with missing values, and the combinations missing together.

    Raises `NotDrawnError` when each column is known for all images or for none.
    """
    table = given.table
    names = partly(table)
    nowhere = [
        titled_column(name)[0].lower() + titled_column(name)[1:]
        for name in COLUMNS
        if known(table, name).isna().all()
    ]
    if not names:
        every = f" For none: {listed(nowhere)}." if nowhere else ""
        raise NotDrawnError(f"Each column is known for every image, or for none.{every}")
    lost = {name: int(known(table, name).isna().sum()) for name in names}
    worst = max(lost, key=lambda name: lost[name])
    complete = int(
        (~pd.concat([known(table, n).isna() for n in names], axis=1).any(axis=1)).sum()
    )
    title = (
        f"{titled_column(worst)} is missing in {part_of(lost[worst], len(table))} of the "
        f"images; {part_of(complete, len(table))} lack nothing"
    )
    if nowhere:
        title += f" but {listed(nowhere)}, missing in all"
    data = missing_data(table)
    with style():
        height = 1.5 + 0.2 * min(len(data), 12)
        figure = Figure(figsize=(WIDTHS["page"], height), layout="constrained")
        plot_missing(figure.subplots(), table)
        headed(figure, title)
    sentence = "Rows are combinations of missing columns (dark), the commonest on top."
    if nowhere:
        sentence += f" Missing in every image, and not drawn: {listed(nowhere)}."
    return CohortFigure(figure, data, title, sentence)


def site_by_age(given: Cohort) -> CohortFigure:
    """Draw a heat map of anatomical site against age, of images and of melanomas.

    Raises `NotDrawnError` when no image has both.
    """
    table = given.table
    need_column(table, "site", what="The anatomical site")
    need_column(table, "age", what="Age")
    data = site_by_age_data(table)
    named = data[(data["age"] >= 0) & (data["site"] != "missing")]
    if not named["images"].sum():
        raise NotDrawnError("No image has both an anatomical site and an age.")
    top = named[~named["site"].map(is_rest)].sort_values("images", kind="stable").iloc[-1]
    title = (
        f"Most frequent: {top['site']} at {top['age']:.0f} years "
        f"({top['images']:,} of {count(len(table))} images)"
    )
    melanomas = bool(data["melanomas"].sum())
    with style():
        panels = 1 + melanomas
        height = 0.4 + panels * (0.75 + rows_height(data["site"].unique()))
        figure = Figure(figsize=(WIDTHS["page"], height), layout="constrained")
        axes = list(figure.subplots(panels, 1, squeeze=False).flat)
        plot_site_by_age(axes[0], table)
        if melanomas:
            plot_site_by_age(axes[1], table, measure="melanomas")
        headed(figure, title)
    sentence = "Images of each site at each age; the darker, the more."
    if melanomas:
        sentence += (
            " Below, the melanomas among them: the number counts them, the colour is their "
            "share, darkest from one in five upwards."
        )
    out = data.assign(age=data["age"].mask(data["age"] < 0).astype("Int64"))
    return CohortFigure(figure, out, title, sentence)


def diagnoses(given: Cohort) -> CohortFigure:
    """Draw the tree from all images to their classes to their diagnoses.

    Raises `NotDrawnError` when no image has a diagnosis or a label.
    """
    table = given.table
    if all(known(table, name).isna().all() for name in ("diagnosis", "melanoma")):
        raise NotDrawnError("Neither a diagnosis nor a label is known for any image.")
    data = diagnosis_data(table)
    told = data[data["diagnosis"] != "missing"]
    lost = int(known(table, "diagnosis").isna().sum())
    title = f"{counted(told['diagnosis'].nunique(), 'diagnosis', 'diagnoses')}"
    title += f"; {part_of(lost, len(table))} of the images have none" if lost else ""
    with style():
        height = 0.5 + 0.17 * max(tree_rows(table), 5)
        figure = Figure(figsize=(WIDTHS["page"], height), layout="constrained")
        plot_diagnoses(figure.subplots(), table)
        headed(figure, title)
    sentence = (
        "All images by class, and each class by diagnosis, with the number of images."
    )
    return CohortFigure(figure, data, title, sentence)


def _people(people: pd.DataFrame) -> str:
    images = people["images"]
    if len(people) == 1:
        return f"One patient has {counted(images.iloc[0], 'image')}"
    if images.min() == images.max():
        return f"{count(len(people))} patients have {counted(images.max(), 'image')} each"
    return (
        f"{count(len(people))} patients have {images.min():,} to "
        f"{counted(images.max(), 'image')} "
        f"each, {images.mean():.1f} on average"
    )
