"""Lock a test set, open its labels, and record how often they were opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.datasets.any_table import read_whole
from lentigo.datasets.reading.chosen import choose, is_chosen
from lentigo.datasets.reading.column_names import DIAGNOSIS_KEYS, key
from lentigo.datasets.reading.columns import choose_columns, guess_columns, read_truth
from lentigo.datasets.reading.diagnoses import DIAGNOSES
from lentigo.datasets.reading.own_words import described_by
from lentigo.datasets.reading.zipped import is_zip
from lentigo.errors import (
    ConfigError,
    DatasetError,
    RunError,
    UnreadableFileError,
    unknown_name,
)
from lentigo.evaluation.locking.chain import START, append, check_head, read_chain
from lentigo.evaluation.locking.opened import Opening
from lentigo.evaluation.locking.protocol import Protocol, differences
from lentigo.evaluation.registry import METRICS
from lentigo.files import csv_text, digest, unguarded, write_csv
from lentigo.json_files import read_json_object, write_json
from lentigo.output import alone, check_new_folder, new_folder
from lentigo.own_files import note_own
from lentigo.run_layout import LOCKED, LOCKED_IMAGES, LOCKED_LABELS, OPENINGS
from lentigo.table_files.cells import typed, without_nothing
from lentigo.table_files.delimited import parse
from lentigo.tables import NotedTable, read_any_table, without_others
from lentigo.words import counted, listed, some

_ABOUT = (
    "Labels of a locked test set. `lentigo evaluate --truth FOLDER` opens them, and keeps "
    "a record of it."
)
_LABELS = ("melanoma", "malignant", "diagnosis")
FROZEN, OPENED = "frozen", "opened"
LOCK, OPENING = "lock", "opening"
MOST_BYTES = 2_000_000_000
"""Most bytes of the file of labels."""


@dataclass(frozen=True)
class State:
    """The record of a locked test set: its protocol and its openings."""

    folder: Path
    """The folder of the locked test set."""
    locked_at: str
    """The time when the labels were locked."""
    n_images: int
    protocol: Protocol | None
    """The fixed protocol; None where the first opening is to fix it."""
    frozen_at: str
    """The time when the protocol was fixed; empty where it is not."""
    frozen_by: str
    """`LOCK` or, where the first opening fixed the protocol, `OPENING`; empty where it is
    not fixed."""
    openings: tuple[Mapping[str, Any], ...]
    """The entries of the log about openings, the oldest first."""
    head: str
    """Digest of the last line of the log; `START` for an empty log."""

    def as_dict(self) -> dict[str, Any]:
        """Return the record without `frozen_by` as plain values, for JSON."""
        return {
            "folder": str(self.folder),
            "locked_at": self.locked_at,
            "n_images": self.n_images,
            "protocol": self.protocol.as_dict() if self.protocol else None,
            "frozen_at": self.frozen_at or None,
            "openings": [dict(each) for each in self.openings],
            "head": self.head,
        }

    def as_text(self) -> str:
        """Return the record as text for a terminal: images, protocol, openings."""
        lines = [f"{counted(self.n_images, 'image')}, locked {self.locked_at}."]
        if self.protocol is None:
            lines.append("No protocol is fixed yet: the first opening fixes it.")
        else:
            lines.append(f"Protocol, fixed {self.frozen_at}:")
            lines += [
                f"  {name}: {_shown(value)}"
                for name, value in self.protocol.as_dict().items()
            ]
        count = len(self.openings)
        lines.append(f"Opened {counted(count, 'time')}." if count else "Never opened.")
        for each in self.openings:
            other = "; ".join(each["differences"])
            told = (
                f"; another protocol ({other}), because: {each['reason']}" if other else ""
            )
            lines.append(f"  {each['time']}: {each['predictions']}{told}")
        return "\n".join(lines)


def _shown(value: object) -> str:
    """Return a field of the protocol as words: "none", "auc and sensitivity"."""
    if value is None or value == []:
        return "none"
    return listed(list(map(str, value))) if isinstance(value, list) else str(value)


def is_locked(path: object) -> bool:
    """Tell whether a path is the folder of a locked test set."""
    return isinstance(path, str | Path) and (Path(path) / LOCKED).is_file()


def lock_table(
    table: Path | str,
    out: Path | str,
    *,
    columns: Mapping[str, str] | None = None,
    protocol: Protocol | None = None,
    keep: Sequence[str] = (),
    now: datetime | None = None,
) -> tuple[State, list[str]]:
    """Lock a test set: write its images and its labels as separate files in a new folder.

    `images.csv` in the folder `out` has the columns that do not reveal the diagnosis, such
    as image, patient, age, sex and site; other columns that lentigo knows, those of the
    `protocol` and those in `keep` are stored with the labels in `labels.json`, and the
    rest, such as names and record numbers, nowhere. `protocol` is how predictions must be
    judged; if None, the first opening fixes it. Returns the state of the test set, and
    sentences on columns and rows. Nothing is encrypted: openings are recorded, not
    prevented.

    Raises the errors of reading labels, `DatasetError` when no image has a label,
    `UnknownNameError` when `protocol` names an unknown metric, and `RunError` when `out`
    exists.
    """
    out = Path(out)
    check_new_folder(out)
    for metric in protocol.metrics if protocol else ():
        if metric not in METRICS:
            raise unknown_name("metric", metric, METRICS)
    labelled, notes = _labelled(Path(table), columns or {})
    labelled, left = _known(labelled, protocol, keep)
    images, about = _without_labels(labelled, Path(table))
    labels = labelled.assign(melanoma=labelled["melanoma"].astype("int8"))
    when = _written(now)
    with new_folder(out):
        write_csv(images, out / LOCKED_IMAGES)
        write_json(out / LOCKED_LABELS, {"about": _ABOUT, "table": csv_text(labels)})
        note_own(out / OPENINGS)
        (out / OPENINGS).touch()
        head = START
        if protocol is not None:
            head = append(out / OPENINGS, _frozen(protocol, when, LOCK), previous=START)
        facts = {
            "format": 1,
            "locked_at": when,
            "n_images": len(images),
            "images_sha256": digest(out / LOCKED_IMAGES),
            "labels_sha256": digest(out / LOCKED_LABELS),
            "head": head,
        }
        write_json(out / LOCKED, facts)
    return state_of(out), [*notes, *about, *left]


def _known(
    labelled: pd.DataFrame, protocol: Protocol | None, keep: Sequence[str]
) -> tuple[pd.DataFrame, list[str]]:
    """Return the columns that a judgement may use, and a note on those left out.

    These are the columns that lentigo knows in any language, one for each diagnosis, those
    of the protocol and those in `keep`.
    """
    names = [str(name) for name in labelled]
    asked = [*protocol.by, protocol.group, protocol.choose_on] if protocol else []
    named = (protocol.columns or ()) if protocol else ()
    asked += [each.partition("=")[2] for each in named]
    where = str(protocol.where or "") if protocol else ""
    known = {*guess_columns(n for n in names if key(n) != "name").values(), *keep}
    known |= {name for name in names if name in asked or name in where}
    known |= {name for name in names if key(name) in DIAGNOSIS_KEYS}
    known |= {name for name in names if DIAGNOSES.find(name) is not None}
    kept, others = without_others(labelled, keep=sorted(known))
    if not others:
        return kept, []
    return kept, [
        f"Not stored: {some(others, at_most=8)}, which may name people; --keep COLUMN "
        "keeps one."
    ]


def _labelled(path: Path, columns: Mapping[str, str]) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows of a table or archive that have a label, and notes on reading it.

    Raises `DatasetError` when there is none.
    """
    archive = path.is_dir() or is_zip(path)
    whole = read_whole(path).table if archive else read_any_table(path)
    known = {k: v for k, v in columns.items() if k in {"image_id", "melanoma"}}
    table, note = read_truth(whole, columns=known, name=str(path))
    rows = choose(NotedTable(table), source=str(path), asked=lambda: described_by(table))
    labelled = rows.table[rows.table["melanoma"].notna()]
    if labelled.empty:
        raise DatasetError(f"{path} has no image with a label, so there is none to lock.")
    return labelled, [note, *rows.notes]


