"""A simple comparison model, judged on the same images as the model in question."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from lentigo.evaluation.clustered import clustered_difference
from lentigo.evaluation.discrimination import FloatArray
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.measuring import sides
from lentigo.evaluation.ranking import auc_interval
from lentigo.evaluation.roughness import DIFFERENCES_ROUGH_BELOW, marked
from lentigo.evaluation.sums import Sample
from lentigo.evaluation.telling import tells, told, too_few_to_tell
from lentigo.words import aligned, some

_NONE = Interval(math.nan)


@dataclass(frozen=True, kw_only=True)
class Beside:
    """The AUC of a simple model, and by how much the judged model's AUC is higher."""

    name: str
    features: tuple[str, ...]
    """The properties of an image that the simple model uses, such as `age`."""
    auc: Interval = _NONE
    gain: Interval = _NONE
    """AUC of the judged model minus `auc`, with a paired interval."""
    too_few: str = ""
    """A sentence that there are too few groups to tell a difference, where that is so;
    `gain` has no bounds then."""
    absent: str = ""
    """A sentence why the simple model could not be judged; empty where it could."""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name as plain values, for JSON."""
        return {
            "name": self.name,
            "features": list(self.features),
            "auc": self.auc.as_dict(),
            "gain": self.gain.as_dict(),
            "too_few": self.too_few,
            "absent": self.absent,
        }


def judge_beside(
    sample: Sample, cheap: FloatArray, *, name: str, features: tuple[str, ...]
) -> Beside:
    """Judge the probabilities `cheap`, (N,), of a simple model on the images of `sample`.

    The difference between the AUC of the model of `sample` and that of the simple model has
    Obuchowski's paired interval, with images clustered by group; with too few groups
    (`telling`) it has none, and `too_few` says so.
    """
    with_melanoma, without = sides(sample)
    auc = auc_interval(sample.truth, cheap, sample.group)
    gain = clustered_difference(sample.truth, sample.score, cheap, sample.group)
    own = marked({"auc": auc}, with_melanoma=with_melanoma, without=without)
    less = marked(
        {"auc": gain},
        with_melanoma=with_melanoma,
        without=without,
        rough_below=DIFFERENCES_ROUGH_BELOW,
    )
    enough = tells(sample.truth, sample.group)
    return Beside(
        name=name,
        features=features,
        auc=own["auc"],
        gain=told(less["auc"], enough=enough),
        too_few="" if enough else too_few_to_tell(_WHAT),
    )


_WHAT = "a difference between the model and what stands beside it"


def beside_lines(found: tuple[Beside, ...]) -> list[str]:
    """Return a text table of the judged simple models, and why others were not judged."""
    there = [each for each in found if not each.absent]
    rows: list[tuple[str, ...]] = [("Beside it", "AUC", "the model has more", "it knows")]
    rows += [
        (
            each.name,
            each.auc.in_words,
            each.gain.signed_in_words,
            some(each.features, at_most=4),
        )
        for each in there
    ]
    return [
        *(aligned(rows) if there else []),
        *dict.fromkeys(each.too_few for each in found if each.too_few),
        *(f"{each.name}: {each.absent}" for each in found if each.absent),
    ]
