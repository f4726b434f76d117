"""The result of an audit, as numbers, as JSON and as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.audit.checks.finding import Finding
from lentigo.audit.checks.registry import CHECKS, REFUSALS
from lentigo.curation.summary import summary
from lentigo.errors import ConfigError, unknown_name
from lentigo.notice import NOTICE
from lentigo.visible import visible
from lentigo.words import counted

_ORDER = {"refusal": 0, "allowed": 1, "warning": 2, "note": 3}
MOST_ROWS = 1000
"""The highest number of rows of a finding in the JSON; `findings/` has all rows as CSV."""


@dataclass(frozen=True, kw_only=True)
class Audit:
    """The result of an audit of a set of images."""

    folder: Path
    """The folder that the audit was written into."""
    table: pd.DataFrame = field(repr=False)
    """One row per image, with `group_id` merged over all duplicates."""
    duplicates: pd.DataFrame = field(repr=False)
    """The duplicate pairs, with the columns a, b, kind, similarity and where."""
    findings: tuple[Finding, ...]
    allowed: frozenset[str] = frozenset()
    """Names of the checks whose refusals the user allowed, so they do not count."""
    tables: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False)
    """Further results by name: target_leaks, artefact_ties, table_one, measures …"""
    not_checked: tuple[str, ...] = ()
    """Sentences on the checks that were not possible, and why."""
    notes: tuple[str, ...] = ()
    """Sentences on values guessed, mapped or missing when tables were read or grouped."""
    sources: tuple[Mapping[str, Any], ...] = ()
    """The archives that the images come from."""

    @property
    def refusals(self) -> list[Finding]:
        """The findings that make a score from these images wrong, if not allowed."""
        return [each for each in self.findings if self.gravity(each) == "refusal"]

    def gravity(self, finding: Finding) -> str:
        """The finding's severity, or "allowed" for a refusal allowed by name."""
        if finding.severity == "refusal" and finding.check in self.allowed:
            return "allowed"
        return finding.severity

    def of_gravity(self, gravity: str) -> list[Finding]:
        """The findings whose `gravity` is "refusal", "allowed", "warning" or "note"."""
        return [each for each in self.findings if self.gravity(each) == gravity]

    def lists(self) -> dict[str, Finding]:
        """Return every finding that has rows, keyed by its file name in `findings/`."""
        listed = [each for each in self.findings if len(each.rows)]
        return {f"{n:02}-{each.check}.csv": each for n, each in enumerate(listed, start=1)}

    def as_dict(self) -> dict[str, Any]:
        """Return the content of `audit.json`."""
        said = {
            f"{name}s" if name != "allowed" else name: [
                _as_dict(each) for each in self.of_gravity(name)
            ]
            for name in _ORDER
        }
        return {
            "notice": NOTICE,
            "passed": not self.refusals,
            **said,
            "duplicates": records(self.duplicates),
            "groups": int(self.table["group_id"].nunique()),
            "counts": summary(self.table),
            **{
                name: records(rows)
                for name, rows in self.tables.items()
                if name != "measures"
            },
            "not_checked": list(self.not_checked),
            "reading": list(self.notes),
            "folder": str(self.folder),
        }

    def as_text(self) -> str:
        """Return the notes, the headline, and two lines per finding, refusals first.

        The end lists the checks that were not possible. Control characters are escaped.
        """
        lines = [*self.notes, self.headline(), ""]
        for finding in sorted(self.findings, key=lambda each: _ORDER[self.gravity(each)]):
            word = {"refusal": "REFUSED"}.get(self.gravity(finding), self.gravity(finding))
            lines += [f"{word:>8}  {finding.check}", f"          {finding.message}"]
        lines += [f"          Not checked: {reason}" for reason in self.not_checked]
        return "\n".join(map(visible, lines))

    def headline(self) -> str:
        """Return one sentence: how many images, duplicates and refusals."""
        images = counted(len(self.table), "image")
        groups = counted(int(self.table["group_id"].nunique()), "group")
        pairs = counted(len(self.duplicates), "pair")
        return (
            f"{images} in {groups}; {pairs} of duplicates; "
            f"{counted(len(self.refusals), 'refusal')}, "
            f"{counted(len(self.of_gravity('warning')), 'warning')}."
        )


def check_allowed(names: Iterable[str]) -> frozenset[str]:
    """Return `names` as a set, after checking that each is a check that may refuse.

    Raises `UnknownNameError` if there is no such check and `ConfigError` if the check only
    warns or notes.
    """
    for name in names:
        if name not in CHECKS:
            raise unknown_name("check", name, CHECKS)
        if name not in REFUSALS:
            raise ConfigError(
                f"The check {name} never refuses, so there is nothing to allow. It warns, "
                "or notes, and the exit code is 0 all the same."
            )
    return frozenset(names)


def records(rows: pd.DataFrame, *, at_most: int | None = None) -> list[dict[str, Any]]:
    """Convert the rows to plain JSON values; a missing value becomes None (null).

    `at_most` keeps only the first rows.
    """
    plain = rows.head(at_most) if at_most is not None else rows
    values = plain.astype(object).where(plain.notna(), None)
    return [
        {str(key): _plain(value) for key, value in row.items()}
        for row in values.to_dict("records")
    ]


def _plain(value: Any) -> Any:
    """Return a date as ISO text, since JSON has no dates; other values unchanged."""
    return value.isoformat() if hasattr(value, "isoformat") else value


def _as_dict(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "message": finding.message,
        "count": len(finding.rows),
        "rows": records(finding.rows, at_most=MOST_ROWS),
    }
