"""Evidence that the steps of an audit are given, and the answer that each returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from lentigo.audit.checks.finding import Finding
from lentigo.imaging.store.build import PixelStore


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Input of every audit step: a set of images with everything that was measured.

    The rows of `facts` and `measures` are those of `table`.
    """

    table: pd.DataFrame
    """The lesion table, with `table`, `side` and merged groups; rows count from 0."""
    pairs: pd.DataFrame
    """Pairs of duplicates: image ids `a` and `b`, kind, similarity, where."""
    facts: pd.DataFrame | None
    """Facts of the image files without pixels; None where no row has a file."""
    measures: pd.DataFrame | None
    """Artefacts and quality of the pixels; None where no row has a file."""
    store: PixelStore | None
    """The decoded images; None where no row has a file."""
    seed: int
    """Seed of the resampling behind the intervals."""
    notes: tuple[str, ...] = ()
    """What was guessed, mapped or missing when the tables were read and grouped."""
    sources: tuple[Mapping[str, Any], ...] = ()
    """The archives that the images are from."""


@dataclass(frozen=True)
class Answer:
    """Answer of one audit step: findings, tables, and what it could not check."""

    findings: list[Finding] = field(default_factory=list)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    not_checked: list[str] = field(default_factory=list)