def state_of(folder: Path | str) -> State:
    """Read the record of a locked test set, without opening its labels.

    Raises `DatasetError` when `folder` is no locked test set, and `UnreadableFileError`
    when the log, the images or the labels were changed.
    """
    folder = Path(folder)
    if not is_locked(folder):
        raise DatasetError(f"{folder} is no locked test set: it has no {LOCKED}.")
    facts = read_json_object(folder / LOCKED)
    for name, sha in ((LOCKED_IMAGES, "images_sha256"), (LOCKED_LABELS, "labels_sha256")):
        if not (folder / name).is_file() or digest(folder / name) != facts.get(sha):
            raise UnreadableFileError(
                f"{folder / name} is not the file that was locked: it was changed, or is "
                "gone. Fetch it from a copy."
            )
    entries = read_chain(folder / OPENINGS)
    check_head(folder / OPENINGS, entries, str(facts.get("head")))
    frozen = [entry for entry in entries if entry.get("event") == FROZEN]
    return State(
        folder=folder,
        locked_at=str(facts["locked_at"]),
        n_images=int(facts["n_images"]),
        protocol=Protocol.from_dict(frozen[-1]["protocol"]) if frozen else None,
        frozen_at=str(frozen[0]["time"]) if frozen else "",
        frozen_by=str(frozen[0]["by"]) if frozen else "",
        openings=tuple(entry for entry in entries if entry.get("event") == OPENED),
        head=str(entries[-1]["digest"]) if entries else START,
    )


