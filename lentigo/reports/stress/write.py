"""Run a stress test and write predictions, scores, figures and a page into a folder."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.errors import DatasetError, DatasetNotFoundError, ImageError, RunError
from lentigo.figures.images import plot_images
from lentigo.figures.registry import drawing_of, shown_by
from lentigo.figures.save import save_figure
from lentigo.figures.scores import Drawing
from lentigo.figures.style import style
from lentigo.files import digest, write_csv, write_text
from lentigo.imaging.decoding.square import to_square
from lentigo.imaging.disturbances import DISTURBANCES
from lentigo.imaging.sandbox.reader import GuardedReader
from lentigo.inference.decide import AUTO
from lentigo.inference.inputs import Source, as_sources
from lentigo.inference.journal import engine_of
from lentigo.inference.journal import journal_of as journal_at
from lentigo.inference.places import model_folders
from lentigo.inference.predict import Model, load
from lentigo.inference.squares import squares
from lentigo.json_files import write_json
from lentigo.models.backend import Preparation
from lentigo.models.description import DESCRIPTION
from lentigo.models.engines import AUTO as AUTO_ENGINE
from lentigo.notice import NOTICE
from lentigo.output import check_new_folder, new_folder
from lentigo.progress import log
from lentigo.reports.images.each import Masks, outline_in
from lentigo.reports.template import fill
from lentigo.robustness.answers import LesionOf, found_lesion
from lentigo.robustness.conditions import ALL, shown_as
from lentigo.robustness.findings import AT
from lentigo.robustness.kept import Kept, check_same_test, is_finished, kept
from lentigo.robustness.result import PUBLISHED, Stress
from lentigo.robustness.run import Asked, stress
from lentigo.run_layout import FIGURES, STRESS, STRESS_ANSWERS, STRESS_SCORES
from lentigo.table_files.door import read_any_table
from lentigo.version import __version__

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of `lentigo stress`."""

    only: Sequence[str] = (ALL,)
    """Names of conditions or of groups of them; see `lentigo.robustness.conditions`."""
    operating_point: str = AUTO
    engine: str = AUTO_ENGINE
    device: str = "auto"
    views: int | None = None
    batch_size: int = 32
    seed: int = 0
    mask: Path | None = None
    """Folder of masks of the lesions, named as for `lentigo outline`."""
    reference: Path | None = None
    """Folder of the stress test of a reference network on the same images, by which the
    corruption error is divided."""
    resume: bool = False


def write_stress(
    model: Path, table: pd.DataFrame, out: Path, options: Options | None = None
) -> Stress:
    """Stress-test `model` on the images of `table`, and write the result into `out`.

    Writes answers.csv (one row per image, one column per condition), scores.csv (one row
    per condition), stress.json, figures/ and index.html. Each batch of predictions is
    saved, so that a stopped test can go on with `resume`, to the same results. Arguments
    and errors are those of `lentigo.robustness.run.stress` and
    `lentigo.inference.predict.load`.

    Raises `RunError` if `out` is not empty, or holds a test that is finished or was made of
    other images or options.
    """
    asked = options or Options()
    answers = Path(out) / STRESS_ANSWERS
    if asked.resume and is_done(model, table, out, asked):
        raise RunError(f"{out} is finished already; read its {STRESS}.")
    besides = (journal_at(answers).name,)
    check_new_folder(out, besides=besides)
    reference = _reference(asked.reference)
    engine = engine_of(answers) if asked.resume and asked.engine == AUTO_ENGINE else ""
    loaded = load(
        model, engine=engine or asked.engine, views=asked.views,
        images=100 * len(table), device=asked.device,
    )  # fmt: skip
    loaded.say_without_context()
    how = Asked(
        only=asked.only, operating_point=asked.operating_point,
        batch_size=asked.batch_size, device=asked.device, seed=asked.seed,
        reference=reference,
    )  # fmt: skip
    with new_folder(out, besides=besides), ExitStack() as stack:
        lesion_of, masks = _lesions(asked.mask, table, stack)
        place = Kept(answers=answers, views=asked.views, masks=masks, resume=asked.resume)
        with kept(loaded, how, place) as journal_of:
            found = stress(loaded, table, how, lesion_of=lesion_of, journal_of=journal_of)
            made = _made(model, table, asked)
            write_json(out / STRESS, {**found.as_dict(), "made": made})
            example = _example(found, loaded, table, out, lesion_of)
            _write(found, model, out, example)
    return found


def is_done(
    model: Path, table: pd.DataFrame, out: Path, options: Options | None = None
) -> bool:
    """Tell whether `out` holds this stress test, finished; see `write_stress`.

    Raises `RunError` if it holds a finished test of another model, table or options.
    """
    if not is_finished(out):
        return False
    check_same_test(out, _made(model, table, options or Options()))
    return True


