"""Images that two tables call differently, though both names hold one id of the archive."""

from __future__ import annotations

import pandas as pd

from lentigo.datasets.reading.isic_ids import isic_ids
from lentigo.words import some

IMAGE = "image_id"


def named_alike(
    guesses: pd.DataFrame, labels: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Return both tables, where they share no name with ids of the ISIC Archive as names.

    `isic2017:ISIC_0000002` of a combined table and `ISIC_0000002` of the organisers' truth
    are one image. Both tables are returned unchanged where a name is in both, where no id
    is, and where an id stands in several rows of a table. The list has a sentence where
    names were replaced.
    """
    same = guesses[IMAGE].array.equals(labels[IMAGE].array)
    if same or not set(guesses[IMAGE]).isdisjoint(labels[IMAGE]):
        return guesses, labels, []
    ids = [isic_ids(table[IMAGE]) for table in (guesses, labels)]
    shared = set(ids[0].dropna()) & set(ids[1].dropna())
    if not shared or any(each.dropna().duplicated().any() for each in ids):
        return guesses, labels, []
    renamed = [
        table.assign(**{IMAGE: each.fillna(table[IMAGE].astype("string"))})
        for table, each in zip((guesses, labels), ids, strict=True)
    ]
    first = ids[0].isin(shared)
    pairs = zip(guesses.loc[first, IMAGE], ids[0][first], strict=True)
    examples = [f"{theirs} is {own}" for theirs, own in pairs if theirs != own]
    note = (
        "No name of an image is in both tables; they are matched by ids of the ISIC Archive"
        f"{': ' if examples else ''}{some(examples, at_most=1)}."
    )
    return renamed[0], renamed[1], [note]