def open_labels(
    folder: Path | str,
    asked: Protocol,
    *,
    predictions: str,
    deviate: str | None = None,
    now: datetime | None = None,
) -> tuple[pd.DataFrame, Opening]:
    """Record an opening of a locked test set, then return its labels and the opening.

    `asked` is the protocol under which predictions will be judged, `predictions` their
    digest. If no protocol is fixed, this opening fixes `asked`. `deviate` is the reason for
    a protocol that differs from the fixed one; it is recorded.

    Raises `RunError` when `asked` differs from the fixed protocol and `deviate` is empty,
    `ConfigError` when `deviate` is given but nothing differs, and the errors of `state_of`.
    """
    folder = Path(folder)
    with alone(folder, keep=False, wait=True):
        state = state_of(folder)
        when, head = _written(now), state.head
        fixed = state.protocol.completed(asked) if state.protocol else asked
        others = differences(fixed, asked)
        _check_reason(folder, others, deviate)
        if fixed != state.protocol:
            head = append(folder / OPENINGS, _frozen(fixed, when, OPENING), previous=head)
        entry = {
            "event": OPENED,
            "time": when,
            "predictions": predictions,
            "protocol": asked.as_dict(),
            "differences": others,
            "reason": (deviate or "") if others else "",
        }
        head = append(folder / OPENINGS, entry, previous=head)
        facts = read_json_object(folder / LOCKED)
        write_json(folder / LOCKED, {**facts, "head": head})
        opening = _opening(state, entry, protocol=fixed, head=head)
        return _labels(folder), opening


def _opening(
    before: State, entry: Mapping[str, Any], *, protocol: Protocol, head: str
) -> Opening:
    """Make the `Opening` of a log entry; `before` is the state without this entry.

    `protocol` is the fixed protocol, `head` the digest of the log's last line.
    """
    return Opening(
        folder=str(before.folder),
        number=len(before.openings) + 1,
        locked_at=before.locked_at,
        frozen_at=before.frozen_at or entry["time"],
        before_first_look=before.frozen_by == LOCK,
        earlier=tuple(str(each["time"]) for each in before.openings),
        earlier_others=sum(bool(each["differences"]) for each in before.openings),
        other_predictions=len(
            {each["predictions"] for each in before.openings} - {entry["predictions"]}
        ),
        differences=tuple(entry["differences"]),
        reason=entry["reason"],
        protocol=protocol,
        head=head,
    )


def _check_reason(folder: Path, others: list[str], deviate: str | None) -> None:
    if others and not (deviate or "").strip():
        raise RunError(
            f"{folder} was locked under another protocol: {'; '.join(others)}. Judge as it "
            "was fixed, or say why it is another: --deviate REASON. The reason is put on "
            "record, and the report says so."
        )
    if deviate is not None and not others:
        raise ConfigError(
            "--deviate gives a reason for another protocol, and this is the one that was "
            "fixed; leave it out."
        )


def _labels(folder: Path) -> pd.DataFrame:
    content = read_json_object(folder / LOCKED_LABELS, most=MOST_BYTES)
    text = str(content["table"]).encode("utf-8")
    cells = unguarded(parse(text, folder / LOCKED_LABELS)[0])
    table = typed(without_nothing(cells))
    if not is_chosen():
        return table
    return choose(
        NotedTable(table), source=str(folder), asked=lambda: described_by(table)
    ).table


def _without_labels(labelled: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Return the table without columns that may reveal the label, and notes on the others.

    A note warns where the folders of the image files reveal the class.
    """
    others = labelled.drop(columns=["image_id", "melanoma"])
    chosen = choose_columns(map(str, others), source=str(path))
    kept = {ours: theirs for ours, theirs in chosen.items() if ours not in _LABELS}
    kept.pop("image_id", None)
    names = list(dict.fromkeys(kept.values()))
    images = labelled[["image_id", *names]]
    notes = []
    if apart := [str(name) for name in others if name not in names]:
        notes.append(f"With the labels lie the columns {', '.join(apart)}.")
    if "path" in kept:
        column = kept["path"]
        images = images.assign(**{column: images[column].map(lambda p: _whole(p, path))})
        parents = images[column].dropna().map(lambda p: Path(str(p)).parent)
        told = labelled["melanoma"].groupby(parents).nunique()
        if len(told) > 1 and (told == 1).all():
            notes.append(
                "The folders of the images tell the class: each holds one class alone. "
                "Move the images into one folder before you hand the table on."
            )
    return images.reset_index(drop=True), notes


def _whole(written: object, table: Path) -> object:
    """Return the absolute path of an image file; `written` as it is if there is no file."""
    if written is None or written is pd.NA or pd.isna(written):  # type: ignore[call-overload]
        return written
    for place in (table.parent / str(written), Path(str(written))):
        if place.is_file():
            return str(place.resolve())
    return written


def _frozen(protocol: Protocol, when: str, by: str) -> dict[str, Any]:
    return {"event": FROZEN, "time": when, "by": by, "protocol": protocol.as_dict()}


def _written(now: datetime | None) -> str:
    return (now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")
