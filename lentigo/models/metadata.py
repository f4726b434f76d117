"""Age, sex and site of a patient as numbers that a network takes in addition to the image.

This module does not import torch. The encoding is fitted on the training images of a fold
only, and stored in the model folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, field_validator

from lentigo.errors import DatasetError
from lentigo.models.facts import Fact
from lentigo.tables import SEXES, SITES
from lentigo.words import counted

Metadata = NDArray[np.float32]
"""Encoded age, sex and site of the patients of N images, (N, M): M values for each."""

FIELDS = ("age", "sex", "site")
WITHOUT = "none"
"""The word for an image for which no field of the patient was used."""

Fusion = Literal["late", "film"]


LEAST_KNOWN = 0.5
"""Share of the images of each data set that have to have a field, so that
`metadata="auto"` takes it."""


def fields_of(
    asked: Literal["none", "auto", "late", "film"], table: pd.DataFrame
) -> tuple[str, ...]:
    """Return which of `FIELDS` networks that learn from the lesion table `table` take.

    `asked` is the setting `model.metadata`. For `auto` these are the fields that at least
    half of the images of each data set have: where one data set lacks a field, that it is
    missing would tell the data set.
    """
    if asked != "auto":
        return () if asked == "none" else FIELDS
    known = table[list(FIELDS)].notna().groupby(table["dataset"].fillna("")).mean()
    return tuple(name for name in FIELDS if known[name].min() >= LEAST_KNOWN)


@dataclass(frozen=True)
class Patients:
    """Age, sex and site of the patients of N images; each may be unknown."""

    age: NDArray[np.float64]
    """Age in years for each image, (N,); NaN if not known."""
    sex: tuple[str, ...]
    """One of `SEXES` for each image; "" if not known."""
    site: tuple[str, ...]
    """One of `SITES` for each image; "" if not known."""

    def __len__(self) -> int:
        return len(self.sex)

    @classmethod
    def of_table(cls, table: pd.DataFrame) -> Patients:
        """Return the patients of the rows of a lesion table."""
        return cls.of(*(table[name].tolist() for name in FIELDS))

    @classmethod
    def of(cls, age: Sequence[Any], sex: Sequence[Any], site: Sequence[Any]) -> Patients:
        """Build the patients of N images; None, NaN and NA mean not known.

        Ages are in years. Words are taken as they are: see `SEXES` and `SITES`.
        """
        return cls(
            np.array([np.nan if pd.isna(each) else float(each) for each in age], float),
            tuple("" if pd.isna(each) else str(each) for each in sex),
            tuple("" if pd.isna(each) else str(each) for each in site),
        )

    @classmethod
    def unknown(cls, count: int) -> Patients:
        """Return the patients of `count` images, with all fields unknown."""
        return cls(np.full(count, np.nan), ("",) * count, ("",) * count)

    def only(self, fields: Sequence[str]) -> Patients:
        """Return the same patients, of whom nothing is known but `fields`."""
        nobody = Patients.unknown(len(self))
        return Patients(
            self.age if "age" in fields else nobody.age,
            self.sex if "sex" in fields else nobody.sex,
            self.site if "site" in fields else nobody.site,
        )

    def take(self, places: Sequence[int]) -> Patients:
        """Return the patients of the images at the positions `places`."""
        return Patients(
            self.age[list(places)],
            tuple(self.sex[place] for place in places),
            tuple(self.site[place] for place in places),
        )


class MetadataEncoding(Fact):
    """How age, sex and site become numbers for one network, and how it fuses them.

    The numbers of an image are the age in standard deviations from the mean and 1 if it is
    missing, then 1 or 0 for each of the `sexes` and for a missing sex, then the same for
    the `sites`. A sex or site that no training image had counts as missing, and so does
    each age if no training image had one. For an unknown patient all three are missing.
    """

    fusion: Fusion
    """`late`: the output of a small network of the numbers is appended to the pooled
    features; `film`: it scales and shifts them."""
    age_mean: float = Field(ge=0, le=120)
    """Mean age of the training images, in years; 0 if no age was known."""
    age_std: float = Field(ge=1e-3, le=120)
    """Standard deviation of the age of the training images, in years."""
    sexes: Annotated[list[str], Field(max_length=len(SEXES))]
    """Sexes that training images had."""
    sites: Annotated[list[str], Field(max_length=len(SITES))]
    """Sites on the body that training images had."""

    @field_validator("sexes")
    @classmethod
    def _known_sexes(cls, given: list[str]) -> list[str]:
        return _each_once(given, SEXES)

    @field_validator("sites")
    @classmethod
    def _known_sites(cls, given: list[str]) -> list[str]:
        return _each_once(given, SITES)

    @classmethod
    def fitted(cls, patients: Patients, fusion: Fusion) -> Self:
        """Fit the encoding to the patients of the training images.

        Raises `DatasetError` if age, sex and site of all of them are unknown.
        """
        ages = patients.age[np.isfinite(patients.age)]
        sexes = [name for name in SEXES if name in patients.sex]
        sites = [name for name in SITES if name in patients.site]
        if not len(ages) and not sexes and not sites:
            raise DatasetError(
                f"None of {counted(len(patients), 'training image')} has an age, a sex or "
                f"a site, which model.metadata={fusion} is to learn from. Give a table "
                "that has them, or model.metadata=none."
            )
        return cls(
            fusion=fusion,
            age_mean=float(ages.mean()) if len(ages) else 0.0,
            # Of one age all images are at the mean, whatever divides.
            age_std=max(float(ages.std()), 1.0) if len(ages) else 1.0,
            sexes=sexes,
            sites=sites,
        )

    @property
    def takes_age(self) -> bool:
        """Whether a training image had an age."""
        return self.age_mean > 0

    @property
    def fields(self) -> tuple[str, ...]:
        """Those of `FIELDS` that a training image had."""
        known = (self.takes_age, bool(self.sexes), bool(self.sites))
        return tuple(name for name, had in zip(FIELDS, known, strict=True) if had)

    @property
    def width(self) -> int:
        """Number of values for each image, M."""
        return 2 + len(self.sexes) + 1 + len(self.sites) + 1

    @property
    def unknown(self) -> list[float]:
        """The M values of an image whose patient is unknown."""
        sexes, sites = [0.0] * len(self.sexes), [0.0] * len(self.sites)
        return [0.0, 1.0, *sexes, 1.0, *sites, 1.0]

    def encode(self, patients: Patients | None, *, count: int | None = None) -> Metadata:
        """Return the values of N images, (N, M); None means `count` unknown patients."""
        patients = patients if patients is not None else Patients.unknown(count or 0)
        known = np.isfinite(patients.age) & self.takes_age
        age = np.where(known, (patients.age - self.age_mean) / self.age_std, 0.0)
        columns = [age, ~known]
        for words, learnt in ((patients.sex, self.sexes), (patients.site, self.sites)):
            given = np.array(words, dtype=object)
            columns += [given == name for name in learnt]
            columns.append(~np.isin(given.astype(str), learnt))
        return np.stack(columns, axis=1).astype(np.float32)

    def used(self, patients: Patients) -> list[tuple[str, ...]]:
        """Return for each image the names of the `FIELDS` with a value that is used."""
        known = zip(
            (np.isfinite(patients.age) & self.takes_age).tolist(),
            [word in self.sexes for word in patients.sex],
            [word in self.sites for word in patients.site],
            strict=True,
        )
        return [
            tuple(name for name, there in zip(FIELDS, each, strict=True) if there)
            for each in known
        ]


def _each_once(given: list[str], known: Sequence[str]) -> list[str]:
    if given != [name for name in known if name in given]:
        raise ValueError(f"each is one of {', '.join(known)}, in this order, named once")
    return given
