"""Settings of the evaluation: of a run, and of `lentigo evaluate`."""

from __future__ import annotations

from pydantic import Field

from lentigo.config.settings import Seed, Settings


class _Judging(Settings):
    threshold: float = Field(default=0.5, ge=0, le=1)
    """Probability from which an image is called melanoma."""
    repeats: int = Field(default=2000, ge=10, le=1_000_000)
    """Bootstrap resamples for each interval; whole groups are resampled."""


class EvaluationConfig(_Judging):
    """How predictions are evaluated."""

    baseline: tuple[str, ...] = ("age", "sex", "site")
    """Columns that the baseline without images uses."""
    cost_miss: float = Field(default=20, gt=0, le=1e9)
    """Cost of a missed melanoma; only its ratio to `cost_excision` matters."""
    cost_excision: float = Field(default=1, gt=0, le=1e9)
    """Cost of excising a lesion that is not melanoma. Both costs are a judgement: put in
    your own."""


class ScoringConfig(_Judging):
    """How one table of predictions is scored (`lentigo evaluate`)."""

    group: str | None = None
    """Column of the patient or lesion, resampled as a whole; by default the first one
    found."""
    seed: Seed = 0
    """Seed of the bootstrap resamples."""
    prevalence: float | None = Field(default=None, gt=0, lt=1)
    """Share of melanoma in a clinic, for which calls, PPV and NPV are computed."""
    by: tuple[str, ...] = ()
    """Columns of the predictions or the labels; images with the same value are also
    evaluated as a subgroup."""
