"""The rows of a lesion table that can be learnt from, and what a setting asks of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lentigo.config import Config
from lentigo.curation.groups import patient_keys
from lentigo.errors import DatasetError
from lentigo.inference.people import people_of_table
from lentigo.models.context import others_of
from lentigo.models.metadata import FIELDS, fields_of
from lentigo.progress import log
from lentigo.tables import NotedTable, as_noted, check_table
from lentigo.words import counted, listed


def learnable(table: pd.DataFrame | NotedTable, config: Config | None = None) -> NotedTable:
    """Return the labelled rows of a lesion table.

    If the target is the diagnosis, a row with a diagnosis, or known to be malignant or
    benign, counts as labelled, too.

    Raises `DatasetError` if no row has a melanoma label, or if all labels are the same. It
    is called before thousands of files are decoded, to raise these errors early.
    """
    read = as_noted(table)
    table = check_table(read.table, source="the lesion table")
    labelled = table["melanoma"].notna()
    usable = labelled
    if config is not None and "diagnosis" in config.targets:
        usable = labelled | table["diagnosis"].notna() | table["malignant"].notna()
    unlabelled, table = table[~usable], table[usable].reset_index(drop=True)
    if not labelled.any():
        raise DatasetError(
            "No image has a label (column melanoma), so nothing can be learnt."
        )
    melanomas = int(table["melanoma"].sum())
    known = int(labelled.sum())
    if melanomas in {0, known}:
        only = "a melanoma" if melanomas else "no melanoma"
        raise DatasetError(
            f"Each of the {known:,} labelled images is {only}: there is nothing to "
            "tell apart. Check the label column (melanoma)."
        )
    if config is not None and config.needs_metadata:
        _check_metadata(table)
    elif config is not None and config.fuses_metadata:
        _tell_metadata(table)
    if config is not None and config.model.context:
        _check_patients(table)
        _tell_unlabelled(unlabelled, table)
    return read.holding(table)


def _tell_unlabelled(left_out: pd.DataFrame, table: pd.DataFrame) -> None:
    """Log how many images without a label are of a patient in `table`."""
    mine = patient_keys(left_out).isin(patient_keys(table).dropna())
    if mine.any():
        log.info(
            "%s without a label of patients in this training: left out, so that the "
            "patient context is fitted without them.",
            counted(int(mine.sum()), "image"),
        )


def _check_patients(table: pd.DataFrame) -> None:
    """Raise `DatasetError` if no patient has two lesions."""
    count = others_of(np.zeros(len(table)), people_of_table(table)).count
    if not count.any():
        raise DatasetError(
            f"No patient (patient_id) has two of {counted(len(table), 'labelled image')} "
            "of different lesions, which model.context is to compare. Give a table that "
            "names patients, or model.context=false."
        )


def _check_metadata(table: pd.DataFrame) -> None:
    """Raise `DatasetError` if no row has an age, a sex or a site."""
    if table[list(FIELDS)].isna().all(axis=None):
        raise DatasetError(
            f"None of {counted(len(table), 'labelled image')} has an age, a sex or a site, "
            "which model.metadata is to learn from. Give a table that has them, or "
            "model.metadata=none."
        )


def _tell_metadata(table: pd.DataFrame) -> None:
    """Log which of age, sex and site `model.metadata=auto` takes."""
    each = " of each data set" if len(table["dataset"].unique()) > 1 else ""
    if fields := fields_of("auto", table):
        log.info(
            "The network takes %s beside the image: at least half of the images%s have %s.",
            listed(fields),
            each,
            "it" if len(fields) == 1 else "each",
        )
    else:
        log.info(
            "The network takes the image alone: neither age, sex nor site is known of half "
            "of the images%s.",
            each,
        )
