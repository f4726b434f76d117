"""The page of an audit: findings first, then their tables and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from lentigo.audit.checks.finding import Finding
from lentigo.audit.result import Audit
from lentigo.curation.summary import summary
from lentigo.imaging.store.build import PixelStore
from lentigo.notice import NOTICE
from lentigo.reports.audit.sections import sections_of, ties_to_read
from lentigo.reports.audit.sheets import Section, Sheet, sheet_of
from lentigo.reports.run.examples import thumbnail
from lentigo.reports.template import fill
from lentigo.words import counted

MOST_PAIRS = 60
"""Most pairs of duplicates on the page, some 10 kB each; duplicates.csv has all pairs."""
MOST_OFFENDERS = 12
"""Most rows of a finding that the page shows; `findings/` has all rows."""
SHOWN = 6
"""Most pictures of one artefact or quality flaw."""

_WORDS = {"refusal": "Refused", "allowed": "Refused, but allowed", "warning": "Warning",
          "note": "Note"}  # fmt: skip
_STYLES = {"refusal": "refusal", "warning": "warning-found"}


@dataclass(frozen=True)
class Shown:
    """One image and its caption; `source` is its `data:` address, empty without pixels."""

    image_id: str
    source: str
    facts: str


@dataclass(frozen=True)
class Twin:
    """Two images with the same content; `crossing` if they are in different split parts."""

    title: str
    crossing: bool
    a: Shown
    b: Shown


@dataclass(frozen=True)
class Gallery:
    """Images with the same artefact or flaw."""

    title: str
    summary: str
    pictures: list[Shown]


@dataclass(frozen=True)
class Pictures:
    """Source of the pixels and the facts of an image, by its id.

    `rows` maps an image id to its row in `table`; without a `store` no image has pixels.
    """

    table: pd.DataFrame
    store: PixelStore | None
    rows: Mapping[str, int] = field(default_factory=dict)

    def show(self, image_id: str, *, fact: str = "") -> Shown:
        """Return the image `image_id` as a thumbnail with a caption.

        The caption is `fact`, the part that the image is in (`side`), and its diagnosis.
        """
        row = self.table.iloc[self.rows[image_id]]
        facts = [fact, *(str(row[name]) for name in ("side",) if pd.notna(row[name]))]
        facts += [_label(row)]
        return Shown(image_id, self._source(image_id), ", ".join(filter(None, facts)))

    def with_pixels(self) -> set[str]:
        """Return the ids of the images that were decoded; none without a store."""
        if self.store is None:
            return set()
        index = self.store.index
        return set(index.loc[index["error"].isna(), "image_id"])

    def _source(self, image_id: str) -> str:
        if self.store is None:
            return ""
        position = int(self.store.positions([image_id])[0])
        if pd.notna(self.store.index["error"].iloc[position]):
            return ""
        return thumbnail(np.asarray(self.store.images[position]))


def pictures_of(table: pd.DataFrame, store: PixelStore | None) -> Pictures:
    """Return `Pictures` of a table whose images lie in `store`."""
    rows = {str(name): number for number, name in enumerate(table["image_id"])}
    return Pictures(table.reset_index(drop=True), store, rows)


def render(audit: Audit, store: PixelStore | None) -> str:
    """Return the page as self-contained HTML, with the notice on its intended use."""
    from lentigo.version import __version__

    pictures = pictures_of(audit.table, store)
    sets = [str(name) for name in audit.table["table"].unique()]
    return fill(
        "audit.html.j2",
        version=__version__,
        notice=NOTICE,
        title=f"Audit of {counted(len(audit.table), 'image')}",
        subtitle=f"{', '.join(sets)} · lentigo {__version__}",
        verdict=_verdict(audit),
        facts=list(_facts(audit).items()),
        findings=_findings(audit),
        twins=_twins(audit, pictures),
        sections=_sections(audit, pictures),
        not_checked=audit.not_checked,
        notes=audit.notes,
        zip=zip,
    )


def _verdict(audit: Audit) -> str:
    if refused := audit.refusals:
        names = ", ".join(dict.fromkeys(each.check for each in refused))
        return (
            f"Refused: {counted(len(refused), 'finding')} would make a score from these "
            f"images wrong ({names})."
        )
    allowed = audit.of_gravity("allowed")
    but = f", but for {len(allowed)} that was allowed by name" if allowed else ""
    warned = counted(len(audit.of_gravity("warning")), "warning")
    return f"Nothing was found that makes a score from these images wrong{but}; {warned}."


def _facts(audit: Audit) -> dict[str, str]:
    counts = summary(audit.table)
    groups = {"groups": int(audit.table["group_id"].nunique())}
    known = {"images": counts.pop("images"), **groups, **counts}
    return {
        # Nobody is named: that is no count of nobody.
        name: "unknown" if name in {"patients", "lesions"} and not count else f"{count:,}"
        for name, count in known.items()
    }


def _findings(audit: Audit) -> list[dict[str, Any]]:
    files = {id(each): name for name, each in audit.lists().items()}
    return [
        {
            "word": _WORDS[gravity],
            "style": _STYLES.get(gravity, ""),
            "check": found.check,
            "message": found.message,
            "sheet": _offenders(found, file=files.get(id(found), "")),
        }
        for gravity in _WORDS
        for found in audit.of_gravity(gravity)
    ]


def _offenders(found: Finding, *, file: str) -> Sheet | None:
    if found.rows.empty:
        return None
    count, shown = len(found.rows), min(len(found.rows), MOST_OFFENDERS)
    first = f"the first {shown} of {count:,}; all are in findings/{file}"
    which = first if shown < count else f"all {count:,}"
    what = counted(count, "row") if count == 1 else f"The rows, {which}"
    rows = found.rows.head(MOST_OFFENDERS)
    return sheet_of(
        ties_to_read(rows) if found.check == "artefact-tie" else rows, title=what
    )


def _twins(audit: Audit, pictures: Pictures) -> dict[str, Any]:
    pairs = audit.duplicates
    if pairs.empty:
        return {"total": 0}
    counts = pairs.groupby(["kind", "where"]).size().rename("pairs").reset_index()
    show = "shows" if len(pairs) == 1 else "show"
    shown, which = _pairs_to_show(pairs, pictures)
    return {
        "total": len(pairs),
        "sentence": f"{counted(len(pairs), 'pair')} of rows {show} the same picture. Both "
        "rows of a pair share a group, so that no split made from these groups can part "
        "them.",
        "sheet": sheet_of(counts, title="Pairs by kind", caption=KINDS_EXPLAINED),
        "shown": f"{len(shown):,} of {len(pairs):,}, {which}",
        "pairs": [_twin(pair, pictures) for pair in shown.to_dict("records")],
    }


def _pairs_to_show(pairs: pd.DataFrame, pictures: Pictures) -> tuple[pd.DataFrame, str]:
    """Return the pairs to show, the gravest first, and words that say which they are."""
    there = pictures.with_pixels()
    seen = pairs[pairs["a"].isin(there) | pairs["b"].isin(there)]
    # A published pair may name an image that the table does not hold.
    seen = seen[seen["a"].isin(pictures.rows) & seen["b"].isin(pictures.rows)]
    first = seen.assign(near=seen["where"] != "across the split").sort_values(
        ["near", "similarity"], kind="stable"
    )
    if len(seen) > MOST_PAIRS:
        which = "those across the split first, then the least alike"
    else:
        which = "all of them" if len(seen) == len(pairs) else "those with pixels"
    return first.head(MOST_PAIRS), which


KINDS_EXPLAINED = (
    "Identical files share every byte, identical pixels every pixel. Near-duplicates agree "
    "in their fine structure after turning, flipping, scaling and shifting. Rows with the "
    "same image id are one image of one archive. Published pairs are named by the archive."
)


def _twin(pair: Mapping[Any, Any], pictures: Pictures) -> Twin:
    alike = pair["similarity"]
    measured = f", similarity {alike:.2f}" if pd.notna(alike) and alike < 1 else ""
    return Twin(
        title=f"{pair['kind']}{measured}, {pair['where']}",
        crossing=pair["where"] == "across the split",
        a=pictures.show(str(pair["a"])),
        b=pictures.show(str(pair["b"])),
    )


def _sections(audit: Audit, pictures: Pictures) -> list[Section]:
    found = sections_of(audit)
    return [_with_pictures(each, audit, pictures) for each in found]


def _with_pictures(section: Section, audit: Audit, pictures: Pictures) -> Section:
    if pictures.store is None or not section.shows:
        return section
    measures = audit.tables["measures"]
    galleries = []
    for title, column, worst in section.shows:
        chosen = worst(measures[column])
        if chosen.empty:
            continue
        ids = audit.table["image_id"].iloc[chosen.index[:SHOWN]]
        shown = [
            pictures.show(str(name), fact=f"{value:.2f}")
            for name, value in zip(ids, chosen.iloc[:SHOWN], strict=True)
        ]
        galleries.append(Gallery(title, f"{counted(len(chosen), 'image')}", shown))
    return section.with_galleries(galleries)


def _label(row: pd.Series[Any]) -> str:
    if pd.notna(row["diagnosis"]):
        return str(row["diagnosis"])
    if pd.isna(row["melanoma"]):
        return "no label"
    return "melanoma" if row["melanoma"] else "not melanoma"
