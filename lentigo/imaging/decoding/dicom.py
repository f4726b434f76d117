"""DICOM: read the image in a file of a clinic's archive, and nothing about the patient.

Only the tags that describe pixels are read; names, dates and ids are skipped in the file
and never reach memory. Frames that are baseline JPEG are decoded by the same code as a JPEG
file, all others by pydicom with the decoders that are installed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from lentigo.errors import ImageError
from lentigo.imaging.decoding.bombs import check_scans
from lentigo.imaging.decoding.dicom_color import bits_below, to_picture
from lentigo.progress import log
from lentigo.visible import named

if TYPE_CHECKING:
    from pydicom.dataset import Dataset
    from pydicom.uid import UID

SUFFIXES = (".dcm", ".dicom")

_MAGIC, _PREAMBLE = b"DICM", 128

_JPEG = frozenset({"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"})
"""Transfer syntaxes of baseline JPEG, and of extended JPEG (8 or 12 bits)."""

_JPEG_LIKE = _JPEG | {
    "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70",  # without loss
    "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81",  # JPEG-LS
}  # fmt: skip

_JPEG_2000 = frozenset({
    "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203",
})  # fmt: skip
"""Transfer syntaxes of JPEG 2000; the last three are the fast variant, HTJ2K."""

_GDCM = "pip install python-gdcm brings one."
_HINTS = {"1.2.840.10008.1.2.4.57": _GDCM, "1.2.840.10008.1.2.4.70": _GDCM}
_NO_HINT = "pydicom's documentation lists the packages that bring one."
"""The hints were tried with python-gdcm 3.2: it reads lossless JPEG, but not lossy JPEG of
12 bits."""

_DEFLATED = "1.2.840.10008.1.2.1.99"

_DESCRIPTION = (
    "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation",
    "PlanarConfiguration", "NumberOfFrames", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation", "ICCProfile",
    "RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData", "BluePaletteColorLookupTableData",
    "SegmentedRedPaletteColorLookupTableData", "SegmentedGreenPaletteColorLookupTableData",
    "SegmentedBluePaletteColorLookupTableData",
    "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", "WindowCenter",
    "WindowWidth", "VOILUTFunction", "VOILUTSequence", "PresentationLUTShape",
)  # fmt: skip
_PIXELS = (
    "PixelData", "FloatPixelData", "DoubleFloatPixelData", "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
)  # fmt: skip


def looks_like_dicom(start: bytes, name: str) -> bool:
    """Tell whether a file that begins with `start` (132 bytes) is marked as DICOM.

    Old exports lack the preamble; they are recognised by a `name` in .dcm or .dicom.
    """
    if start[_PREAMBLE:] == _MAGIC:
        return True
    return name.lower().endswith(SUFFIXES) and start[:2] in {b"\x02\0", b"\x08\0"}


class DicomFile:
    """An opened DICOM file: its size is known, its pixels are not decoded yet.

    Only the first of several frames is read. It is used like a Pillow image file.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self._name = file, name
        self._at_least: int | None = None
        with _pydicom():
            self._refuse_deflated()
            header = self._read(_DESCRIPTION, pixels=False)
            if "Rows" not in header or "Columns" not in header:
                raise ImageError(f"{name} is DICOM without a picture in it.")
            # A value is looked at when it is asked for, and may be no number at all.
            self.size = int(header.Columns), int(header.Rows)
        """Width and height in pixels."""
        if min(self.size) < 1:
            raise ImageError(f"{name} claims {self.size[0]} × {self.size[1]} pixels.")

    def draft(self, mode: str | None, size: tuple[int, int]) -> None:  # noqa: ARG002
        """Allow a JPEG to be decoded at 1/2, 1/4 or 1/8 of its size, not below `size`."""
        self._at_least = min(size)

    def load(self) -> Image.Image:
        """Decode the first frame as an 8-bit image.

        Raises `ImageError` if no decoder is installed for its transfer syntax (which the
        message names), or if the file has no pixels, another size than it claims, or
        unsupported samples.
        """
        with _pydicom():
            return self._load()

    def _load(self) -> Image.Image:
        dataset = self._read((*_DESCRIPTION, *_PIXELS), pixels=True)
        if not any(keyword in dataset for keyword in _PIXELS[:3]):
            raise ImageError(f"{self._name} is DICOM without pixels in it.")
        frames = int(dataset.get("NumberOfFrames") or 1)
        if frames > 1:
            log.warning(
                "%s holds %s frames; only the first one is read.",
                self._name,
                f"{frames:,}",
            )
        syntax = dataset.file_meta.TransferSyntaxUID
        values = self._jpeg(dataset, frames) if syntax in _JPEG else None
        if values is not None:
            return to_picture(values, dataset, name=self._name)
        values, photometric = self._decoded(dataset, syntax, frames)
        dataset.PhotometricInterpretation = photometric
        return to_picture(values, dataset, name=self._name)

    def _refuse_deflated(self) -> None:
        """Raise `ImageError` for a deflated file.

        It would be decompressed completely before its size is known: a cheap bomb.
        """
        from pydicom.filereader import read_dataset, read_preamble

        self._file.seek(0)
        if read_preamble(self._file, force=True) is None:
            return
        meta = read_dataset(self._file, False, True, stop_when=_after_meta)
        if str(meta.get("TransferSyntaxUID")) == _DEFLATED:
            raise ImageError(
                f"{self._name} is a deflated DICOM file, which is not read; store it "
                "uncompressed, or with JPEG."
            )

    def _read(self, keywords: tuple[str, ...], *, pixels: bool) -> Dataset:
        from pydicom import dcmread
        from pydicom.uid import ImplicitVRLittleEndian

        self._file.seek(0)
        dataset = dcmread(
            self._file,
            specific_tags=list(keywords),
            stop_before_pixels=not pixels,
            force=True,
        )
        if "TransferSyntaxUID" not in dataset.file_meta:
            dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
        return dataset

    def _jpeg(self, dataset: Dataset, frames: int) -> NDArray[Any] | Image.Image | None:
        """Decode the frame with the code for JPEG files; None if it is not of 8 bits."""
        frame = _frame(dataset, frames)
        if _frame_header(frame)[0] != 8:
            return None
        image = JpegImageFile(BytesIO(frame), "")
        self._check_size(image.size)
        if image.info.get("progressive"):
            check_scans(BytesIO(frame), self._name)
        stored_as_rgb = _is_unmarked_rgb(image, str(dataset.PhotometricInterpretation))
        if self._at_least is not None:
            image.draft(None, (self._at_least, self._at_least))
        if stored_as_rgb:
            # To ask for YCbCr of what is taken for YCbCr is to ask for no conversion.
            image.draft("YCbCr", image.size)
        image.load()
        if image.mode == "L":
            return np.asarray(image)
        return Image.merge("RGB", image.split()) if stored_as_rgb else image

    def _decoded(
        self, dataset: Dataset, syntax: UID, frames: int
    ) -> tuple[NDArray[Any], str]:
        """Return the samples as stored, and their photometric interpretation.

        The array is (height, width) or (height, width, 3).
        """
        from pydicom.pixels.decoders.base import get_decoder

        samples = int(dataset.get("SamplesPerPixel") or 1)
        if samples not in {1, 3}:
            raise ImageError(f"{self._name} has {samples} samples a pixel, not 1 or 3.")
        transformed = False
        if syntax in _JPEG_2000:
            size, transformed = _codestream(_frame(dataset, frames))
            self._check_size(size)
        elif syntax in _JPEG_LIKE:
            self._check_size(_frame_header(_frame(dataset, frames))[1])
        try:
            decoder = get_decoder(syntax)
        except NotImplementedError:
            decoder = None
        if decoder is None or not decoder.is_available:
            raise ImageError(
                f"{self._name} is compressed as {_called(syntax)}, for which no decoder is "
                f"installed. {_HINTS.get(str(syntax), _NO_HINT)}"
            )
        # Compressed samples begin at bit 0 whatever the header says.
        whole = syntax not in _JPEG_LIKE | _JPEG_2000
        unused = bits_below(dataset, name=self._name) if whole else 0
        dataset.BitsStored += unused  # pydicom clears the bits above
        try:
            values, properties = decoder.as_array(dataset, index=0, raw=True)
        except RuntimeError as error:  # "all available plugins" failed
            reason = " ".join(str(error).rpartition("plugins:")[2].split())
            raise ImageError(
                f"{self._name} is compressed as {_called(syntax)} and cannot be decoded: "
                f"{named(reason)}."
            ) from error
        dataset.BitsStored -= unused
        values = values >> unused if unused else values
        photometric = str(properties["photometric_interpretation"])
        return values, "RGB" if transformed else photometric

    def _check_size(self, size: tuple[int, int]) -> None:
        if size != self.size:
            raise ImageError(
                f"{self._name} claims {self.size[0]:,} × {self.size[1]:,} pixels, but its "
                f"compressed picture has {size[0]:,} × {size[1]:,}."
            )


