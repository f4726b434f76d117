"""A folder of images with one subfolder for each class."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.datasets.reading.columns import SUFFIX
from lentigo.datasets.reading.files import check_folder, finish, image_files
from lentigo.datasets.reading.image_files import other_pictures
from lentigo.datasets.reading.known_words import LABEL_WORDS, MALIGNANT, YES_WORDS
from lentigo.datasets.reading.labels import unclear_answers, unclear_signs
from lentigo.datasets.reading.spelling import fold
from lentigo.datasets.reading.vocabulary import DIAGNOSES, is_understood
from lentigo.datasets.reading.word_map import refuse_words, translated
from lentigo.errors import ColumnError, DatasetNotFoundError, unknown_name
from lentigo.imaging.search import composed
from lentigo.table_files.not_known import plain
from lentigo.tables import NotedTable
from lentigo.words import counted, some, verb

_HINT = (
    " Or name the classes of melanoma, so that all others are not melanoma: --melanoma mel."
)
PARTS = frozenset({"train", "training", "test", "testing", "val", "valid", "validation"})


def read(
    root: Path, *, melanoma: str | Iterable[str] | None = None, part: str = "all"
) -> NotedTable:
    """The images below `root`; the class of an image is the name of its folder.

    The vocabulary of diagnoses tells which classes are melanoma (`melanoma`, `mel`,
    `Melanom` …). If none is, `malignant` is taken to mean melanoma, else `positive` or `1`;
    beside a class of melanomas, these words are not understood, and neither is `other`.
    `melanoma` names the classes of melanoma instead: `"mel"`, `"mel,mis"` or a list; then
    every other class is not melanoma. The class `unknown` is unlabelled, and so is an image
    in no class. Folders called `train`, `test` and the like are parts, above the classes or
    below; the column `part` holds them, and the argument `part` chooses one. A single
    folder that holds all the others is skipped. The name of an image is its file name, with
    its folders in front if two images have the same one. No patients are named: each image
    is its own group.

    Raises `DatasetNotFoundError` where there is no subfolder with images, `ColumnError`
    where no class is known as melanoma or `melanoma` names a class that does not exist,
    `UnknownWordsError` where some classes are known and others not, and `UnknownNameError`
    for a part that does not exist.
    """
    root = check_folder(root, archive="one subfolder a class")
    files = list(image_files(root))
    folders = _see_through([path.relative_to(root).parts[:-1] for path in files])
    if not any(folders):
        raise DatasetNotFoundError(
            f"{root} has no subfolders with images in it; put the images of a class into a "
            "subfolder named after it, such as melanoma and nevus."
        )
    table = pd.DataFrame(
        {"image_id": image_names_below(root, files), "path": map(str, files)}
    )
    table["dataset"] = root.name
    parts = _parts(folders, root)
    if parts.notna().any():
        table["part"] = parts
    classes = pd.Series(map(_class, folders), dtype="string", name="class")
    table, words = _labelled(table, classes, melanoma, root=root)
    kept = _in_part(table, part, root)
    notes = _said(classes[kept], words[kept], table["melanoma"][kept])
    notes += other_pictures(root)
    of_part = table[kept].reset_index(drop=True)
    return finish(of_part, source=str(root), notes=notes)


def _see_through(places: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return the folders of each image without outer ones that enclose all images.

    `places` has for each image the names of its folders, the outermost first.
    `data/train/mel` becomes `train/mel`; an outer folder stays if its name is a class, a
    part, or a word for unknown.
    """
    while True:
        inside = [place for place in places if place]
        first = {place[0] for place in inside}
        deep = any(len(place) > 1 for place in inside)
        if len(first) != 1 or not deep or _means_something(*first):
            return places
        places = [place[1:] for place in places]


def _means_something(name: str) -> bool:
    known = DIAGNOSES.find(name) or LABEL_WORDS.find(name) is not None
    return _is_part(name) or bool(known) or bool(plain(pd.Series([name])).isna().any())


def _is_part(name: str) -> bool:
    return fold(name) in PARTS


def _parts(places: list[tuple[str, ...]], root: Path) -> pd.Series[Any]:
    """Return each image's part, such as train, or missing.

    It is the name of one of the two outermost folders (`places`, as for `_see_through`)
    or, if no image has such a folder, that of `root`.
    """
    found = [next((name for name in place[:2] if _is_part(name)), None) for place in places]
    if not any(found) and _is_part(root.name):
        found = [root.name] * len(places)
    return pd.Series(found, dtype="string")


def _class(place: tuple[str, ...]) -> str | None:
    return next((name for name in place[:2] if not _is_part(name)), None)


def _in_part(table: pd.DataFrame, part: str, root: Path) -> pd.Series[bool]:
    """Tell which rows are in `part`; raise `UnknownNameError` if there is no such part."""
    if part == "all":
        return pd.Series(True, index=table.index)
    there = table["part"].dropna().unique().tolist() if "part" in table else []
    if part not in there:
        raise unknown_name(f"part of {root}", part, ["all", *there])
    return (table["part"] == part).fillna(False).astype(bool)


