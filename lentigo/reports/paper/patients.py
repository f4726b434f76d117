"""Age, sex, site and skin type of the judged images, as far as they were judged by them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lentigo.evaluation.subgroup_names import UNKNOWN
from lentigo.visible import visible
from lentigo.words import counted, listed

_DESCRIBE = {"age": "age", "sex": "sex", "site": "site", "skin_type": "skin type"}
_MAY_LACK = {**_DESCRIBE, "diagnosis": "diagnosis"}


def characteristics_of(evaluation: Mapping[str, Any]) -> str:
    """Return the numbers of images by age, sex, site and skin type, in a sentence.

    Empty if the images were judged by none of them.
    """
    each = [
        f"{said}: {', '.join(f'{visible(name)} ({images:,})' for name, images in rows)}"
        for said, rows in _columns(evaluation, _DESCRIBE)
    ]
    return f"Judged images by {'; by '.join(each)}." if each else ""


def not_known_of(evaluation: Mapping[str, Any]) -> str:
    """Return of how many images age, sex, site, skin type and diagnosis are not known.

    The result is a sentence; it is empty if the images were judged by none of them.
    """
    columns = list(_columns(evaluation, _MAY_LACK))
    if not columns:
        return ""
    lacking = [
        f"{said} of {images:,}"
        for said, rows in columns
        for name, images in rows
        if name == UNKNOWN
    ]
    if not lacking:
        return f"Known of each image: {listed([said for said, _ in columns])}."
    of = counted(int(evaluation["n_images"]), "image")
    return f"Not known of {of}: {listed(lacking)}."


def _columns(
    evaluation: Mapping[str, Any], names: Mapping[str, str]
) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """Yield a column in words, with the name and the images of each of its subgroups."""
    found: Mapping[str, Any] = evaluation.get("subgroups") or {}
    for name, said in names.items():
        rows: Sequence[Mapping[str, Any]] = (found.get(name) or {}).get("groups", [])
        if rows:
            yield said, [(str(row["name"]), int(row["n_images"])) for row in rows]
