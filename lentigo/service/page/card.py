"""Split a model card into blocks for the page: headings, paragraphs, lists, tables."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_CELLS = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Block:
    """One block of a model card."""

    kind: str
    """`h1`, `h2`, `p`, `list` or `table`."""
    text: str = ""
    items: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


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