def image_names_below(root: Path, files: list[Path]) -> pd.Series[str]:
    """Return the names of `files` without ending, with their folders where two are equal.

    If these are equal, too, the ending is kept. Accented letters are single characters.
    """
    named = pd.Series([composed(path.stem) for path in files], dtype="string")
    whole = [composed(path.relative_to(root).as_posix()) for path in files]
    for longer in ([SUFFIX.sub("", name) for name in whole], whole, map(str, files)):
        twice = named.duplicated(keep=False)
        named = named.mask(twice, pd.Series(list(longer), dtype="string"))
    return named


def _labelled(
    table: pd.DataFrame,
    classes: pd.Series[Any],
    melanoma: str | Iterable[str] | None,
    *,
    root: Path,
) -> tuple[pd.DataFrame, pd.Series[Any]]:
    """Return `table` with melanoma, malignant and diagnosis as `classes` imply them.

    The second result is the classes in plain spelling, as the user's map translates them.
    """
    given = translated(classes, name="diagnosis")
    words = plain(given, keep_other=True)
    if melanoma is not None:
        positive = _named(classes, melanoma, root=root)
        is_melanoma = classes.isin(positive).astype("boolean").mask(words.isna())
    else:
        unclear = unclear_answers(classes, given) | unclear_signs(classes, given)
        understood = is_understood(words) & ~unclear
        if (understood & words.notna()).any():
            refuse_words(classes[~understood], name="class", source=str(root), hint=_HINT)
        is_melanoma = _guessed(words).mask(unclear)
        positive = sorted(classes[is_melanoma.eq(True).fillna(False)].unique())
        if not positive:
            raise ColumnError(
                f"{root} has no class that we know as melanoma (classes: "
                f"{some(sorted(classes.dropna().unique()), at_most=8)}); say which ones "
                "are, for example --melanoma mel,mis."
            )
    found = DIAGNOSES.of(words)
    known = found.map(lambda meaning: meaning.malignant, na_action="ignore")
    malignant = known.fillna(MALIGNANT.of(words)).astype("boolean")
    names = found.map(lambda meaning: meaning.name, na_action="ignore").astype("string")
    own = classes.where(words.notna() & ~is_understood(words))
    labelled = table.assign(
        melanoma=is_melanoma,
        malignant=malignant.mask(is_melanoma.eq(True).fillna(False), True),
        diagnosis=names.fillna(own),
    )
    return labelled, words


def _named(
    classes: pd.Series[Any], melanoma: str | Iterable[str], *, root: Path
) -> list[str]:
    names = sorted(classes.dropna().unique())
    asked = melanoma.split(",") if isinstance(melanoma, str) else list(melanoma)
    asked = [name.strip() for name in asked]
    if strange := [name for name in asked if name not in names]:
        raise ColumnError(f"{root} has no class {some(strange)}. It has {some(names)}.")
    return asked


def _guessed(words: pd.Series[Any]) -> pd.Series[Any]:
    """Return for each class name whether it is melanoma; missing for an unknown word.

    A name that says malignant is melanoma, and one that means yes only without such a name.
    """
    label = LABEL_WORDS.of(words).astype("boolean")
    malignant = MALIGNANT.of(words).eq(True).fillna(False).astype(bool)
    yes = words.isin(YES_WORDS).fillna(False).astype(bool)
    return label.mask(yes, False) if malignant.any() else label


def _said(
    classes: pd.Series[Any], words: pd.Series[Any], is_melanoma: pd.Series[Any]
) -> list[str]:
    notes = [_guess(classes, is_melanoma)]
    malignant = MALIGNANT.of(words).eq(True).fillna(False).astype(bool)
    taken = malignant & is_melanoma.eq(True).fillna(False)
    if taken.any():
        notes.append(
            f"{_counts(classes[taken])} means malignant, and is taken to mean melanoma: a "
            "basal or squamous cell carcinoma among these images would count as one."
        )
    if count := int(classes.isna().sum()):
        notes.append(
            f"{counted(count, 'image')} {verb(count, 'lies', 'lie')} in no folder of a "
            "class: no label."
        )
    return notes


def _guess(classes: pd.Series[Any], is_melanoma: pd.Series[Any]) -> str:
    yes, no = is_melanoma.eq(True).fillna(False), is_melanoma.eq(False).fillna(False)
    rest = classes[~yes & ~no & classes.notna()]
    sentence = (
        f"The subfolders are the classes: {_counts(classes[yes])} taken as melanoma, "
        f"against {_counts(classes[no]) or 'nothing'}"
    )
    return f"{sentence}; {_counts(rest)} without a label." if len(rest) else f"{sentence}."


def _counts(classes: pd.Series[Any]) -> str:
    counts = classes.value_counts()
    return some([f"{name} ({count:,})" for name, count in counts.items()], at_most=8)
