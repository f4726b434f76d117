"""The header of a DICOM image, as far as a structured report copies and refers to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from lentigo.errors import DatasetError, LentigoError
from lentigo.files import opened
from lentigo.imaging.decoding import packed
from lentigo.imaging.decoding.dicom import SUFFIXES, looks_like_dicom
from lentigo.inference.inputs import Source
from lentigo.words import some

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

COPIED = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID",
    "StudyID", "StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName",
    "IssuerOfPatientID", "IssuerOfPatientIDQualifiersSequence",
    "IssuerOfAccessionNumberSequence", "TimezoneOffsetFromUTC", "SpecificCharacterSet",
)  # fmt: skip
"""DICOM tags copied from the image, so that an archive files the report correctly."""
_TYPE_2 = COPIED[: COPIED.index("ReferringPhysicianName") + 1]
"""Those of `COPIED` that a report has to have, though they may be empty."""
_REFERRED = ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "NumberOfFrames")
_NEEDED = ("StudyInstanceUID", *_REFERRED[:3])
_HEAD = 132
_LONGEST_OFFSET = 14 * 60
"""Minutes; DICOM allows -1200 to +1400."""
NO_DICOM = "it is no DICOM file, so there is no instance that a report could refer to"


def may_be_dicom(source: Source) -> bool:
    """Tell from name and first bytes whether a source may be a DICOM file."""
    if source.path is None:
        return False
    if packed.split(source.path):
        return source.path.suffix.lower() in SUFFIXES
    return _is_dicom(source.path)


def _is_dicom(path: Path) -> bool:
    try:
        with opened(path) as file:
            return looks_like_dicom(file.read(_HEAD), path.name)
    except (OSError, ValueError, LentigoError):
        return False


@contextmanager
def _bytes_of(path: Path) -> Iterator[BinaryIO]:
    if packed.split(path):
        yield BytesIO(packed.read_bytes(path))
    else:
        with opened(path) as file:
            yield file


def read_header(source: Source) -> Dataset:
    """Read the tags `COPIED` and `_REFERRED` of an image, as far as it has them.

    The image was decoded before, in a sandboxed process. Raises `DatasetError` if it is no
    DICOM file, or lacks one of `_NEEDED`.
    """
    from pydicom import Dataset, dcmread

    if source.path is None:
        raise DatasetError(NO_DICOM)
    with _bytes_of(source.path) as file:
        if not looks_like_dicom(file.read(_HEAD), source.path.name):
            raise DatasetError(NO_DICOM)
        file.seek(0)
        tags = [*COPIED, *_REFERRED]
        found = dcmread(file, stop_before_pixels=True, specific_tags=tags, force=True)
    if lacking := [name for name in _NEEDED if not found.get(name)]:
        raise DatasetError(
            f"its header has no {some(lacking)}, by which a report refers to it"
        )
    image = Dataset()
    for name in tags:
        if name in found:
            image[name] = found[name]
    return image


def as_evidence(image: Dataset) -> Dataset:
    """Return a copy of the image's tags for highdicom: its UIDs, with other tags empty.

    The other tags are texts that may break the rules of DICOM, which would raise an error.
    """
    from pydicom import Dataset

    evidence = Dataset()
    for name in _TYPE_2:
        setattr(evidence, name, None if name.endswith("Name") else "")
    for name in _NEEDED:
        evidence[name] = image[name]
    return evidence


def set_times(report: Dataset) -> None:
    """Write the report's own times in the time zone that was copied from the image.

    All times of an instance are in its `TimezoneOffsetFromUTC`. Without one, or with one
    that is none, they are in the zone of this machine, and the report names none: the times
    of the study may be of another.
    """
    zone = _zone(str(report.get("TimezoneOffsetFromUTC") or ""))
    if zone is None:
        report.pop("TimezoneOffsetFromUTC", None)
    now = datetime.now(UTC).astimezone(zone)
    for name in ("Content", "InstanceCreation"):
        if f"{name}Date" in report:
            setattr(report, f"{name}Date", now.strftime("%Y%m%d"))
            setattr(report, f"{name}Time", now.strftime("%H%M%S"))


def _zone(offset: str) -> timezone | None:
    """Return the zone of an offset such as +0200; None if it is none."""
    found = re.fullmatch(r"([+-])(\d\d)([0-5]\d)", offset.strip())
    if not found:
        return None
    minutes = 60 * int(found[2]) + int(found[3])
    signed = -minutes if found[1] == "-" else minutes
    return timezone(timedelta(minutes=signed)) if minutes <= _LONGEST_OFFSET else None
