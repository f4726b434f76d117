"""A folder of images with one subfolder a class, as many people keep theirs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from lentigo.datasets.columns import SUFFIX
from lentigo.datasets.image_files import other_pictures
from lentigo.datasets.labels import LABEL_WORDS
from lentigo.datasets.reading import check_folder, finish, image_files
from lentigo.datasets.vocabulary import (
    DIAGNOSES,
    MALIGNANT_WORDS,
    MELANOMA_WORDS,
    NOT_KNOWN,
    YES_WORDS,
)
from lentigo.errors import ColumnError, DatasetNotFoundError, some
from lentigo.imaging.search import composed

PARTS = frozenset({"train", "training", "test", "testing", "val", "valid", "validation"})


def read(root: Path, *, melanoma: str | Iterable[str] | None = None) -> pd.DataFrame:
    """The images below `root`; the class of an image is the folder it lies in.

    Which classes are melanoma is told from their names (`melanoma`, `mel` …; without
    one of these `malignant`, `positive`, `1`), every other one is not, and `unknown` is
    unlabelled. `melanoma` names them instead: `"mel"`, `"mel,mis"` or a list. Where the
    first level is `train`, `test` and the like, the classes are looked for below, and
    the column `part` keeps the first level. An image is called by its file name, with
    its folders in front if two are called alike. Nobody is named: each image is its own
    group.

    Raises `DatasetNotFoundError` where there is no subfolder with images, and
    `ColumnError` where no class is known as melanoma.
    """
    root = check_folder(root, archive="one subfolder a class")
    files = [path for path in image_files(root) if path.parent != root]
    if not files:
        raise DatasetNotFoundError(
            f"{root} has no subfolders with images in it; put the images of a class into a "
            "subfolder named after it, such as melanoma and nevus."
        )
    places = [path.relative_to(root).parts for path in files]
    split = {place[0].lower() for place in places} <= PARTS
    classes = pd.Series([_class(place, split) for place in places], dtype="string")
    table = pd.DataFrame(
        {"image_id": image_names_below(root, files), "path": map(str, files)}
    )
    table["dataset"] = root.name
    if split:
        table["part"] = [place[0] for place in places]
    positive = _positive(classes, melanoma, root=root)
    unlabelled = classes.str.lower().isin(NOT_KNOWN)
    table["melanoma"] = classes.isin(positive).astype("boolean").mask(unlabelled)
    table["diagnosis"] = classes.map(_diagnosis).astype("string").mask(unlabelled)
    notes = [_guess(classes, positive), *other_pictures(root)]
    return finish(table, source=str(root), notes=notes)


def _class(place: tuple[str, ...], split: bool) -> str:
    return place[1] if split and len(place) > 2 else place[0]


def image_names_below(root: Path, files: list[Path]) -> pd.Series[str]:
    """The names of `files` without ending, with their folders where two are alike.

    Where these are alike, too, the ending stays. Accented letters are single characters.
    """
    named = pd.Series([composed(path.stem) for path in files], dtype="string")
    whole = [composed(path.relative_to(root).as_posix()) for path in files]
    for longer in ([SUFFIX.sub("", name) for name in whole], whole, map(str, files)):
        twice = named.duplicated(keep=False)
        named = named.mask(twice, pd.Series(list(longer), dtype="string"))
    return named


def _positive(
    classes: pd.Series[str], melanoma: str | Iterable[str] | None, *, root: Path
) -> list[str]:
    names = sorted(classes.unique())
    if melanoma is not None:
        asked = melanoma.split(",") if isinstance(melanoma, str) else list(melanoma)
        asked = [name.strip() for name in asked]
        if strange := [name for name in asked if name not in names]:
            raise ColumnError(f"{root} has no class {some(strange)}. It has {some(names)}.")
        positive = asked
    else:
        positive = _guess_positive(names)
    if not positive:
        raise ColumnError(
            f"{root} has no class that we know as melanoma (classes: "
            f"{some(names, at_most=8)}); say which ones are, for "
            "example --melanoma mel,mis."
        )
    return positive


def _guess_positive(names: list[str]) -> list[str]:
    """The strictest words that are there: melanoma, else malignant, else 1 or yes."""
    plain = {name: name.strip().lower().replace("_", " ") for name in names}
    for words in (MELANOMA_WORDS, MALIGNANT_WORDS, YES_WORDS):
        if found := [name for name in names if plain[name] in words]:
            return found
    return []


def _diagnosis(name: str) -> str | None:
    word = name.strip().lower().replace("_", " ")
    if word in DIAGNOSES:
        return DIAGNOSES[word].name
    return None if word in LABEL_WORDS else name


def _guess(classes: pd.Series[str], positive: list[str]) -> str:
    counts = classes.value_counts()
    listed = [
        f"{name} ({count:,})" for name, count in counts.items() if name not in positive
    ]
    melanoma = [f"{name} ({counts[name]:,})" for name in positive]
    return (
        f"The subfolders are the classes: {some(melanoma, at_most=8)} taken as melanoma, "
        f"against {some(listed, at_most=8) if listed else 'nothing'}."
    )
