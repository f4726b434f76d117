"""Settings of the split of a table: in a training, and in `lentigo split`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from lentigo.config.settings import Seed, Settings
from lentigo.errors import ConfigError, unknown_name

Folds = Annotated[int, Field(ge=2, le=1000)]
"""Number of parts into which the groups are divided."""

BALANCED = ("melanoma", "dataset", "site", "age", "sex")
"""The columns whose values folds balance by default; melanoma always comes first."""

SCHEME_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "grouped": ("folds", "seed", "balance"),
    "holdout": ("shares", "seed", "balance"),
    "leave-one-source-out": (),
    "time": ("time", "before"),
    "published": ("drop_leaks",),
}
"""For each scheme, the settings of a `SplitPlan` that it uses."""

_EACH_APART = {"image_id", "patient_id", "lesion_id", "group_id", "path", "sha256"}


def check_balance(names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns to balance, each once, with melanoma first, named or not.

    Raises `ConfigError` for a column of ids, whose values cannot be balanced.
    """
    for name in names:
        if name in _EACH_APART:
            raise ConfigError(
                f"{name} tells every image or group apart, so no part can have its share "
                f"of it; balance some of {', '.join(BALANCED)}."
            )
    return tuple(dict.fromkeys(("melanoma", *names)))


BY_SOURCE = "leave-one-source-out"
"""Name of the scheme in which each data set is held out in turn."""


class SplitConfig(Settings):
    """How lesions are divided; a group (patient, else lesion) is never on both sides."""

    scheme: Literal["grouped", "leave-one-source-out"] = "grouped"
    """`grouped` divides the groups into parts with similar shares of melanoma, data sets
    and so on; `leave-one-source-out` holds out one data set after another, to test a model
    on an archive that it was not trained on."""

    folds: Folds | None = None
    """Number of parts into which the groups are divided; one part is held out to test a
    model. By default it is the number of `--folds`, and 5 if that is one."""
    validation: float = Field(default=0.125, gt=0, lt=0.5)
    """Share of the images outside the held-out part on which the best epoch is chosen."""
    repeats: int = Field(default=1, ge=1, le=100)
    """How often the groups are divided anew and models are trained for each division
    (`--repeats`)."""
    nested: bool = False
    """Whether, after the folds, networks are also trained without each pair of folds
    (`--nested`): an interval for mean losses that counts what the folds share (Bates et al.
    2023). K folds take K (K − 1) / 2 more trainings."""
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
        """Return the number of parts of the split if `held_out` of them are held out."""
        return self.folds or (held_out if held_out > 1 else 5)


class SplitPlan(Settings):
    """How `lentigo split` divides a table."""

    scheme: str = "grouped"
    """The scheme, one of the names in `SCHEME_SETTINGS`."""
    folds: Folds = 5
    """Number of parts of the scheme `grouped`."""
    shares: tuple[Annotated[float, Field(allow_inf_nan=True)], ...] = (0.7, 0.15, 0.15)
    """Scheme `holdout`: shares of training, validation and test, or of training and
    test."""
    seed: Seed = 0
    """Seed, which chooses one of the many balanced splits."""
    balance: tuple[str, ...] = BALANCED
    """Columns whose values have similar shares in every part, melanoma first."""
    time: str = ""
    """Scheme `time`: the column with the time, in years or ISO dates."""
    before: str = "0.8"
    """Scheme `time`: train on rows before this date, or on this earliest share of the
    rows."""
    drop_leaks: bool = False
    """Scheme `published`: leave out the training rows of a group that is on both sides."""

    @field_validator("scheme")
    @classmethod
    def _known_scheme(cls, given: str) -> str:
        if given not in SCHEME_SETTINGS:
            raise unknown_name("scheme", given, SCHEME_SETTINGS)
        return given

    @field_validator("shares")
    @classmethod
    def _whole(cls, given: tuple[float, ...]) -> tuple[float, ...]:
        # Comparisons with NaN are false, so the condition states what has to be true.
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
