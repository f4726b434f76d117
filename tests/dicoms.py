"""DICOM files whose every pixel is known."""

from __future__ import annotations

import io
from typing import Any

from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    SecondaryCaptureImageStorage,
    generate_uid,
)

_UNCOMPRESSED = {
    DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
}  # fmt: skip


def dataset(
    values: NDArray[Any], photometric: str, *, bits: int = 8, planar: int = 0, **tags: Any
) -> Dataset:
    """A secondary capture of `values`, (height, width) or (height, width, 3)."""
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = SecondaryCaptureImageStorage, generate_uid()
    made.PatientName, made.PatientID = "Secret^Name", "SECRET-ID"
    made.PatientBirthDate = "19700101"
    made.Rows, made.Columns = values.shape[:2]
    made.SamplesPerPixel = 3 if values.ndim == 3 else 1
    if values.ndim == 3:
        made.PlanarConfiguration = planar
    made.PhotometricInterpretation = photometric
    made.BitsAllocated = 8 * values.dtype.itemsize
    made.BitsStored, made.HighBit = bits, bits - 1
    made.PixelRepresentation = int(values.dtype.kind == "i")
    stored = values.transpose(2, 0, 1) if planar else values
    made.PixelData = stored.tobytes() + b"\0" * (stored.nbytes % 2)
    for name, value in tags.items():
        setattr(made, name, value)
    return made


def written(made: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """The bytes of a DICOM file that holds `made`."""
    made.file_meta = FileMetaDataset()
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.file_meta.TransferSyntaxUID = UID(syntax)
    if syntax not in _UNCOMPRESSED:
        made["PixelData"].is_undefined_length = True
    buffer = io.BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def dicom(values: NDArray[Any], photometric: str, **tags: Any) -> bytes:
    """An uncompressed DICOM file of `values`."""
    return written(dataset(values, photometric, **tags))


def compressed(
    frames: bytes | list[bytes],
    like: NDArray[Any],
    photometric: str,
    *,
    syntax: str = JPEGBaseline8Bit,
    **tags: Any,
) -> bytes:
    """A DICOM file around compressed frames that show `like`."""
    made = dataset(like, photometric, **tags)
    frames = [frames] if isinstance(frames, bytes) else frames
    if len(frames) > 1:
        made.NumberOfFrames = len(frames)
    made.PixelData = encapsulate(frames)
    return written(made, syntax)
