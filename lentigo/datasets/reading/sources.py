"""The sources to cite for the images of a table, and their licences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from lentigo.datasets.registry import Format
from lentigo.tables import NotedTable

OWN = "yours"
"""The licence of formats that are not published archives."""
_OF_EACH_IMAGE = "copyright_license"


def with_source(read: NotedTable, format: Format) -> NotedTable:
    """Return the table `read` with the licence of each image and the archive's citation.

    The column `licence` stays with its rows: in a CSV file, in a part of the table, in a
    combined table; and rows can be chosen by it. If the archive states a licence for each
    image, the column holds that. The name, citation and licence of the whole archive are in
    `sources`, which Parquet files store, too. For a user's own images (`csv` and the like)
    the table is returned unchanged.
    """
    if format.licence == OWN:
        return read
    table = read.table
    whole = pd.NA if _OF_EACH_IMAGE in format.licence else format.licence
    licence = pd.Series(whole, index=table.index, dtype="string")
    if _OF_EACH_IMAGE in table:
        own = table[_OF_EACH_IMAGE].astype("string").str.strip()
        known = own.notna() & (own != "")
        # If images have licences of their own, an image without one has no known licence.
        licence = own.where(known) if known.any() else licence
    source = {
        "dataset": format.name,
        "citation": format.citation,
        "licence": format.licence,
    }
    return replace(read, table=table.assign(licence=licence), sources=(source,))


def joined_sources(tables: Sequence[NotedTable]) -> list[Mapping[str, Any]]:
    """Return the sources of several tables, each once."""
    every = [source for table in tables for source in table.sources]
    return [source for place, source in enumerate(every) if source not in every[:place]]


def source_sentence(source: Mapping[str, Any]) -> str:
    """Return a source as a sentence: its name, its licence, and the citation."""
    cite = f" Cite {source['citation']}." if source["citation"] else ""
    return f"Licence of {source['dataset']}: {source['licence']}.{cite}"
