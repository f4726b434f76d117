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
    """A set of images with everything that was measured of it, row by row."""

    table: pd.DataFrame
    """The lesion table, with `table`, `side` and merged groups; rows count from 0."""
    pairs: pd.DataFrame
    """Duplicates: a, b, kind, similarity, where."""
    facts: pd.DataFrame | None
    """What the files tell without their pixels; None where no row has a file."""
    measures: pd.DataFrame | None
    """Artefacts and quality of the pixels; None where no row has a file."""
    store: PixelStore | None
    seed: int
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
