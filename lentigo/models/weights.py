"""Read weights from safetensors files, after checking the header and the values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from lentigo.errors import ModelError, UnreadableFileError, shown
from lentigo.files import opened
from lentigo.models.weights_header import LONGEST_HEADER
from lentigo.words import some

_TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}


@dataclass(frozen=True)
class Layout:
    """Shape and type of a tensor in a file."""

    shape: tuple[int, ...]
    """Lengths of the axes of the tensor."""
    dtype: torch.dtype | None
    """None for a type that is not in `_TYPES`."""

    def holds(self, wanted: Tensor, *, exactly: bool) -> bool:
        """Tell whether a tensor of this layout can be loaded as the weight `wanted`.

        The shapes must be equal. With `exactly` the types must be equal, too; without it,
        any floating-point type may stand for another, and any integer type for another.
        """
        if self.shape != tuple(wanted.shape) or self.dtype is None:
            return False
        if exactly:
            return self.dtype == wanted.dtype
        return self.dtype.is_floating_point == wanted.is_floating_point()


def read_layout(path: Path) -> dict[str, Layout]:
    """Read the shape and type of each tensor of a safetensors file, by name.

    Only the header of the file is read. Raises `ModelError` if the file is missing or is no
    safetensors file: a pickle, a pipe, half a download.
    """
    try:
        with opened(path) as file:
            length = int.from_bytes(file.read(8), "little")
        if length > LONGEST_HEADER:
            raise SafetensorError(f"its header would have {length:,} bytes")
        with safe_open(path, framework="pt") as weights:
            found = {name: weights.get_slice(name) for name in weights.keys()}  # noqa: SIM118
            return {
                name: Layout(tuple(each.get_shape()), _TYPES.get(each.get_dtype()))
                for name, each in found.items()
            }
    except FileNotFoundError:
        raise ModelError(f"There is no weights file {path}.") from None
    except UnreadableFileError as error:
        raise ModelError(str(error)) from None
    except (SafetensorError, OSError) as error:
        raise _no_safetensors(path, error) from error


def read_weights(path: Path, names: Iterable[str] | None = None) -> dict[str, Tensor]:
    """Read the tensors of a safetensors file, by default all, without running code from it.

    `names` selects tensors; each must be in the file. Raises `ModelError` if the file is
    missing or is no safetensors file, and if a selected tensor has an unusual type (such as
    8-bit floating point) or holds NaN or infinity.
    """
    layout = read_layout(path)
    wanted = list(layout if names is None else names)
    if strange := [name for name in wanted if layout[name].dtype is None]:
        raise ModelError(f"{path} holds weights of no usual type: {some_names(strange)}.")
    try:
        with safe_open(path, framework="pt") as weights:
            state = {name: weights.get_tensor(name) for name in wanted}
    except (SafetensorError, OSError) as error:
        raise _no_safetensors(path, error) from error
    wrong = [name for name, value in state.items() if not torch.isfinite(value).all()]
    if wrong:
        raise ModelError(
            f"{path} holds what is no number (NaN or infinite) in {some_names(wrong)}. A "
            "training that broke down leaves such weights; train again with a lower "
            "learning rate, or copy the file again from where it came."
        )
    return state


def misfits(
    layout: Mapping[str, Layout], wanted: Mapping[str, Tensor], *, exactly: bool
) -> list[str]:
    """Return the names whose tensor in `layout` cannot be loaded as the weight in `wanted`.

    Names that are missing in `layout` are not returned; `exactly` as in `Layout.holds`.
    """
    return [
        name
        for name, value in wanted.items()
        if name in layout and not layout[name].holds(value, exactly=exactly)
    ]


def some_names(names: Iterable[str]) -> str:
    """Return the first few names of weights as text, each shortened, and "and N more"."""
    return some([shown(name).strip("'\"") for name in names])


def _no_safetensors(path: Path, error: Exception) -> ModelError:
    reason = " ".join(str(error).split())[:200].rstrip(".")
    return ModelError(
        f"{path} cannot be read as a safetensors file: {reason}. Files of torch.save have "
        "to be converted first."
    )
