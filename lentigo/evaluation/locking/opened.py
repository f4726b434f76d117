"""An opening of a locked test set, and the sentences on it in a report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from lentigo.evaluation.locking.protocol import Protocol
from lentigo.words import counted, verb


@dataclass(frozen=True, kw_only=True)
class Opening:
    """One opening of the labels of a locked test set."""

    folder: str
    """The folder of the locked test set."""
    number: int
    """1 for the first opening."""
    locked_at: str
    """The time when the labels were locked; `frozen_at`: when the protocol was fixed."""
    frozen_at: str
    before_first_look: bool
    """Whether the protocol was fixed before, and not by, the first opening."""
    earlier: tuple[str, ...]
    """The times of the earlier openings."""
    earlier_others: int
    """How many earlier openings were under a protocol other than the fixed one."""
    other_predictions: int
    """How many other tables of predictions were judged in earlier openings."""
    differences: tuple[str, ...]
    """The fields in which this opening's protocol differs from the fixed one, in words."""
    reason: str
    """The reason for these differences; empty without any."""
    protocol: Protocol
    """The fixed protocol."""
    head: str
    """Digest of the last line of the log, which depends on all lines before."""

    @property
    def sentences(self) -> list[str]:
        """Return sentences on earlier openings of the test set, and on the protocols."""
        looked = (
            "It had not been looked at before."
            if not self.earlier
            else f"It had been looked at {counted(len(self.earlier), 'time')} before "
            f"({self.earlier[0]} first), with "
            f"{counted(self.other_predictions, 'other table')} of predictions."
        )
        fixed = (
            f"The protocol was fixed {self.frozen_at}, before its labels were read."
            if self.before_first_look
            else "The protocol was fixed by the first opening, and not before."
        )
        said = [f"The test set was locked {self.locked_at}. {looked}", fixed]
        if self.earlier_others:
            number = self.earlier_others
            said.append(
                f"{counted(number, 'earlier opening')} {verb(number, 'was', 'were')} under "
                "another protocol."
            )
        if self.differences:
            said.append(
                f"This is another protocol than the one that was fixed "
                f"({'; '.join(self.differences)}), because: {self.reason}"
            )
        return said

    def as_dict(self) -> dict[str, Any]:
        """Return all fields and `sentences` as plain values, ready for JSON."""
        known = asdict(self)
        return {**known, "protocol": self.protocol.as_dict(), "sentences": self.sentences}
