"""Write explanations of images: heat maps, a table of their faithfulness, one page."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.answer_columns import ABSTAIN
from lentigo.explanation.faithfulness import ALIKE
from lentigo.explanation.overlay import in_colors, overlay
from lentigo.explanation.registry import METHODS
from lentigo.explanation.run import ALL, Explained, Explainer, load_explainer
from lentigo.explanation.shares import THINGS
from lentigo.files import write_csv, write_text, written_beside
from lentigo.inference.inputs import find_sources, patients_of
from lentigo.notice import NOTICE
from lentigo.output import check_new_folder, check_not_input, new_folder
from lentigo.reports.images.each import Masks, Read, read_each
from lentigo.reports.images.outlines import write_png
from lentigo.reports.template import fill
from lentigo.run_layout import EXPLANATIONS
from lentigo.version import __version__

Pixels = NDArray[np.uint8]

COLUMNS = (
    "image_id", "path", "method", "probability", "abstain", "metadata", "says_nothing",
    "likeness", "deletion", "insertion", "lesion", "lesion_area", *THINGS[1:], "overlay",
    "map", "values", "doubt", "reason",
)  # fmt: skip
"""Columns of the table: see `docs/how-to/explain.md`."""


@dataclass(frozen=True)
class Explanations:
    """The table and folder that `write_explanations` wrote."""

    table: pd.DataFrame
    """One row an image and method, with `COLUMNS`."""
    folder: Path
    methods: tuple[str, ...]

    @property
    def failed(self) -> pd.DataFrame:
        """The rows of images that could not be read, and so have no map."""
        return self.table[self.table["method"].isna()]

    @property
    def refused(self) -> pd.DataFrame:
        """One row for each image of which the answer is missing or doubted, with maps."""
        shown = self.table[self.table["method"].notna() & self.table["reason"].ne("")]
        return shown.drop_duplicates("image_id")


def write_explanations(
    model: Path,
    inputs: Sequence[str | Path],
    out: Path,
    *,
    methods: Sequence[str] = (ALL,),
    engine: str = "auto",
    mask: Path | None = None,
) -> Explanations:
    """Write heat maps of what `model` used in each image into the new folder `out`.

    For each image and method: STEM.METHOD.png (the map over the square that the network
    gets), STEM.METHOD.map.png (the map alone), STEM.METHOD.npy (its values, 0 to 1) and a
    row of explanations.csv. index.html shows them all. `inputs` and `mask` are as for
    `write_outlines`, `methods` and `engine` as for `load_explainer`. The probability, and
    what is said of it, is that of `Model.predict_sources` for these inputs; the maps are of
    one look at the image, with the same age, sex and site.

    Raises what these two functions raise.
    """
    check_new_folder(out)
    check_not_input(out, inputs)
    sources = find_sources(inputs)
    masks = Masks(mask, sources)
    explainer = load_explainer(model, methods=methods, engine=engine)
    with (
        new_folder(out),
        closing(read_each(sources, masks, label="Explaining images")) as images,  # type: ignore[type-var]
    ):
        answers = explainer.model.predict_sources(sources, device="cpu")
        rows = [
            row
            for each, answer in zip(images, answers.to_dict("records"), strict=True)
            for row in _rows(each, answer, explainer, out)
        ]
        table = pd.DataFrame(rows, columns=COLUMNS)
        write_csv(table, out / EXPLANATIONS)
        write_text(out / "index.html", _page(table, explainer, model))
    return Explanations(table, out, explainer.methods)


def _rows(
    read: Read, answer: Mapping[Hashable, Any], explainer: Explainer, out: Path
) -> list[dict[str, object]]:
    """Return the rows of one image; `answer` is its row in the prediction table."""
    named: dict[str, object] = {
        "image_id": read.source.image_id,
        "path": read.path,
        "reason": read.reason or answer["reason"],
        "doubt": "",
    }
    if read.image is None or read.outline is None:
        return [named]
    square = explainer.square(read.image)
    lesion = explainer.inside(read.outline)
    patient = patients_of([read.source])
    said = {
        "probability": round(float(answer["probability"]), 4),
        ABSTAIN: answer.get(ABSTAIN, ""),
        "metadata": answer.get("metadata", ""),
        "doubt": " ".join(read.outline.doubts),
    }
    return [
        {**named, **said, **_written(each, square, lesion, out / read.stem)}
        for each in explainer.explain(read.image, read.outline, patient=patient)
    ]


def _written(
    found: Explained, square: Pixels, lesion: NDArray[np.bool_], stem: Path
) -> dict[str, object]:
    names = {
        "overlay": f"{stem.name}.{found.method}.png",
        "map": f"{stem.name}.{found.method}.map.png",
        "values": f"{stem.name}.{found.method}.npy",
    }
    write_png(overlay(square, found.heat, lesion), stem.with_name(names["overlay"]))
    write_png(in_colors(found.heat), stem.with_name(names["map"]))
    with (
        written_beside(stem.with_name(names["values"])) as temporary,
        temporary.open("wb") as file,
    ):
        np.save(file, found.heat)
    numbers = {
        name: round(float(getattr(found, name)), 4)
        for name in ("likeness", "deletion", "insertion", "lesion_area", *THINGS)
    }
    return {"method": found.method, "says_nothing": found.fails, **numbers, **names}


def _page(table: pd.DataFrame, explainer: Explainer, model: Path) -> str:
    images = [
        {"name": str(name), "reason": str(part["reason"].iloc[0]),
         "probability": _number(part["probability"].iloc[0]),
         "metadata": part["metadata"].iloc[0], "doubt": str(part["doubt"].iloc[0]),
         "maps": [_shown(row) for row in part[part["method"].notna()].to_dict("records")]}
        for name, part in table.groupby("image_id", sort=False)
    ]  # fmt: skip
    return fill(
        "explanations.html.j2",
        notice=NOTICE,
        version=__version__,
        model=str(model),
        engine=explainer.model.engine,
        takes_metadata=explainer.model.takes_metadata,
        takes_context=explainer.model.takes_context,
        methods=[METHODS[name] for name in explainer.methods],
        images=images,
        alike=ALIKE,
    )


def _shown(row: Mapping[Hashable, Any]) -> dict[str, object]:
    numbers = ("likeness", "deletion", "insertion", "lesion", "lesion_area", *THINGS[1:])
    untold = math.isnan(float(str(row["likeness"])))
    return {
        "method": row["method"],
        "file": row["overlay"],
        "says_nothing": bool(row["says_nothing"]),
        "unchecked": untold and not row["says_nothing"],
        # Only of a map that is the same everywhere it is known without a likeness.
        "even": untold and row["says_nothing"],
        **{name: _number(row[name]) for name in numbers},
    }


def _number(value: object) -> str:
    known = float(str(value))
    return "not known" if math.isnan(known) else f"{known:.2f}"
