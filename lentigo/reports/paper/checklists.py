"""Reporting checklists for authors, filled in as far as the answers are known."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

from lentigo.reports.paper.facts import Facts
from lentigo.reports.paper.wording import OPEN_PART
from lentigo.visible import visible

SOURCES = {
    "TRIPOD+AI": "Collins GS et al. BMJ 2024;385:e078378. doi:10.1136/bmj-2023-078378",
    "CLAIM 2024": "Tejani AS et al. Radiol Artif Intell 2024;6:e240300. "
    "doi:10.1148/ryai.240300",
    "STARD-AI": "Sounderajah V et al. Nat Med 2025;31:3283-3289. "
    "doi:10.1038/s41591-025-03953-8",
    "CLEAR Derm": "Daneshjou R et al. JAMA Dermatol 2022;158:90-96. "
    "doi:10.1001/jamadermatol.2021.4915; by its sections",
    "PROBAST+AI": "Moons KGM et al. BMJ 2025;388:e082505. doi:10.1136/bmj-2024-082505; by "
    "its parts, domains and signalling questions",
}
"""Publication of each checklist, whose own wording is authoritative."""

OPEN = "Open: for the author."

NOT_COMPARED = "\\*"
"""Marks an item that was not compared with the published list (an asterisk in Markdown)."""


@dataclass(frozen=True)
class Item:
    """One item of a checklist; `topic` is its subject in lentigo's own short words."""

    checklist: str
    """Name of the published checklist."""
    item: str
    """Number of the item in it."""
    topic: str
    answer: str
    """Key of the answer in `Facts.answer`; empty if only the author can know it."""
    rest: str
    """What the author has to add to the answer; empty if it answers the whole item."""
    compared: str
    """"yes" where number and subject agree with a full copy of the published list; empty
    where no such copy was at hand."""


def items() -> list[Item]:
    """Return the items of all checklists, in their order."""
    text = files(__package__).joinpath("checklists.csv").read_text(encoding="utf-8")
    return [Item(**row) for row in csv.DictReader(text.splitlines())]


def checklists(facts: Facts) -> str:
    """Return all checklists as Markdown, with the known answer to each item."""
    return "\n".join(_lines(facts)) + "\n"


def _lines(facts: Facts) -> Iterator[str]:
    yield "# Checklists"
    yield ""
    yield (
        "Filled in is what was computed or is on record here; what an answer leaves to the "
        f"author follows {OPEN_PART!r}. Topics are in our words and short; read the "
        "wording in the publication that is named. "
        f"Items with {NOT_COMPARED} could not be compared with a full copy of the "
        "published list when this software was written: check their numbers and subjects "
        "there."
    )
    known = items()
    for name, source in SOURCES.items():
        rows = [(each, _answer(each, facts)) for each in known if each.checklist == name]
        filled = sum(bool(answer) for _, answer in rows)
        in_part = sum(OPEN_PART in answer for _, answer in rows)
        yield ""
        yield f"## {name}"
        yield ""
        yield (
            f"{source}. {filled} of {len(rows)} rows are filled in, {in_part} of them in "
            "part."
        )
        yield ""
        yield "| item | topic | here |"
        yield "|---|---|---|"
        for each, answer in rows:
            mark = "" if each.compared else NOT_COMPARED
            yield f"| {each.item}{mark} | {each.topic} | {_cell(answer or OPEN)} |"


def _answer(item: Item, facts: Facts) -> str:
    found = facts.answer(item.answer)
    return f"{found} {OPEN_PART} {item.rest}." if found and item.rest else found


def _cell(text: str) -> str:
    return visible(text).replace("|", "\\|").replace("\n", " ")