@contextmanager
def _pydicom() -> Iterator[None]:
    """Silence pydicom's log, and turn its own exceptions into `ValueError`.

    pydicom logs whatever it raises, with a traceback.
    """
    from pydicom.errors import BytesLengthException, InvalidDicomError

    remarks = logging.getLogger("pydicom")
    level = remarks.level
    remarks.setLevel(logging.CRITICAL + 1)
    try:
        yield
    except (BytesLengthException, InvalidDicomError) as error:
        raise ValueError(str(error).partition(". ")[0]) from error
    finally:
        remarks.setLevel(level)


def _after_meta(tag: Any, vr: str | None, length: int) -> bool:  # noqa: ARG001
    return bool(tag.group != 2)


def _frame(dataset: Dataset, frames: int) -> bytes:
    from pydicom.encaps import get_frame

    offsets = None
    if "ExtendedOffsetTable" in dataset and "ExtendedOffsetTableLengths" in dataset:
        offsets = dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths
    return bytes(
        get_frame(dataset.PixelData, 0, number_of_frames=frames, extended_offsets=offsets)
    )


def _frame_header(frame: bytes) -> tuple[int, tuple[int, int]]:
    """Return bits per sample and (width, height) of a JPEG or JPEG-LS; zeros if unknown."""
    place = 2
    while place + 9 <= len(frame) and frame[place] == 0xFF:
        marker = frame[place + 1]
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}):
            height, width = (
                int.from_bytes(frame[place + n : place + n + 2]) for n in (5, 7)
            )
            return frame[place + 4], (width, height)
        if marker == 0xFF:  # a fill byte
            place += 1
            continue
        place += 2 + int.from_bytes(frame[place + 2 : place + 4])
    return 0, (0, 0)