def _made(model: Path, table: pd.DataFrame, asked: Options) -> dict[str, object]:
    """Return what identifies a stress test: by name, for messages, its model, table …"""
    columns = table["image_id"].astype(str), table["melanoma"].astype(str)
    rows = sorted(zip(*columns, strict=True))
    return {
        "model": [digest(place / DESCRIPTION) for place in model_folders([model])],
        "table": sha256(repr(rows).encode()).hexdigest(),
        "choice of disturbances": sorted(asked.only),
        "operating point": asked.operating_point,
        "number of views": asked.views,
        "seed": asked.seed,
        "use of masks": asked.mask is not None,
        "use of a reference": asked.reference is not None,
    }


def _reference(folder: Path | None) -> pd.DataFrame | None:
    if folder is None:
        return None
    path = folder / STRESS_SCORES
    if not path.is_file():
        raise DatasetNotFoundError(
            f"{folder} holds no {STRESS_SCORES}: it is no stress test. Make one of the "
            "reference network with 'lentigo stress'."
        )
    found = read_any_table(path)
    needed = {"condition", "strength", "images", "balanced_error"}
    if missing := sorted(needed - set(found)):
        raise DatasetError(f"{path} has no column {missing[0]}; it is no stress test.")
    return found


def _lesions(
    mask: Path | None, table: pd.DataFrame, stack: ExitStack
) -> tuple[LesionOf, str]:
    """Return a function that gives the mask of a lesion, and text to identify the masks.

    Without `mask`, or for an image without a mask file, the lesion is segmented. A mask
    that cannot be read, or is that of another image, gives a warning and no lesion; so does
    an image that cannot be read any more.
    """
    if mask is None:
        return found_lesion, ""
    sources = as_sources(table[table["path"].notna()])
    masks = Masks(mask, sources)
    reader = stack.enter_context(GuardedReader())
    files = [path for each in sources if (path := masks.of(each))]
    facts = " ".join(f"{path} {path.stat().st_mtime_ns}" for path in files)

    def given(source: Source, square: Pixels, way: Preparation) -> NDArray[np.bool_] | None:
        path = masks.of(source)
        if path is None or source.path is None:
            return found_lesion(source, square, way)
        try:
            # Of the image as it is: squares have the proportions of any mask.
            image = reader.read_image(source.path)
        except ImageError as error:
            log.warning("An image cannot be read again to fit its mask: %s", error)
            return None
        try:
            outline = outline_in(path, image, reader)
        except ImageError as error:
            log.warning("A mask is not used: %s", error)
            return None
        plane = np.repeat(outline.mask[..., None], 3, axis=2).astype(np.uint8) * 255
        lesion = to_square(plane, size=way.size, fit=way.fit).max(axis=2) > 127
        return lesion if lesion.any() else None

    return given, facts


def _write(found: Stress, place: Path, out: Path, example: str) -> None:
    write_csv(found.answers, out / STRESS_ANSWERS)
    write_csv(found.scores, out / STRESS_SCORES)
    (row,) = shown_by("stress")
    with style():
        drawings: list[Drawing] = drawing_of(row)(found)
    for drawing in drawings:
        drawing.save(out / FIGURES)
    page = fill(
        "stress.html.j2", notice=NOTICE, version=__version__, found=found,
        model=str(place), drawings=drawings, figures=FIGURES, example=example,
        rows=_rows(found), at=AT, published=PUBLISHED,
    )  # fmt: skip
    write_text(out / "index.html", page)


def _example(
    found: Stress, model: Model, table: pd.DataFrame, out: Path, lesion_of: LesionOf
) -> str:
    """Draw the first melanoma under each condition at medium strength; return the path.

    The path is relative to `out`; it is empty if the image cannot be read any more.
    """
    first = str(found.answers["image_id"].iloc[int(found.answers["melanoma"].argmax())])
    sources = as_sources(table[table["image_id"] == first])
    way = max((each.preparation for each in model.members), key=lambda each: each.size)
    with closing(squares(sources, [way], batch_size=1)) as batches:
        images = next(batches).squares[way]
    if not images:  # it was there when it was answered for
        return ""
    square = images[0]
    lesion = lesion_of(sources[0], square, way)
    shown = [square]
    names = ["as it is"]
    for condition in found.judged:
        if condition.name in DISTURBANCES and condition.strength != AT:
            continue
        changed = shown_as(square, condition, lesion, seed=0)
        if changed is not None:
            shown.append(changed)
            names.append(condition.title)
    with style():
        figure = plot_images(shown, names, per_row=8)
    save_figure(figure, out / FIGURES / "example")
    return f"{FIGURES}/example.png"


def _rows(found: Stress) -> list[dict[str, str]]:
    """Return rows of the page's table: disturbances at medium strength, and the rest."""
    rows = []
    for condition, judged in found.judged.items():
        if condition.name in DISTURBANCES and condition.strength != AT:
            continue
        rows.append(
            {
                "name": condition.title,
                "auc": judged.auc.in_words,
                "change": judged.auc_change.in_words,
                "flipped": judged.flipped.in_words,
                "shift": judged.shift.in_words,
                "error": judged.balanced_error.in_words,
            }
        )
    return rows
