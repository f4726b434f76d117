"""Draw every figure of the cohort in a table of images into a folder and on a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.curation import check_features
from lentigo.datasets.any_table import Source, as_sources, read_any
from lentigo.errors import unknown_name
from lentigo.figures.cohort.drawn import FEATURES, Cohort, CohortFigure, NotDrawnError
from lentigo.figures.cohort.values import by_dataset
from lentigo.figures.lettering import sentence_on, stand_ins
from lentigo.figures.registry import drawing_of, shown_by
from lentigo.figures.save import save_figure
from lentigo.files import write_text
from lentigo.json_files import write_json
from lentigo.notice import NOTICE
from lentigo.output import new_folder
from lentigo.progress import track
from lentigo.reports.template import fill
from lentigo.tables import NotedTable


@dataclass(frozen=True)
class Kind:
    """A kind of figure: its file name, its heading, and the function that draws it."""

    name: str
    heading: str
    draw: Callable[[Cohort], CohortFigure] = field(repr=False)
    compares: bool = False
    """Whether it shows several data sets in one figure."""


KINDS = tuple(
    Kind(row.name, row.heading, drawing_of(row), compares=row.compares)
    for row in shown_by("explore")
)
"""Every figure, in the order of the page."""

_WORDS = ("dataset", "sex", "site", "diagnosis", "modality")


@dataclass(frozen=True)
class Picture:
    """One figure of an exploration, as `index.json` lists it."""

    name: str
    heading: str
    title: str
    sentence: str
    """How to read the figure, in a sentence."""
    files: tuple[str, ...]
    reason: str = ""
    """Why the figure was left out; empty where it was drawn."""


@dataclass(frozen=True)
class Exploration:
    """Result of an exploration: the figures, the notes, and their folder."""

    folder: Path
    pictures: tuple[Picture, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the content of `index.json`: notes, figures, figures left out."""
        return {
            "notice": NOTICE,
            "notes": list(self.notes),
            "figures": [asdict(picture) for picture in self.pictures if not picture.reason],
            "left_out": [
                {"name": picture.name, "reason": picture.reason}
                for picture in self.pictures
                if picture.reason
            ],
        }


def explore(
    tables: Source | Sequence[Source],
    out: Path | str,
    *,
    test: Source | None = None,
    features: Sequence[str] = FEATURES,
    sample: int = 200,
) -> Exploration:
    """Draw every figure of a cohort into the new folder `out`, and a page that shows them.

    Each of `tables` is a lesion table, any other CSV with one row per image, or the folder
    of an archive; several are drawn side by side. `test` is a table of images to be judged
    later. `features` are the columns that the decision tree may use. At most `sample` image
    files are opened to measure the skin tone. Each figure is an SVG, a PNG and a CSV of its
    data; a figure for which the tables lack the data is listed with the reason.

    Raises:
        RunError: `out` is not empty, or cannot be written.
        LeakError: one of `features` is the answer in other words, such as `diagnosis`.
        UnknownNameError: none of the tables has a column called as one of `features`.
        DatasetError: a table cannot be read.
    """
    check_features(features)
    with new_folder(Path(out)):
        return _explore(tables, Path(out), test, features, sample)


def _explore(
    tables: Source | Sequence[Source],
    folder: Path,
    test: Source | None,
    features: Sequence[str],
    sample: int,
) -> Exploration:
    sources = as_sources(tables)
    read = [_read(source) for source in [*sources, *([] if test is None else [test])]]
    notes = [note for each in read for note in each.notes]
    named = _told_apart([each.table for each in read[: len(sources)]])
    judged = None if test is None else read[-1].table
    table = pd.concat(named, ignore_index=True) if len(named) > 1 else named[0]
    _check_there(features, table)
    lost = stand_ins(_names([table] if judged is None else [table, judged]))
    if lost:
        notes.append(sentence_on(lost))
    given = Cohort(
        table.replace(dict.fromkeys(_WORDS, lost)) if lost else table,
        None if judged is None else judged.replace(dict.fromkeys(_WORDS, lost)),
        tuple(features),
        sample,
    )
    wanted = [task for kind in KINDS for task in _tasks(kind, given)]
    pictures = [
        _draw(kind, part, folder, {number: name for name, number in lost.items()})
        for kind, part in track(wanted, total=len(wanted), label="Drawing")
    ]
    found = Exploration(folder, tuple(pictures), tuple(dict.fromkeys(notes)))
    write_json(folder / "index.json", found.as_dict())
    write_text(folder / "index.html", render(found))
    return found


def render(found: Exploration) -> str:
    """The page as HTML."""
    from lentigo.version import __version__

    return fill(
        "explore.html.j2",
        version=__version__,
        notice=NOTICE,
        notes=found.notes,
        drawn=[picture for picture in found.pictures if not picture.reason],
        left_out=[picture for picture in found.pictures if picture.reason],
    )


def _read(source: Source) -> NotedTable:
    return read_any(source, own_words=True)


def _check_there(features: Sequence[str], table: pd.DataFrame) -> None:
    for name in features:
        if name not in table:
            known = [column for column in table if table[column].notna().any()]
            raise unknown_name("column", name, map(str, known))


def _told_apart(tables: list[pd.DataFrame]) -> list[pd.DataFrame]:
    """Return the tables; if there are several, each with a unique name in `dataset`."""
    if len(tables) == 1:
        return tables
    names: list[str] = []
    for number, table in enumerate(tables, start=1):
        own = [str(name) for name in table["dataset"].dropna().unique()]
        name = own[0] if len(own) == 1 else f"table {number}"
        names.append(name if name not in names else f"{name} ({number})")
    return [
        table.assign(dataset=pd.Series(name, index=table.index, dtype="string"))
        for table, name in zip(tables, names, strict=True)
    ]


def _names(tables: list[pd.DataFrame]) -> set[str]:
    return {
        str(name)
        for table in tables
        for column in _WORDS
        if column in table
        for name in table[column].dropna().unique()
    }


def _tasks(kind: Kind, given: Cohort) -> list[tuple[Kind, Cohort]]:
    """A figure that compares is drawn once, any other once for each data set."""
    sets = by_dataset(given.table)
    if kind.compares or len(sets) == 1:
        return [(kind, given)]
    return [
        (
            replace(
                kind,
                name=f"{kind.name}-{number}-{_slug(name)}".strip("-"),
                heading=f"{kind.heading}: {name}",
            ),
            replace(given, table=table.reset_index(drop=True)),
        )
        for number, (name, table) in enumerate(sets.items(), start=1)
    ]


def _slug(name: str) -> str:
    """Return `name` with only characters that file names may have on any system."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")


def _draw(kind: Kind, given: Cohort, folder: Path, names: dict[str, str]) -> Picture:
    empty = Picture(kind.name, kind.heading, "", "", ())
    try:
        drawn = kind.draw(given)
    except NotDrawnError as reason:
        return replace(empty, reason=str(reason))
    files = save_figure(drawn.figure, folder / kind.name, drawn.data.replace(names))
    return replace(
        empty,
        title=drawn.title,
        sentence=drawn.sentence,
        files=tuple(path.name for path in files),
    )