def _is_unmarked_rgb(image: JpegImageFile, photometric: str) -> bool:
    """Tell whether a JPEG holds RGB although nothing inside it says so.

    Marks inside a JPEG (JFIF, Adobe, its component names) have priority over the tag of the
    DICOM file, because the tag is often left over from before the compression: it says RGB
    where the JPEG is YCbCr, or YBR where it was decoded long ago. A JPEG without marks
    whose tag says RGB is RGB, unless its colours have a lower resolution than its
    brightness, as only YCbCr has.
    """
    if photometric != "RGB" or image.layers != 3:
        return False
    if "jfif" in image.info or "adobe_transform" in image.info:
        return False
    names = [chr(layer[0]).upper() for layer in image.layer]
    coarse = len({layer[1:3] for layer in image.layer}) > 1
    return names != ["R", "G", "B"] and not coarse


def _codestream(frame: bytes) -> tuple[tuple[int, int], bool]:
    """Return (width, height) of a JPEG 2000 image, and whether its decoder returns RGB."""
    start = frame.find(b"\xff\x4f\xff\x51")
    if start < 0:
        raise ValueError("it holds no JPEG 2000 picture")
    words = [int.from_bytes(frame[start + at : start + at + 4]) for at in (8, 12, 16, 20)]
    size = words[0] - words[2], words[1] - words[3]
    style = frame.find(b"\xff\x52", start)
    return size, style > 0 and frame[style + 8 : style + 9] == b"\1"


def _called(syntax: UID) -> str:
    if not syntax.is_valid:  # such as a name, from a damaged header
        return "something that is no UID"
    return f"{syntax.name} ({syntax})" if syntax.name != syntax else str(syntax)
