"""Coefficients that were fitted on masks drawn by people, read from `fitted.json`.

`python benchmarks/outline.py --fit` writes that file anew. It holds means, standard
deviations and coefficients of a logistic and of a quadratic function; no image can be
reconstructed from them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Linear:
    """A linear function of features: `features @ coefficients + intercept`."""

    coefficients: FloatArray
    intercept: float


@dataclass(frozen=True)
class Quadratic:
    """A quadratic function of standardised features."""

    mean: FloatArray
    """Mean of each feature; `spread` is its standard deviation."""
    spread: FloatArray
    coefficients: FloatArray
    """Factor of each term of `quadratic_terms`."""
    intercept: float

    def __call__(self, features: FloatArray) -> FloatArray:
        """Return the value for each of n rows of k features: (n, k) to (n,)."""
        terms = quadratic_terms((features - self.mean) / self.spread)
        return np.asarray(terms @ self.coefficients + self.intercept)


def quadratic_terms(values: FloatArray) -> FloatArray:
    """Return n rows of k values with squares and products: (n, k + k (k + 1) / 2)."""
    rows, columns = np.triu_indices(values.shape[1])
    return np.hstack([values, values[:, rows] * values[:, columns]])


def _read() -> tuple[Linear, Quadratic]:
    text = files(__package__).joinpath("fitted.json").read_text(encoding="utf-8")
    content: dict[str, dict[str, Any]] = json.loads(text)
    pixels, pieces = content["pixels"], content["pieces"]
    return (
        Linear(np.array(pixels["coefficients"]), pixels["intercept"]),
        Quadratic(
            np.array(pieces["mean"]), np.array(pieces["spread"]),
            np.array(pieces["coefficients"]), pieces["intercept"],
        ),
    )  # fmt: skip


PIXELS, PIECES = _read()
"""PIXELS gives the logit that a pixel is lesion, PIECES the expected Jaccard index of a
piece with a drawn mask."""
