"""Conversion of the samples of a DICOM image to 8 bits: greys, colours and palettes.

Words in capitals are terms of the standard (DICOM PS3.3, C.7.6.3 and C.11).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lentigo.errors import ImageError
from lentigo.imaging.decoding.rgb import scaled, to_eight_bits

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def to_picture(
    values: NDArray[Any] | Image.Image, dataset: Dataset, *, name: str
) -> Image.Image:
    """Convert stored samples, (height, width) or (height, width, 3), to an 8-bit image.

    `dataset` holds the tags that describe the samples. An image that is decoded already
    only gets its colour profile. `name` is the file's name in messages.

    - MONOCHROME1 (low is white) and MONOCHROME2 are shown as a viewer shows them first:
      rescaled, through the first window or look-up table. Without a window, black and
      white are the lowest and highest values that the stored bits can hold.
    - RGB, YBR_FULL and YBR_FULL_422 of up to 16 bits are scaled by their stored bits.
    - PALETTE COLOR is looked up.

    Raises `ImageError` for any other way to store colours.
    """
    if isinstance(values, Image.Image):
        picture = values
    else:
        picture = _from_samples(values, dataset, name)
    profile = dataset.get("ICCProfile")
    if profile and picture.mode == "RGB":
        picture.info["icc_profile"] = bytes(profile)
    return picture


def bits_below(dataset: Dataset, *, name: str) -> int:
    """Return the number of bits of a sample below its stored ones; nearly always 0.

    Files of the first years of DICOM may hold 12 bits in the upper ones of 16. Raises
    `ImageError` if `HighBit` is none of the bits of a sample.
    """
    if "PixelData" not in dataset or dataset.get("HighBit") is None:
        return 0
    stored, highest = int(dataset.BitsStored), int(dataset.HighBit)
    if highest + 1 < stored or highest >= int(dataset.BitsAllocated):
        raise ImageError(
            f"{name} claims that the highest of its {stored} bits is bit {highest}, which "
            "cannot be. Export it again."
        )
    return highest + 1 - stored


def _from_samples(values: NDArray[Any], dataset: Dataset, name: str) -> Image.Image:
    kind = str(dataset.get("PhotometricInterpretation", "")).strip().upper()
    if values.ndim == 2 and kind in {"MONOCHROME1", "MONOCHROME2"}:
        grey = _grey(values, dataset)
        shape = str(dataset.get("PresentationLUTShape") or "").strip().upper()
        inverse = kind == "MONOCHROME1" or shape == "INVERSE"
        return Image.fromarray(255 - grey if inverse else grey)
    if values.ndim == 2 and kind == "PALETTE COLOR":
        return Image.fromarray(_looked_up(values, dataset))
    if values.ndim == 3 and kind in {"RGB", "YBR_RCT", "YBR_ICT"}:
        return Image.fromarray(_bytes(values, dataset))
    if values.ndim == 3 and kind in {"YBR_FULL", "YBR_FULL_422"}:
        planes = np.moveaxis(_bytes(values, dataset), 2, 0)
        bands = [Image.fromarray(np.ascontiguousarray(plane)) for plane in planes]
        return Image.merge("YCbCr", bands).convert("RGB")
    samples = 1 if values.ndim == 2 else 3
    told = kind if kind in _KINDS else "something unknown" if kind else "nothing named"
    raise ImageError(
        f"{name} stores {samples} samples a pixel as {told}, which is not read."
    )


_KINDS = frozenset(
    {
        "MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "HSV", "ARGB", "CMYK",
        "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420", "YBR_ICT",
        "YBR_RCT", "XYB",
    }
)  # fmt: skip
"""How a DICOM file may say that its colours are stored; a damaged one may say anything."""


def _bytes(values: NDArray[Any], dataset: Dataset) -> NDArray[np.uint8]:
    if values.dtype == np.uint8 and int(dataset.BitsStored) == 8:
        return values
    return scaled(values, *_stored_range(dataset))


def _stored_range(dataset: Dataset) -> tuple[float, float]:
    """Return the lowest and the highest value that the stored bits can hold."""
    bits = int(dataset.BitsStored)
    if dataset.get("PixelRepresentation"):
        return -(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1
    return 0.0, 2.0**bits - 1


def _grey(values: NDArray[Any], dataset: Dataset) -> NDArray[np.uint8]:
    from pydicom.pixels.processing import apply_modality_lut, apply_voi

    if values.dtype.kind == "f":
        return to_eight_bits(values)
    meant = apply_modality_lut(values, dataset)
    if dataset.get("VOILUTSequence"):
        table = dataset.VOILUTSequence[0]
        return scaled(apply_voi(meant, dataset), 0, 2.0 ** table.LUTDescriptor[2] - 1)
    window = _window(dataset)
    if window is None:
        return scaled(meant, *_meant_range(dataset))
    center, width, shape = window
    if shape == "SIGMOID":
        with np.errstate(over="ignore"):
            share = 1 / (1 + np.exp(-4 * (meant.astype(np.float64) - center) / width))
        return scaled(share, 0, 1)
    if shape == "LINEAR":  # the standard's first window is half a grey off the exact one
        center, width = center - 0.5, max(width - 1, 1e-6)
    return scaled(meant, center - width / 2, center + width / 2)


def _window(dataset: Dataset) -> tuple[float, float, str] | None:
    """Return centre, width and shape of the first window; None without a valid window."""
    center, width = (_first(dataset.get(name)) for name in ("WindowCenter", "WindowWidth"))
    if center is None or width is None or width <= 0:
        return None
    return center, width, str(dataset.get("VOILUTFunction") or "LINEAR").upper()


def _first(value: Any) -> float | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) and hasattr(value, "__iter__"):
        value = next(iter(value), None)
    return None if value is None else float(value)


def _meant_range(dataset: Dataset) -> tuple[float, float]:
    if dataset.get("ModalityLUTSequence"):
        return 0.0, 2.0 ** int(dataset.ModalityLUTSequence[0].LUTDescriptor[2]) - 1
    slope = _first(dataset.get("RescaleSlope"))
    intercept = _first(dataset.get("RescaleIntercept"))
    ends = _stored_range(dataset)
    if slope is None or intercept is None:
        return ends
    return min(e * slope + intercept for e in ends), max(
        e * slope + intercept for e in ends
    )


def _looked_up(values: NDArray[Any], dataset: Dataset) -> NDArray[np.uint8]:
    from pydicom.pixels.processing import apply_color_lut

    colors = apply_color_lut(values, dataset)[..., :3]
    # Tables of 16 bits often hold plain bytes, whatever their description says.
    if colors.dtype != np.uint8 and colors.max() > 255:
        colors = colors >> 8
    return np.ascontiguousarray(colors, dtype=np.uint8)
