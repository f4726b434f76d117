"""Settings of the division of a table: by a training, and by `lentigo split`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from lentigo.config.settings import Seed, Settings
from lentigo.errors import ConfigError, unknown_name

Folds = Annotated[int, Field(ge=2, le=1000)]
"""Parts that the groups are dealt into."""

BALANCED = ("melanoma", "dataset", "site", "age", "sex")
"""What folds balance by default; the class comes first whatever else is asked for."""

SCHEME_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "grouped": ("folds", "seed", "balance"),
    "holdout": ("shares", "seed", "balance"),
    "leave-one-source-out": (),
    "time": ("time", "before"),
    "published": ("drop_leaks",),
}
"""Scheme → the settings of a `SplitPlan` that it goes by."""

_EACH_APART = {"image_id", "patient_id", "lesion_id", "group_id", "path", "sha256"}


def check_balance(names: Sequence[str]) -> tuple[str, ...]:
    """The variables that were asked for, each once; melanoma need not be named."""
    for name in names:
        if name in _EACH_APART:
            raise ConfigError(
                f"{name} tells every image or group apart, so no part can have its share "
                f"of it; balance some of {', '.join(BALANCED)}."
            )
    return tuple(dict.fromkeys(("melanoma", *names)))


BY_SOURCE = "leave-one-source-out"
"""Scheme in which each data set is held out in turn."""


class SplitConfig(Settings):
    """How lesions are divided; a group (patient, else lesion) is never on both sides."""

    scheme: Literal["grouped", "leave-one-source-out"] = "grouped"
    """Deal the groups into parts that look alike, or hold out one data set after another,
    to see how a model does on an archive that it has not seen."""

    folds: Folds | None = None
    """Parts that the groups are dealt into; one part is held out to judge a model. By
    default as many as `--folds` holds out, and 5 where that is one."""
    validation: float = Field(default=0.125, gt=0, lt=0.5)
    """Share of what is not held out that chooses the best epoch."""
    repeats: int = Field(default=1, ge=1, le=100)
    """How often the groups are dealt into parts anew, and models trained for each
    (`--repeats`)."""
    near_duplicates: bool = True
    """Merge the groups of near-identical images (found by hash, confirmed on pixels)."""

    @model_validator(mode="after")
    def _sources_are_dealt_once(self) -> Self:
        if self.repeats > 1 and self.scheme == BY_SOURCE:
            raise ConfigError(
                f"By {BY_SOURCE} there is one way to divide, so nothing can be repeated: "
                "leave the repeats out."
            )
        return self

    def parts(self, held_out: int = 1) -> int:
        """Into how many parts the groups are dealt when `held_out` of them are held out."""
        return self.folds or (held_out if held_out > 1 else 5)


class SplitPlan(Settings):
    """How a table is to be divided (`lentigo split`)."""

    scheme: str = "grouped"
    """A name in `SCHEME_SETTINGS`."""
    folds: Folds = 5
    """Parts of the scheme `grouped`."""
    shares: tuple[Annotated[float, Field(allow_inf_nan=True)], ...] = (0.7, 0.15, 0.15)
    """Of `holdout`: training, validation and test, or training and test."""
    seed: Seed = 0
    """Which of the many even splits."""
    balance: tuple[str, ...] = BALANCED
    """Columns whose classes every part gets alike, melanoma first."""
    time: str = ""
    """Of `time`: the column that says when, in years or ISO dates."""
    before: str = "0.8"
    """Of `time`: train on what is earlier than this date, or on this earliest share."""
    drop_leaks: bool = False
    """Of `published`: leave the training side of a group out that is on both sides."""

    @field_validator("scheme")
    @classmethod
    def _known_scheme(cls, given: str) -> str:
        if given not in SCHEME_SETTINGS:
            raise unknown_name("scheme", given, SCHEME_SETTINGS)
        return given

    @field_validator("shares")
    @classmethod
    def _whole(cls, given: tuple[float, ...]) -> tuple[float, ...]:
        # Of NaN every comparison is false, so what is asked is what should be.
        above = len(given) in {2, 3} and all(share > 0 for share in given)
        if not (above and abs(sum(given) - 1) <= 1e-6):
            raise ConfigError(
                f"The shares {', '.join(map(str, given))} should be two or three numbers "
                "above 0 that add up to 1, such as 0.7,0.15,0.15 (train, validation, test)."
            )
        return given

    @field_validator("balance")
    @classmethod
    def _can_be_balanced(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        check_balance(given)
        return given

    @model_validator(mode="after")
    def _time_needs_a_column(self) -> Self:
        if self.scheme == "time" and not self.time:
            raise ConfigError("A split by time needs the column that says when: --time.")
        return self
