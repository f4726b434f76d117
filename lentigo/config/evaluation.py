"""Settings of the evaluation: of a run, and of `lentigo evaluate`."""

from __future__ import annotations

from pydantic import Field

from lentigo.config.settings import Seed, Settings


class _Judging(Settings):
    threshold: float = Field(default=0.5, ge=0, le=1)
    """Call melanoma from this probability upwards."""
    repeats: int = Field(default=2000, ge=10, le=1_000_000)
    """Resamples of whole groups behind each interval."""


class EvaluationConfig(_Judging):
    """How predictions are judged."""

    baseline: tuple[str, ...] = ("age", "sex", "site")
    """Columns that the metadata-only baseline may use."""
    cost_miss: float = Field(default=20, gt=0, le=1e9)
    """Cost of a melanoma that is not called; only its ratio to the next counts."""
    cost_excision: float = Field(default=1, gt=0, le=1e9)
    """Cost of cutting out something else. Both are a judgement: put in your own."""


class ScoringConfig(_Judging):
    """How one table of predictions is scored (`lentigo evaluate`)."""

    group: str | None = None
    """Column of the patient or lesion, resampled as a whole; by default the first known."""
    seed: Seed = 0
    """Of the resamples."""
    prevalence: float | None = Field(default=None, gt=0, lt=1)
    """Share of melanoma in a clinic, for which calls, PPV and NPV are counted."""
    by: tuple[str, ...] = ()
    """Columns of either table, the values of which are also judged one by one."""
