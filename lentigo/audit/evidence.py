"""The input of the steps of an audit (`Evidence`) and the result of a step (`Answer`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from lentigo.audit.checks.finding import Finding
from lentigo.imaging.store.build import PixelStore


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Input of every audit step: a set of images with all measurements.

    `facts` and `measures` have the same rows as `table`.
    """

    table: pd.DataFrame
    """The lesion table, with `table`, `side` and merged `group_id`; its index counts from
    0."""
    pairs: pd.DataFrame
    """Pairs of duplicates: image ids `a` and `b`, kind, similarity, where."""
    facts: pd.DataFrame | None
    """Facts of the image files that need no pixels; None if no row has a file."""
    measures: pd.DataFrame | None
    """Artefact and quality scores of the images; None if no row has a file."""
    store: PixelStore | None
    """The decoded images; None if no row has a file."""
    seed: int
    """Seed of the resampling behind the confidence intervals."""
    notes: tuple[str, ...] = ()
    """Sentences on values guessed, mapped or missing when tables were read and grouped."""
    sources: tuple[Mapping[str, Any], ...] = ()
    """The archives that the images come from."""


@dataclass(frozen=True)
class Answer:
    """Result of an audit step: findings, tables, and sentences on what was not checked."""

    findings: list[Finding] = field(default_factory=list)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    """Name of a table in `Audit.tables` → table."""
    not_checked: list[str] = field(default_factory=list)
