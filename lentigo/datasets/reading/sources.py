"""Whom to cite for the images of a table, and on what terms they may be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from lentigo.datasets.registry import Format
from lentigo.tables import NotedTable

OWN = "yours"
"""The licence of formats that are no published archive."""
_OF_EACH_IMAGE = "copyright_license"


def with_source(read: NotedTable, format: Format) -> NotedTable:
    """Return the table `read` with the licence of each image and the archive's citation.

    The column `licence` goes wherever rows go: into a CSV file, into a part of the table,
    into several tables combined; and rows can be chosen by it. Where the archive states a
    licence of each image, that is it. What is said once of the whole archive (name,
    citation, licence) stands in `sources`, which Parquet files keep, too. Images of one's
    own get neither.
    """
    if format.licence == OWN:
        return read
    table = read.table
    whole = pd.NA if _OF_EACH_IMAGE in format.licence else format.licence
    licence = pd.Series(whole, index=table.index, dtype="string")
    if _OF_EACH_IMAGE in table:
        own = table[_OF_EACH_IMAGE].astype("string").str.strip()
        known = own.notna() & (own != "")
        # A licence of each image is no statement on those without one.
        licence = own.where(known) if known.any() else licence
    source = {
        "dataset": format.name,
        "citation": format.citation,
        "licence": format.licence,
    }
    return replace(read, table=table.assign(licence=licence), sources=(source,))


def joined_sources(tables: Sequence[NotedTable]) -> list[Mapping[str, Any]]:
    """The sources of several tables, each once."""
    every = [source for table in tables for source in table.sources]
    return [source for place, source in enumerate(every) if source not in every[:place]]


def source_sentence(source: Mapping[str, Any]) -> str:
    """A source as it is printed: what it is, its licence, and whom to cite."""
    cite = f" Cite {source['citation']}." if source["citation"] else ""
    return f"Licence of {source['dataset']}: {source['licence']}.{cite}"
