"""A model card for the page: in its language, as headings, paragraphs, lists, tables."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial

from lentigo.models.card_words import IN_ENGLISH, CardWords
from lentigo.models.operating_point import OperatingPoint
from lentigo.service.page.language import CARD, DEFAULT, aim_text, number_text, texts

_CELLS = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Block:
    """One block of a model card."""

    kind: str
    """`h1`, `h2`, `p`, `list` or `table`."""
    text: str = ""
    """Text of a heading or paragraph; `items` are those of a list, `rows` the cells of a
    table."""
    items: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


def card_words(language: str) -> CardWords:
    """Return the words of a model card in a language of the page."""
    if language == DEFAULT:
        return IN_ENGLISH
    known = texts(language)
    own = {key.removeprefix(CARD): known[key] for key in known if key.startswith(CARD)}
    number = partial(number_text, language=language)
    plain = CardWords(own, number)

    def absent(point: OperatingPoint) -> str:
        # What we wrote ourselves; a reason in other words stays as it is.
        if not point.absent.startswith(f"The {point.chosen_on} hold "):
            return point.absent
        return plain(
            "too_few",
            melanomas=plain.counted(point.n_melanomas, "melanoma"),
            groups=plain.counted(point.n_groups, "group"),
        )

    def diagnosis(name: str) -> str:
        return known.get(f"diagnosis_{name}", name)

    return CardWords(own, number, partial(aim_text, language=language), absent, diagnosis)


def blocks(card: str) -> list[Block]:
    """Return the blocks of a model card that `lentigo.models.card` wrote as Markdown."""
    found: list[Block] = []
    for part in card.split("\n\n"):
        lines = [line for line in part.strip().splitlines() if line]
        if not lines:
            continue
        if lines[0].startswith("|"):
            rows = [_cells(line) for line in lines if not set(line) <= set("|-: ")]
            found.append(Block("table", rows=rows))
        elif lines[0].startswith("- "):
            items = [line.removeprefix("- ") for line in lines]
            if found and found[-1].kind == "list":
                found[-1].items.extend(items)
            else:
                found.append(Block("list", items=items))
        elif lines[0].startswith("#"):
            marks, _, text = lines[0].partition(" ")
            found.append(Block(f"h{min(len(marks), 3)}", text))
        else:
            found.append(Block("p", " ".join(lines).strip("*")))
    return found


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|").removesuffix("|")
    return [cell.strip().replace("\\|", "|") for cell in _CELLS.split(inner)]
