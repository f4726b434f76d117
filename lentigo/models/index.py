"""The index of a model folder: features of the images that a network learnt from.

The index holds no image. It stores principal components of the pooled features, in 16 bits,
and salted digests of the names of images and groups; the image names themselves only if
they are asked for. Somebody who knows a name can test whether it is in the index, but
nobody can read the names from the digests.
"""

from __future__ import annotations

import hashlib
import io
import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lentigo.errors import ModelError
from lentigo.files import read_bytes, written_beside
from lentigo.machine import one_blas_thread

FloatArray = NDArray[np.float32]

INDEX = "index.npz"
_LONGEST = 2_000_000_000
"""Highest size of an index in bytes; 400,000 images take 130 MB."""
_KINDS = {
    "features": "f2", "mean": "f4", "components": "f4", "spreads": "f4", "rest": "f4",
    "ids": "S16", "groups": "S16", "melanoma": "i1", "diagnosis": "i2", "diagnoses": "U",
    "prints": "u8", "salt": "S32", "names": "U",
}  # fmt: skip
_EARLY = ("early_mean", "early_scale", "early_components", "early_spreads", "early_rest")
"""Names of the arrays that an index written by an earlier version lacks; all are `f4`."""
_ROWS = ("features", "ids", "groups", "melanoma", "diagnosis", "prints")
"""Names of the arrays with one row for each image."""


_BROKEN = (
    ValueError, KeyError, OSError, EOFError, MemoryError, OverflowError, zipfile.BadZipFile,
    RuntimeError, NotImplementedError, TypeError, SyntaxError,
)  # fmt: skip
"""Exceptions that `zipfile` and NumPy raise for broken files."""


@dataclass(frozen=True, kw_only=True)
class Index:
    """The features of N images in K principal components of F, with labels and groups."""

    features: NDArray[np.float16]
    """Coordinates of each image along the components, (N, K); see `reduced`."""
    mean: FloatArray
    """Mean of the pooled features, each row scaled to length 1, (F,)."""
    components: FloatArray
    """Principal components, (K, F); the rows are orthonormal."""
    spreads: FloatArray
    """Standard deviation along each component, (K,)."""
    rest: FloatArray
    """Standard deviation along each direction orthogonal to the components, (1,)."""
    ids: NDArray[np.bytes_]
    """Salted digest of each image id, (N,)."""
    groups: NDArray[np.bytes_]
    """Salted digest of each group, (N,)."""
    melanoma: NDArray[np.int8]
    """1 for melanoma, 0 for other lesions, -1 for not known, (N,)."""
    diagnosis: NDArray[np.int16]
    """Position of each image's diagnosis in `diagnoses`, -1 for not known, (N,)."""
    diagnoses: NDArray[np.str_]
    """Names of the diagnoses of the training images, to which `diagnosis` refers."""
    prints: NDArray[np.uint64]
    """Gradient hash of each image, to recognise near-duplicates, (N,)."""
    salt: NDArray[np.bytes_]
    """Random key of the digests, (1,)."""
    names: NDArray[np.str_]
    """The image ids themselves if they were asked for, (N,); else (0,)."""
    early_mean: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    """Mean of the early features, (E,); (0,) if the network gives none."""
    early_scale: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    """Standard deviation of each early feature, or the least one allowed, (E,)."""
    early_components: FloatArray = field(default_factory=lambda: np.zeros((0, 0), "f4"))
    """Principal components of the standardised early features, (J, E)."""
    early_spreads: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    """Standard deviation along each of these components, (J,)."""
    early_rest: FloatArray = field(default_factory=lambda: np.ones(1, np.float32))
    """Standard deviation along each direction orthogonal to them, (1,)."""

    def __len__(self) -> int:
        return len(self.features)

    @one_blas_thread()
    def reduced(self, features: NDArray[Any]) -> tuple[FloatArray, FloatArray]:
        """Return the coordinates of features along the components, and the residual length.

        `features` are pooled features, (N, F). Each row is scaled to length 1, and `mean`
        is subtracted. The coordinates, (N, K), are the result's projections on the
        components; the residual length, (N,), is the length of what they leave over.
        """
        centred = np.asarray(unit_length(features) - self.mean, np.float32)
        inside = np.asarray(centred @ self.components.T, np.float32)
        beyond = (centred**2).sum(axis=1) - (inside**2).sum(axis=1)
        return inside, np.sqrt(np.maximum(beyond, np.float32(0)))

    @one_blas_thread()
    def early_distance(self, early: NDArray[Any] | None) -> FloatArray | None:
        """Return the squared Mahalanobis distance of N early features, (N, E), to (N,).

        It is that to the early features of all images of the index. None without `early`,
        or if the index knows none of its length.
        """
        if early is None or not early.shape[1] or early.shape[1] != len(self.early_mean):
            return None
        rows = (np.asarray(early, np.float32) - self.early_mean) / self.early_scale
        inside = rows @ self.early_components.T
        beyond = np.maximum((rows**2).sum(axis=1) - (inside**2).sum(axis=1), 0)
        within = ((inside / self.early_spreads) ** 2).sum(axis=1)
        return np.asarray(within + beyond / self.early_rest[0] ** 2, np.float32)

    def digest(self, name: str) -> bytes:
        """Return the salted digest of an image id or a group, as in `ids` and `groups`."""
        return salted(bytes(self.salt[0]), name)

    def label(self, row: int) -> str:
        """Return the diagnosis of image `row`, else "melanoma", "not melanoma" or ""."""
        if (place := int(self.diagnosis[row])) >= 0:
            return str(self.diagnoses[place])
        return {1: "melanoma", 0: "not melanoma"}.get(int(self.melanoma[row]), "")


