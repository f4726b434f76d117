"""The finding of a check: severity, message and offending rows, ready to print or count."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

Severity = Literal["refusal", "warning", "note"]
"""`refusal`: a score from this table is wrong. `warning`: a score may be wrong. `note`: a
fact to know."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One problem or fact that a check found in a table, with the rows that show it."""

    check: str
    """Name of the check, in lower case with hyphens. A refusal can be permitted by giving
    this name to `--allow`."""
    severity: Severity
    """"refusal" (a score from these images would be wrong), "warning" or "note"."""
    message: str
    """A sentence on the problem, its count, at most three examples, and the remedy."""
    rows: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    """All offending rows or pairs; may be empty if the message says everything."""


def gravest_first(findings: Iterable[Finding]) -> list[Finding]:
    """Sort refusals before warnings before notes; within a severity the order is kept."""
    return sorted(findings, key=lambda finding: _GRAVITY[finding.severity])


_GRAVITY: dict[Severity, int] = {"refusal": 0, "warning": 1, "note": 2}
