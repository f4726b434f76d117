"""Settings of the search for a learning rate (`lentigo find-rate`)."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from lentigo.config.settings import Settings


class RatesConfig(Settings):
    """Which learning rates are tried, one step at each."""

    steps: int = Field(default=100, ge=20, le=10_000)
    """Number of steps, and so of learning rates."""
    lowest: float = Field(default=1e-6, gt=0, le=10_000)
    """The first learning rate of the head; the backbone's is `training.backbone_rate` times
    as high."""
    highest: float = Field(default=1.0, gt=0, le=10_000)
    """The last learning rate; from step to step, the rate rises by a constant factor."""

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.highest < 10 * self.lowest:
            raise ValueError(
                f"highest {self.highest:g} should be at least ten times lowest "
                f"{self.lowest:g}"
            )
        return self