def unit_length(features: NDArray[Any]) -> FloatArray:
    """Return features, (N, F), each row divided by its length; zeros stay zeros."""
    rows = np.asarray(features, dtype=np.float32)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(length, 1e-12), dtype=np.float32)


def salted(salt: bytes, name: str) -> bytes:
    """Return the salted digest of `name`: 16 hexadecimal digits as bytes."""
    told = name.encode("utf-8", "surrogateescape")
    return hashlib.blake2b(told, digest_size=8, key=salt).hexdigest().encode()


def write_index(index: Index, path: Path) -> None:
    """Write `index` to `path` atomically: a crash leaves no partial file."""
    arrays = {each.name: getattr(index, each.name) for each in fields(Index)}
    with written_beside(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


def read_index(path: Path) -> Index:
    """Read an index from a file whose digest was checked (`description.checked_file`).

    Raises `ModelError` if the file is no valid index: it is compressed, holds Python
    objects, or its arrays have wrong types or shapes that do not match.
    """
    try:
        content = read_bytes(path, most=_LONGEST)
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            # Ours are stored as they are, so no file can be larger than it looks.
            if any(each.compress_type for each in packed.infolist()):
                raise ValueError("it is packed")
            for each in packed.infolist():
                _check_length(packed, each)
        with np.load(io.BytesIO(content), allow_pickle=False) as found:
            arrays = {name: _array(found[name], name) for name in _KINDS}
            later = [name for name in _EARLY if name in found.files]
            index = Index(**arrays, **{name: _array(found[name], name) for name in later})
        _check(index)
    except _BROKEN as error:
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise ModelError(
            f"{path} is no index of a model ({reason}). Copy the folder again from where "
            "it came."
        ) from error
    return index


def _check_length(packed: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Raise `ValueError` unless an array has as many bytes as its header says.

    NumPy would first ask for the memory that the header wants.
    """
    with packed.open(member) as file:
        version = np.lib.format.read_magic(file)
        if version not in {(1, 0), (2, 0)}:
            raise ValueError(f"{member.filename} has an unknown format")
        reading = (
            np.lib.format.read_array_header_1_0,
            np.lib.format.read_array_header_2_0,
        )
        shape, _, kind = reading[version[0] - 1](file)
        if file.tell() + math.prod(shape) * kind.itemsize != member.file_size:
            raise ValueError(f"{member.filename} is shorter or longer than it says")


def _array(found: NDArray[Any], name: str) -> NDArray[Any]:
    wanted = _KINDS.get(name, "f4")
    if found.dtype.str[1:] != wanted and found.dtype.kind != wanted:
        raise ValueError(f"{name} is of type {found.dtype}")
    return found


def _check(index: Index) -> None:
    count, own = index.features.shape
    inside, early = index.early_components.shape
    wanted = {
        **dict.fromkeys(_ROWS[1:], (count,)),
        "mean": (index.components.shape[-1],),
        "components": (own, index.components.shape[-1]),
        "spreads": (own,), "rest": (1,), "salt": (1,),
        "early_mean": (early,), "early_scale": (early,), "early_spreads": (inside,),
        "early_rest": (1,),
    }  # fmt: skip
    for name, shape in wanted.items():
        if getattr(index, name).shape != shape:
            raise ValueError(f"{name} has the shape {getattr(index, name).shape}")
    if len(index.names) not in {0, count}:
        raise ValueError("names are those of other images")
    if count and index.diagnosis.max(initial=-1) >= len(index.diagnoses):
        raise ValueError("diagnosis names what is not there")
    numbers: Sequence[NDArray[Any]] = (
        index.features, index.components, index.spreads, index.early_mean,
        index.early_components,
    )  # fmt: skip
    above = (index.rest, index.early_rest, index.early_scale, index.early_spreads)
    if not all(np.isfinite(each).all() for each in numbers) or not all(
        ((each > 0) & np.isfinite(each)).all() for each in above
    ):
        raise ValueError("a number of it is not finite")
