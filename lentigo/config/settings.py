"""Base class of every stage's settings, and the sentence for settings that are wrong."""

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
"""Where the drawing of random numbers begins."""


if TYPE_CHECKING:  # so that the arguments of each class are checked as pydantic says
    from pydantic._internal._model_construction import ModelMetaclass as _RefusedInWords
else:

    class _RefusedInWords(type(BaseModel)):
        """Raise `ConfigError` where settings are made of values that make no sense.

        Pydantic's own error tells its story over several lines. Settings inside others are
        not made by a call, so an error of theirs still names the whole way:
        training.epochs.
        """

        def __call__(cls, *args: Any, **given: Any) -> Any:
            try:
                return super().__call__(*args, **given)
            except ValidationError as error:
                raise in_words(error) from None


class Settings(BaseModel, metaclass=_RefusedInWords):
    """Settings of one stage: frozen, and refused at birth (`ConfigError`) if senseless."""

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
    """Make one sentence of what pydantic found: each bad field, at most five of them."""
    faults = [mistake(item) for item in error.errors()]
    more = f"; and {len(faults) - 5:,} more" if len(faults) > 5 else ""
    return ConfigError("; ".join(faults[:5]) + more + ".")
