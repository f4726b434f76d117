"""The protocol that is fixed before the labels of a locked test set are read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from lentigo.errors import UnreadableFileError
from lentigo.files import digest
from lentigo.models.description import DESCRIPTION, find_models


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How predictions are to be judged; the defaults are those of `evaluate`."""

    model: str | None = None
    """Digest of the model, else of the predictions; None to be set by the first opening."""
    threshold: float = 0.5
    """Probability from which melanoma is called."""
    metrics: tuple[str, ...] = ()
    """The metrics fixed as outcomes, the primary one first; empty where none was chosen."""
    group: str | None = None
    """Column that names the independent groups; None to let `evaluate` choose."""
    prevalence: float | None = None
    """Share of melanoma to evaluate at; None for that of the judged images."""
    by: tuple[str, ...] = ()
    """Columns whose values are judged as subgroups."""
    where: str | None = None
    """The condition on rows to be judged (--where); None for all rows."""
    choose_on: str | None = None
    """Digest of the predictions that thresholds are chosen on."""
    columns: tuple[str, ...] | None = None
    """The columns that are named (--column), such as "probability=model_a", sorted; empty
    where all are guessed, None to be set by the first opening."""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name, for JSON."""
        columns = None if self.columns is None else list(self.columns)
        lists = {"metrics": list(self.metrics), "by": list(self.by), "columns": columns}
        return {**asdict(self), **lists}

    @classmethod
    def from_dict(cls, known: Mapping[str, Any]) -> Protocol:
        """Make a protocol from the result of `as_dict`.

        Locks that were made before there were `columns` lack them, as if they were None.

        Raises `UnreadableFileError` when the keys are not exactly the fields.
        """
        names = {field.name for field in fields(cls)}
        if not isinstance(known, Mapping) or {*known, "columns"} != names:
            raise UnreadableFileError("The protocol of the locked test set is not whole.")
        columns = known.get("columns")
        lists = {
            "metrics": tuple(known["metrics"]),
            "by": tuple(known["by"]),
            "columns": None if columns is None else tuple(columns),
        }
        return cls(**{**known, **lists})

    def completed(self, asked: Protocol) -> Protocol:
        """Return this protocol with what is None in `model` or `columns` from `asked`."""
        columns = asked.columns if self.columns is None else self.columns
        return replace(self, model=self.model or asked.model, columns=columns)


def differences(frozen: Protocol, asked: Protocol) -> list[str]:
    """Return how `asked` differs from `frozen`, such as "threshold 0.5, not 0.3".

    Empty without a difference. `metrics` are not compared, nor are a `model` and `columns`
    of None in `frozen`.
    """
    found = []
    for field in fields(Protocol):
        before, now = getattr(frozen, field.name), getattr(asked, field.name)
        if field.name == "metrics" or before == now or _open(field.name, before):
            continue
        found.append(f"{field.name} {_said(now)}, not {_said(before)}")
    return found


def _open(name: str, value: object) -> bool:
    return name in {"model", "columns"} and value is None


def _said(value: object) -> str:
    if value is None or value == ():
        return "none"
    if isinstance(value, tuple):
        return " and ".join(map(str, value))
    text = str(value)
    return text[:24] + "…" if len(text) > 40 else text


def model_digest(path: Path) -> str:
    """Return the digest of a model folder, or of all models of a run.

    `model.json` holds the digests of all files beside it, so its digest identifies them.
    """
    each = [digest(folder / DESCRIPTION) for folder in find_models(path)]
    if len(each) == 1:
        return f"model {each[0]}"
    return f"models {hashlib.sha256(' '.join(each).encode()).hexdigest()}"


def predictions_digest(path: Path, column: str | None = None) -> str:
    """Return a digest of a prediction table, for `Protocol.model` of an unknown model.

    `column` is the name of the probabilities, where it was given.
    """
    return f"predictions {digest(path)}" + (f" {column}" if column is not None else "")
