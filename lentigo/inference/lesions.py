"""One prediction per lesion, from the predictions of its images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from lentigo.errors import ColumnError, DatasetError
from lentigo.inference.inputs import Source
from lentigo.models.backend import Logits
from lentigo.models.calibration import probability
from lentigo.progress import log
from lentigo.words import counted, some

MORE_THAN_IMAGES = (
    "Calibration and thresholds were chosen on single images. A mean over photographs is "
    "less scattered, so of lesions nothing is guaranteed; judge them with 'lentigo "
    "evaluate'."
)


def check_lesions(sources: Sequence[Source]) -> None:
    """Check, before anything is computed, that images can be averaged by lesion.

    Raises:
        ColumnError: no image has a lesion id.
        DatasetError: two data sets or two patients use the same lesion id.
    """
    named = [source for source in sources if source.lesion_id]
    if not named:
        raise ColumnError(
            "No image names its lesion, so there is nothing to average by. Give a table "
            "with a column lesion_id, or leave out --by lesion."
        )
    if twice := _shared((source.lesion_id, source.dataset) for source in named):
        raise DatasetError(
            f"Two data sets have a lesion called {some(twice)}. Make one table of them "
            "with 'lentigo combine', which tells their lesions apart."
        )
    of_patients = ((s.lesion_id, s.patient_id) for s in named if s.patient_id)
    if twice := _shared(of_patients):
        raise DatasetError(
            f"Two patients have a lesion called {some(twice)}. Give each lesion an id of "
            "its own in lesion_id, such as that of the patient before its number."
        )


def _shared(known: Iterable[tuple[str | None, str | None]]) -> list[str]:
    """Return the lesion ids, sorted, that come with more than one data set or patient."""
    names = pd.Series([name for name, _ in set(known)], dtype="object")
    return sorted(names[names.duplicated()].unique())


class LesionLogits(NamedTuple):
    """Mean logits over the images of each lesion, in the order of their first images."""

    places: dict[str, list[int]]
    """By lesion id, the positions of the lesion's images among the sources."""
    counting: list[list[int]]
    """For each lesion, the positions of the images that are in the mean."""
    logits: Logits
    """Rows as in `Answers.logits`, one column per lesion; NaN if the mean has no image."""


def lesion_logits(
    sources: Sequence[Source],
    logits: Logits,
    mean: Callable[[Logits], Logits],
    *,
    quiet: bool = False,
) -> LesionLogits:
    """Average each network's outputs over the images for which all networks have a logit.

    `logits` are `Answers.logits`, `mean` is `Model.mean`. Images without a lesion id are
    left out, with a warning unless `quiet`. Raises what `check_lesions` raises.
    """
    check_lesions(sources)
    places: dict[str, list[int]] = {}
    for place, source in enumerate(sources):
        if source.lesion_id:
            places.setdefault(source.lesion_id, []).append(place)
    if not quiet:
        _tell_of_others(sources)
    answered = np.asarray(np.isfinite(mean(logits)).all(axis=0))
    counting = [[place for place in each if answered[place]] for each in places.values()]
    averaged = np.full((len(logits), len(places)), np.nan)
    for column, own in enumerate(counting):
        if own:
            averaged[:, column] = logits[:, own].mean(axis=1)
    return LesionLogits(places, counting, averaged)


def lesion_table(
    sources: Sequence[Source],
    lesions: LesionLogits,
    reasons: Mapping[int, str],
    mean: Callable[[Logits], Logits],
) -> pd.DataFrame:
    """Return a prediction table with one row per lesion, in the order of first images.

    `reasons` has, by the position of an image, why it is left out or doubted. `mean` makes
    two rows, raw and calibrated mean logits, of the averaged logits of each network.
    """
    places, counting, averaged = lesions
    raw, calibrated = mean(averaged)
    table = pd.DataFrame(
        {
            "lesion_id": list(places),
            "group_id": [_group(sources, each) for each in places.values()],
            "n_images": [len(own) for own in counting],
            "probability": probability(calibrated),
            "logit": calibrated,
            "raw_logit": raw,
            "reason": [
                _reason(sources, reasons, each, own)
                for each, own in zip(places.values(), counting, strict=True)
            ],
        }
    )
    return table.drop(columns="group_id") if table["group_id"].isna().all() else table


def _tell_of_others(sources: Sequence[Source]) -> None:
    others = [source.image_id for source in sources if not source.lesion_id]
    if others:
        log.warning(
            "%s of no known lesion: no row among the lesions (%s).",
            counted(len(others), "image"),
            some(others),
        )


def _group(sources: Sequence[Source], places: Sequence[int]) -> str | None:
    """Return the group that the images at the positions `places` share; None if none."""
    groups = {sources[place].group_id for place in places}
    return groups.pop() if len(groups) == 1 else None


def _reason(
    sources: Sequence[Source],
    reasons: Mapping[int, str],
    places: Sequence[int],
    counting: Sequence[int],
) -> str:
    """Return text: which images are left out of the mean or doubted, and why.

    `places` are the positions of a lesion's images in `sources`, `counting` those of the
    images in the mean; `reasons` maps positions to reasons.
    """
    told = [
        f"{sources[place].image_id}{'' if place in counting else ' is left out'}: "
        f"{reasons.get(place, 'no answer')}"
        for place in places
        if place in reasons or place not in counting
    ]
    return "; ".join(told)
