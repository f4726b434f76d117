"""The figures of the numbers of images, and of melanomas, per patient."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lentigo.figures.bars import bar_look, rows_of_bars
from lentigo.figures.cohort.values import flags, known
from lentigo.figures.style import MELANOMA, NEUTRAL, named

_MOST_MELANOMAS = 6


def plot_images_a_patient(ax: Axes, table: pd.DataFrame) -> None:
    """Draw how many patients have 1, 2, 3–4, 5–8 … images."""
    data = images_a_patient_data(table)
    named(ax, "Images a patient")
    rows_of_bars(ax, _as_bars(data))
    ax.set_xlabel("Patients")


def plot_melanomas_a_patient(ax: Axes, table: pd.DataFrame) -> None:
    """Draw how many patients have no image of a melanoma, one, two …, six or more."""
    data = melanomas_a_patient_data(table)
    rest = data[data["value"].astype(int) >= _MOST_MELANOMAS]
    shown = data[data["value"].astype(int) < _MOST_MELANOMAS]
    if len(rest):
        more = {"value": f"{_MOST_MELANOMAS} or more", "patients": rest["patients"].sum()}
        shown = pd.concat([shown, pd.DataFrame([more])], ignore_index=True)
    named(ax, "Images of melanomas a patient")
    rows_of_bars(ax, _as_bars(shown), color=MELANOMA)
    for bar, value in zip(ax.patches, shown["value"], strict=True):
        if value == "0":
            bar.set(**bar_look(NEUTRAL))
    ax.set_xlabel("Patients")


def patient_data(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row a patient: number of images and of images of melanomas.

    Images without a patient are left out. Equal ids in two data sets are different
    patients, since each archive has its own numbers.
    """
    patient = known(table, "patient_id")
    key = known(table, "dataset").astype("string").fillna("") + "\0" + patient
    there = patient.notna()
    counted = pd.DataFrame(
        {"melanomas": flags(table, "melanoma").fillna(False).astype(int)}
    )
    groups = counted[there].groupby(key[there])["melanomas"]
    return pd.DataFrame({"images": groups.size(), "melanomas": groups.sum()}).reset_index(
        drop=True
    )


def images_a_patient_data(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row a bar: value (such as 3–4 images), patients, images, melanomas."""
    people = patient_data(table)
    step = np.ceil(np.log2(people["images"].to_numpy(dtype=float))).astype(int)
    groups = people.groupby(step)
    data = pd.DataFrame(
        {
            "patients": groups.size(),
            "images": groups["images"].sum(),
            "melanomas": groups["melanomas"].sum(),
        }
    )
    steps = range(int(step.max(initial=0)) + 1)
    data = data.reindex(steps, fill_value=0)
    return data.assign(value=[_span(number) for number in steps])[
        ["value", "patients", "images", "melanomas"]
    ].reset_index(drop=True)


def melanomas_a_patient_data(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row a bar: value (melanomas per patient), patients, images, melanomas."""
    people = patient_data(table)
    groups = people.groupby("melanomas")
    return pd.DataFrame(
        {
            "value": [str(value) for value in groups.size().index],
            "patients": groups.size().to_numpy(),
            "images": groups["images"].sum().to_numpy(),
            "melanomas": groups["melanomas"].sum().to_numpy(),
        }
    )


def _span(step: int) -> str:
    """Return the range of images per patient of bar number `step`: 1, 2, 3–4, 5–8 …"""
    first, last = 2 ** (step - 1) + 1 if step else 1, 2**step
    return f"{first:.0f}" if first >= last else f"{first:.0f}–{last}"


def _as_bars(data: pd.DataFrame) -> pd.DataFrame:
    return data.assign(
        group="patients", images=data["patients"], of=data["patients"].sum(), share=np.nan
    )
