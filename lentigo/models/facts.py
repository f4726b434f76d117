"""Basic field types of the description of a model folder, all with bounds.

A model folder may come from anybody, so every number has bounds, every text and list has a
maximum length, and unknown fields raise a `ValidationError`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(max_length=10_000)]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[a-z0-9_.]+$")]
Count = Annotated[int, Field(ge=0, le=10**12)]
Share = Annotated[float, Field(ge=0, le=1)]
Number = Annotated[float, Field(ge=-1e12, le=1e12)]


class Fact(BaseModel):
    """Part of a model folder: frozen, strict, finite, without unknown fields."""

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


class Measured(Fact):
    """A number that was measured, with its 95 % interval; None is undefined."""

    value: Number | None
    low: Number | None = None
    high: Number | None = None
