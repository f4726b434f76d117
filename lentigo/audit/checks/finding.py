"""Findings of a check of a table, in a form that can be printed, counted and refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

Severity = Literal["refusal", "warning", "note"]
"""`refusal`: a score from this table is wrong. `warning`: it may be. `note`: to know."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a check has found in a table, with everything that it rests on."""

    check: str
    """Name of the check, in lower case with hyphens, by which it can be allowed."""
    severity: Severity
    message: str
    """What was found, how often, at most three offenders, and what to do about it."""
    rows: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    """All offenders, one a row; may be empty where a sentence says everything."""


def gravest_first(findings: Iterable[Finding]) -> list[Finding]:
    """Refusals before warnings before notes, each in the order in which they came."""
    return sorted(findings, key=lambda finding: _GRAVITY[finding.severity])


_GRAVITY: dict[Severity, int] = {"refusal": 0, "warning": 1, "note": 2}
