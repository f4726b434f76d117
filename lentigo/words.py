"""Words of a sentence that depend on numbers or lists: "1 image", "a, b, c and 7 more"."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from lentigo.visible import named


def counted(number: int, noun: str, many: str = "") -> str:
    """Return a number with its noun: "1 image", "8,013 images".

    `many` is the plural if it is not the noun with an s.
    """
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def count(value: float) -> str:
    """Return a whole number with thousands separators."""
    return f"{int(value):,}"


def none_of(number: int, noun: str) -> str:
    """Return the start of a sentence: "None of the 3 rows" or "Not even the only row"."""
    return (
        f"Not even the only {noun}"
        if number == 1
        else f"None of the {counted(number, noun)}"
    )


def verb(number: int, one: str, many: str) -> str:
    """Return the form of a verb for `number`: "1 image stands", "2 images stand"."""
    return one if number == 1 else many


def some(names: Sequence[object], *, at_most: int = 3) -> str:
    """Return the first of `names` and how many more there are: "a, b, c and 7 more".

    At most `at_most` are shown. Long names are shortened, and invisible characters become
    escapes.
    """
    shown = ", ".join(named(name) for name in names[:at_most])
    rest = len(names) - at_most
    return f"{shown} and {rest:,} more" if rest > 0 else shown


def listed(names: Sequence[str], *, word: str = "and") -> str:
    """Return names in a row, as in "age, sex and site", with `word` before the last."""
    *first, last = names
    return f"{', '.join(first)} {word} {last}" if first else last


def aligned(rows: Sequence[Sequence[str]], *, right: Collection[int] = ()) -> list[str]:
    """Return the lines of a table for a terminal, one per row.

    The columns whose numbers, from 0, are in `right` are aligned to the right.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def names_in(given: Iterable[str]) -> list[str]:
    """Return the names in values of an option, each of which may hold several with commas.

    Spaces around a name do not count, and "-" stands for "_".
    """
    parts = ",".join(given).split(",")
    return [each.strip().replace("-", "_") for each in parts if each.strip()]
