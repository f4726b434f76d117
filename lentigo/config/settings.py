"""Base class of the settings of every stage, and the error message for wrong settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from lentigo.errors import ConfigError, mistake

Seed = Annotated[int, Field(ge=0, lt=2**31)]
"""Seed of the random numbers."""


if TYPE_CHECKING:  # so that the arguments of each class are checked as pydantic says
    from pydantic._internal._model_construction import ModelMetaclass as _RefusedInWords
else:

    class _RefusedInWords(type(BaseModel)):
        """Metaclass: raise `ConfigError` instead of pydantic's error for wrong values.

        Pydantic's own message has several lines. Settings within other settings are not
        created by a call, so the message still names the full path: training.epochs.
        """

        def __call__(cls, *args: Any, **given: Any) -> Any:
            try:
                return super().__call__(*args, **given)
            except ValidationError as error:
                raise in_words(error) from None


class Settings(BaseModel, metaclass=_RefusedInWords):
    """Base class of the settings of one stage, which are frozen.

    Wrong values raise `ConfigError` when it is created.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_no_number(cls, given: Any, info: ValidationInfo) -> Any:
        field = cls.model_fields[info.field_name or ""]
        if isinstance(given, bool) and field.annotation is not bool:
            raise ValueError("true and false are no value for it")
        return given


def in_words(error: ValidationError) -> ConfigError:
    """Return a `ConfigError` with what pydantic found: each faulty field, at most five."""
    faults = [mistake(item) for item in error.errors()]
    more = f"; and {len(faults) - 5:,} more" if len(faults) > 5 else ""
    return ConfigError("; ".join(faults[:5]) + more + ".")
