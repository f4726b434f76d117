"""Write each patient's lesions by oddness: a table, and one figure per patient."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import pandas as pd

from lentigo.figures.images import plot_images
from lentigo.figures.save import draw_into
from lentigo.figures.style import FAINT, INK, MELANOMA, headed, style
from lentigo.files import write_csv, written_beside
from lentigo.imaging.decoding.square import to_square
from lentigo.inference.duckling import Ducklings, ducklings
from lentigo.inference.inputs import as_sources
from lentigo.inference.predict import load
from lentigo.notice import RESEARCH_ONLY
from lentigo.output import check_new_folder, new_folder
from lentigo.reports.images.each import Masks, read_each
from lentigo.run_layout import DUCKLINGS
from lentigo.visible import named
from lentigo.words import counted

CAUTION = (
    "The odd one is what differs most by the features of a network from the lesions of the "
    "same patient that were photographed. It may be harmless, and a melanoma may look like "
    "the others."
)
MOST_FIGURES, MOST_LESIONS = 100, 24
"""Most figures (patients with the oddest lesions first), and most lesions in a figure."""
_SIDE = 256


def write_ducklings(
    model: Path,
    table: pd.DataFrame,
    out: Path,
    *,
    engine: str = "auto",
    device: str = "auto",
    figures: int = MOST_FIGURES,
) -> Ducklings:
    """Write duckling.csv and a figure per patient into the new folder `out`.

    Arguments and errors are those of `lentigo.inference.duckling.ducklings` and
    `lentigo.inference.predict.load`. At most `figures` patients get a figure, those with
    the oddest lesions; it is called 001-PATIENT.png and so on. Raises `RunError` if `out`
    is not empty.
    """
    check_new_folder(out)
    loaded = load(model, engine=engine, device=device)
    with new_folder(out):
        found = ducklings(loaded, table, device=device)
        write_csv(found.table, out / DUCKLINGS)
        first = found.table[found.table["rank"].eq(1).fillna(value=False)]
        for number, row in enumerate(
            first.sort_values("oddness", ascending=False).head(figures).itertuples(), 1
        ):
            _draw(found.table, table, int(row[0]), out, number)
    return found


def _draw(
    found: pd.DataFrame, table: pd.DataFrame, start: int, out: Path, number: int
) -> None:
    """Draw the lesions of one patient: row `start` of `found` is the oddest, then the rest.

    `table` has the images' files; `number` begins the file name.
    """
    count = int(found["rank"].iloc[start:].ne(1).fillna(value=True)[1:].cumprod().sum())
    rows = found.iloc[start : start + 1 + count]
    rows = rows[rows["oddness"].notna()].head(MOST_LESIONS)
    by_name = table.drop_duplicates("image_id").set_index("image_id", drop=False)
    sources = as_sources(by_name.loc[list(rows["image_id"])].reset_index(drop=True))
    masks = Masks(None, sources)
    images, captions, colors = [], [], []
    with closing(read_each(sources, masks, label="Drawing", outlined=False)) as read:  # type: ignore[type-var]
        for each, (_, row) in zip(read, rows.iterrows(), strict=True):
            if each.image is None:
                continue
            images.append(to_square(each.image, size=_SIDE, fit="pad"))
            name = row["lesion_id"] if pd.notna(row["lesion_id"]) else row["image_id"]
            doubt = f"\n{row['reason']}" if row["reason"] else ""
            captions.append(f"{named(str(name))}\noddness {row['oddness']:.2f}{doubt}")
            colors.append(MELANOMA if row["rank"] == 1 else FAINT)
    if not images:
        return
    patient = str(rows["patient_id"].iloc[0])
    with style():
        figure = plot_images(images, captions, per_row=6, colors=colors)
        headed(
            figure,
            f"Patient {named(patient)}: {counted(len(rows), 'lesion')}, odd one framed red",
        )
        figure.supxlabel(RESEARCH_ONLY, x=0.01, ha="left", color=INK, fontsize=6.5)
        stem = re.sub(r"[^\w.-]+", "_", patient)[:80]
        path = out / f"{number:03d}-{stem}.png"
        with written_beside(path) as temporary:
            draw_into(temporary, figure)
