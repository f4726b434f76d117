"""Predict each image that is put into a watched folder once, also after a kill.

The answer to an image is a JSON file named by the SHA-256 of the image file. It is written
under a temporary name and renamed, so it is never partial; an image with an answer is not
predicted again. No other state is kept, so a kill at any moment costs one batch of work. An
answer names its model, the share of melanoma that it is meant for and its operating point:
with another of these the image is predicted again, into a second file whose name also holds
a digest of them.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.errors import DatasetError, LentigoError, RunError
from lentigo.files import as_text, digest
from lentigo.imaging.by_products import made_of_images
from lentigo.imaging.search import files_below, is_image
from lentigo.inference.decide import Decision
from lentigo.inference.dicom_header import may_be_dicom
from lentigo.inference.dicom_sr import (
    Reported,
    Written,
    parameters,
    reported_by,
    write_reports,
)
from lentigo.inference.dicom_sr_read import is_made_with
from lentigo.inference.fhir import Subject, fhir_bundle
from lentigo.inference.finished import views_of
from lentigo.inference.inputs import Source
from lentigo.inference.predict import Model
from lentigo.inference.watch_answers import (
    as_settings,
    is_by,
    tells_of_report,
    version_of,
)
from lentigo.json_files import write_json
from lentigo.models.description import DESCRIPTION
from lentigo.notice import NOTICE
from lentigo.progress import log

_AT_ONCE = 32
_PREAMBLE = b"DICM"
"""The bytes that follow the first 128 bytes of a DICOM file."""
FORMATS = ("json", "fhir")
_Stamp = tuple[int, int]
"""Size of a file in bytes, and time of its last change in nanoseconds."""


@dataclass
class Watch:
    """A folder that is watched, and the folder of its answers."""

    folder: Path
    """The folder of images."""
    model: Model
    out: Path
    """The folder of answers."""
    decision: Decision
    """How logits become probabilities and calls."""
    kind: str = "json"
    """One of `FORMATS`."""
    reports: Path | None = None
    """The folder of DICOM structured reports, one of each DICOM image; None for none."""
    _places: dict[Path, tuple[int, int]] = field(default_factory=dict)
    """Device and inode of `out` and of `reports`, from the first scan on."""
    _seen: dict[Path, _Stamp] = field(default_factory=dict)
    """File → size and time in the last scan."""
    _known: dict[Path, tuple[_Stamp, str]] = field(default_factory=dict)
    """File → size and time, and the SHA-256 of its bytes."""
    _dicom: dict[Path, tuple[_Stamp, bool]] = field(default_factory=dict)
    """File without an ending of an image → size and time, and whether it is DICOM."""
    _own: dict[str, bool] = field(default_factory=dict)
    """By the digest of an image file, whether its first answer is by this model and these
    settings."""
    _reports_done: set[str] = field(default_factory=set)
    """Digests of image files whose answer names the report, or that need none."""
    _waiting: dict[str, dict[Any, Any]] = field(default_factory=dict)
    """By the digest of an image file, its prediction, while its answer or its report cannot
    be written."""
    _unread: bool = False
    """Whether one of the folders could not be read at the last scan."""
    _unwritten: bool = False
    """Whether an answer or a report could not be written at the last scan."""

    @cached_property
    def _models(self) -> list[str]:
        return [digest(each / DESCRIPTION) for each in self.model.folders]

    @property
    def _version(self) -> str:
        return version_of(self._models)

    @cached_property
    def _settings(self) -> dict[str, Any]:
        """Return what of the decision sets the answer to an image."""
        return as_settings(self.decision)

    def scan(self, *, settled: bool = True) -> list[Path]:
        """Predict the images that have no answer yet; return the answer files written.

        With `settled`, an image is predicted once its size and time were the same in two
        successive scans: before, another program may still be writing it. If a folder
        cannot be read, such as one that is taken away meanwhile, nothing is predicted until
        the next scan; without `settled`, `DatasetError` is raised. The same holds if the
        folder of the answers is another one than before: each image would be predicted
        again, maybe on the disk below a share that is not mounted any more. And if that of
        the reports is: what is written there would be missed where it is waited for. What
        cannot be written, as on a full disk, is tried again at the next scan; without
        `settled`, `RunError` is raised.
        """
        new: dict[str, Path] = {}
        names = self._names(settled=settled)
        if names is None:
            return []
        there = dict(self._there(names))
        self._forget(there)
        for path, stamp in there.items():
            before, self._seen[path] = self._seen.get(path), stamp
            if settled and before != stamp:
                continue
            name = self._digest(path, stamp)
            if name and not self._is_done(name, path):
                new.setdefault(name, path)
        return self._answered(new, settled=settled)

    def _forget(self, there: Mapping[Path, _Stamp]) -> None:
        """Forget files that are gone, so that memory does not grow without end."""
        for known in (self._seen, self._known, self._dicom):
            for path in known.keys() - there.keys():
                del known[path]
        gone = (self._own.keys() | self._waiting.keys() | self._reports_done) - {
            name for _, name in self._known.values()
        }
        for name in gone:
            self._own.pop(name, None)
            self._waiting.pop(name, None)
            self._reports_done.discard(name)

    def _names(self, *, settled: bool) -> list[str] | None:
        """Return the files in the folder; None, with a log line, if it cannot be read."""
        try:
            self._check_place(self.out, "answers")
            if self.reports is not None:
                self._check_place(self.reports, "reports")
            found = sorted(files_below(self.folder))
        except LentigoError as error:
            if not settled:
                raise
            if not self._unread:
                log.warning("%s It is looked at again.", error)
            self._unread = True
            return None
        self._unread = False
        return found

    def _check_place(self, folder: Path, what: str) -> None:
        """Raise `DatasetError` if `folder` is no longer the one that it was at first."""
        try:
            found = folder.stat()
        except OSError as error:
            raise DatasetError(f"The folder of the {what} {folder} is gone.") from error
        place = found.st_dev, found.st_ino
        if place != self._places.setdefault(folder, place):
            raise DatasetError(
                f"{folder} is another folder than when the watch began. Bring the first "
                "one back, or start the command again."
            )

    def _there(self, names: Sequence[str]) -> Iterator[tuple[Path, _Stamp]]:
        made = made_of_images(list(filter(is_image, names)))
        for name in names:
            if name in made:  # a mask or a map, beside the image that is answered
                continue
            path = Path(name)
            try:
                found = _stamp(path)
            except OSError:  # taken away meanwhile
                continue
            if found[0] and (is_image(name) or self._is_dicom(path, found)):
                yield path, found

    def _is_dicom(self, path: Path, stamp: _Stamp) -> bool:
        """Tell from its first bytes if a file is DICOM: its name may have no ending."""
        known = self._dicom.get(path)
        if known is None or known[0] != stamp:
            try:
                with path.open("rb") as file:
                    begins = file.read(len(_PREAMBLE) + 128)
            except OSError:
                return False
            known = self._dicom[path] = (stamp, begins[128:] == _PREAMBLE)
        return known[1]

    def _digest(self, path: Path, stamp: _Stamp) -> str:
        """Return the SHA-256 of a file, cached until it changes; empty if unreadable."""
        known = self._known.get(path)
        if known is None or known[0] != stamp:
            try:
                self._known[path] = (stamp, digest(path))
            except (OSError, LentigoError):
                return ""
        return self._known[path][1]

    def _answer(self, name: str) -> Path:
        """Return the path of the answer of this model, with these settings, to an image.

        `name` is the digest of the image.
        """
        ending = "fhir.json" if self.kind == "fhir" else "json"
        first = self.out / f"{name}.{ending}"
        if name not in self._own and first.exists():
            self._own[name] = is_by(first, self._models, self._settings)
        if self._own.get(name, True):
            return first
        return self.out / f"{name}.{self._own_name}.{ending}"

    @cached_property
    def _own_name(self) -> str:
        told = "".join(self._models) + json.dumps(self._settings, sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:12]

    def _is_done(self, name: str, path: Path) -> bool:
        """Tell whether an image has its answer, and as a DICOM image its report, too.

        One that was answered for before reports were asked for gets its report later. One
        whose answer names a report does not, since a system may have taken it away.
        """
        out = self._answer(name)
        if not out.exists():
            return False
        if self.reports is None or self.kind == "fhir" or name in self._reports_done:
            return True
        if may_be_dicom(Source(name, path=path)) and not tells_of_report(out):
            return False
        self._reports_done.add(name)
        return True

    def _answered(self, new: Mapping[str, Path], *, settled: bool) -> list[Path]:
        """Predict images, by their digests, and return the answer files written."""
        written: list[Path] = []
        try:
            for part in _parts(list(new.items())):
                self._predict(part)
                for name, path in part:
                    written += self._written(name, path)
        except _UnwrittenError as error:
            if not settled:
                raise
            if not self._unwritten:
                log.warning("%s It is tried again.", error)
            self._unwritten = True
        else:
            self._unwritten = False
        return written

    def _predict(self, part: Sequence[tuple[str, Path]]) -> None:
        """Put the predictions of images into `_waiting`."""
        left = [each for each in part if each[0] not in self._waiting]
        if left:
            sources = [Source(name, path=path) for name, path in left]
            table = self.model.answers(sources).table(self.decision)
            rows = table.to_dict("records")
            self._waiting |= {name: row for (name, _), row in zip(left, rows, strict=True)}

    def _written(self, name: str, path: Path) -> list[Path]:
        """Write the answer to an image, and its report; return the file of the answer."""
        if not self._is_the_same(path):
            del self._waiting[name]
            return []  # other bytes may have been predicted: left to the next scan
        row, out = self._waiting[name], self._answer(name)
        try:
            # Before the answer: after a kill between the two, the image is answered anew.
            report = self._reported(out, path, row)
            write_json(out, {**self._said(name, path, row), **report})
        except RunError as error:
            raise _UnwrittenError(str(error)) from error
        del self._waiting[name]
        return [out]

    def _reported(self, out: Path, path: Path, row: dict[Any, Any]) -> dict[str, str]:
        """Write the DICOM report beside the answer `out`, and return what is said of it.

        A report that is there already stays, since a system may have received it. If it is
        by another model, or with other settings, this one gets a name of its own.
        """
        source = Source(out.name.removesuffix(".json").removesuffix(".fhir"), path=path)
        if self.reports is None or self._by is None or not may_be_dicom(source):
            return {}
        done, why = Written(self.reports), ""
        file = done.place(source.image_id)
        if file.exists() and not is_made_with(file, parameters(row, self._by)):
            name = source.image_id.partition(".")[0]
            source = replace(source, image_id=f"{name}.{self._own_name}")
            done = Written(self.reports)
            file = done.place(source.image_id)
        if not file.exists():
            done = write_reports(pd.DataFrame([row]), [source], self.reports, self._by)
            why = done.without.get(source.image_id, "")
        if self.kind == "fhir":
            return {}
        return {"report": "" if why else file.name, "no_report": why}

    @cached_property
    def _by(self) -> Reported | None:
        """Return the model as reports name it; None if there are none."""
        if self.reports is None:
            return None
        folders = self.model.folders
        settings = (
            f"engine={self.model.engine}",
            f"views={views_of(folders, self.model.views)}",
            f"abstains={'yes' if self.model.can_abstain else 'no'}",
        )
        return reported_by(folders, settings=settings, point=self.decision.point)

    def _is_the_same(self, path: Path) -> bool:
        """Tell whether size and time of a file are as when its digest was computed."""
        with suppress(OSError):
            return self._known[path][0] == _stamp(path)
        return False

    def _said(self, name: str, path: Path, row: dict[Any, Any]) -> dict[str, Any]:
        named = {str(key): value for key, value in row.items()}
        if self.kind == "fhir":
            subject = Subject(name=name, sha256=name)
            first = self.model.folders[0]
            return fhir_bundle(
                [named],
                [subject],
                model=first.name,
                version=self._version,
                abstains=self.model.can_abstain,
                settings=self._settings,
            )
        return {
            "notice": NOTICE,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "sha256": name,
            "model": self._models,
            "settings": self._settings,
            "abstains": self.model.can_abstain,
            **{key: value for key, value in named.items() if key != "image_id"},
            "path": as_text(path),
        }


class _UnwrittenError(RunError):
    """An answer or a report cannot be written where it belongs."""


def _stamp(path: Path) -> _Stamp:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def watch(
    one: Watch,
    *,
    seconds: float,
    told: Callable[[list[Path]], None],
    once: bool = False,
) -> None:
    """Scan the folder every `seconds` until a signal ends the process, or only `once`.

    `one` is the watched folder with its model. After each scan, `told` is called with the
    answer files that it wrote.
    """
    while True:
        told(one.scan(settled=not once))
        if once:
            return
        time.sleep(seconds)


def _parts(items: list[tuple[str, Path]]) -> Iterator[list[tuple[str, Path]]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
