"""The networks of one model folder, and how their logits are combined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lentigo.inference.abstention.judge import Judged, strangest, together
from lentigo.inference.abstention.signals import Familiar
from lentigo.models.abstention import Abstention
from lentigo.models.backend import Logits, Predictor, Preparation
from lentigo.models.calibration import Calibration
from lentigo.models.conformal import ConformalSets
from lentigo.models.context import Context, People
from lentigo.models.description import checked_file, read_description
from lentigo.models.engines import is_exact, load_members
from lentigo.models.index import read_index
from lentigo.models.metadata import Patients
from lentigo.models.operating_point import of_the_exact, unread_said
from lentigo.models.schema import Description, Member
from lentigo.progress import log

Images = NDArray[np.uint8]


class Said(NamedTuple):
    """The outputs of the networks of a model folder for N images."""

    answers: list[Logits]
    """For each network, the melanoma logit and D log shares of other diagnoses,
    (1 + D, N); see `Predictor.answers`."""
    signals: list[Logits]
    """For each network that may abstain, its S signals, (S, N); see `Familiar.values`."""


@dataclass(frozen=True, kw_only=True)
class Ensemble:
    """The networks of one model folder, their calibration, limits and thresholds."""

    members: tuple[Predictor, ...]
    """The networks, whose calibrated logits are averaged with equal weights."""
    calibrations: tuple[Calibration, ...] = ()
    """Calibration of each member's own logits; empty if they are not calibrated."""
    calibration: Calibration = field(default_factory=Calibration)
    """Calibration of the mean of the members' calibrated logits."""
    operating_points: tuple[Mapping[str, Any], ...] = ()
    """Thresholds for the ensemble, chosen on images that it was not trained on."""
    prevalence: float | None = None
    """Share of melanoma that the probabilities are meant for; None if unknown."""
    familiar: tuple[Familiar | None, ...] = ()
    """Index of training images and limit of each member; None if it cannot abstain."""
    abstention: Abstention | None = None
    """Out-of-distribution limit of the members together."""
    conformal: ConformalSets | None = None
    """Limits of the prediction sets at 90 %."""
    context: tuple[Context, ...] = ()
    """The changes of the mean logit of the first networks, of the next …, by a patient's
    other lesions; empty if none. See `Description.context`."""

    @property
    def engine(self) -> str:
        """Return the name of the engine that computes the networks."""
        return self.members[0].engine

    @property
    def can_abstain(self) -> bool:
        """Tell whether one of its networks has an out-of-distribution limit."""
        return any(each is not None for each in self.familiar)

    @property
    def sides(self) -> set[int]:
        """Return the sides at which its networks need `picture_signals`; see `said`."""
        return {each.side for each in self.familiar if each is not None}

    @property
    def signals(self) -> int:
        """Return the number of signals of all its networks; see `Familiar.values`."""
        return sum(len(each.abstention.signals) for each in self.familiar if each)

    def answers(
        self,
        squares: Mapping[Preparation, Images],
        *,
        views: int | None = None,
        patients: Patients | None = None,
    ) -> list[Logits]:
        """Return each member's outputs for N images, (1 + D, N); see `Predictor.answers`.

        `squares` has the images by `Preparation`. `views` is the number of views of each
        image, by default that of each member. `patients` has age, sex and site of each
        patient; by default they are unknown.
        """
        return [
            each.answers(squares[each.preparation], **_asked(each, views, patients))
            for each in self.members
        ]

    def said(
        self,
        squares: Mapping[Preparation, Images],
        pictures: Mapping[tuple[Preparation, int], Logits],
        *,
        views: int | None = None,
        patients: Patients | None = None,
    ) -> Said:
        """Return the outputs and the out-of-distribution signals of the members.

        `squares` has, by `Preparation`, the squares of N images; `pictures` has, by
        `Preparation` and side, their `picture_signals`, (6, N), at the `sides`.
        """
        if not self.can_abstain:
            return Said(self.answers(squares, views=views, patients=patients), [])
        found = Said([], [])
        for member, familiar in zip(self.members, self.familiar, strict=True):
            own = squares[member.preparation]
            asked = _asked(member, views, patients)
            looked = member.looked(own, **asked) if familiar else None
            found.answers.append(
                member.answers(own, **asked) if looked is None else looked.answers
            )
            if familiar is None:
                continue
            if looked is None:  # `load_ensemble` leaves those out
                raise TypeError(f"The engine {member.engine} gives no features.")
            checked = pictures[member.preparation, familiar.side]
            found.signals.append(familiar.values(looked, checked, views=views))
        return found

    def strangeness(self, signals: Logits, logits: Logits) -> Judged:
        """Return the out-of-distribution scores of N images.

        `signals` are those of `Said`, concatenated over the members; `logits` are the
        melanoma logits of the M members, (M, N).
        """
        known = [each.abstention for each in self.familiar if each is not None]
        ends = np.cumsum([len(each.signals) for each in known])[:-1]
        parts = np.split(signals, ends) if known else []
        if not known:
            count = logits.shape[1]
            return Judged(np.full(count, np.nan), [""] * count)
        maps = self.calibrations or (Calibration(),) * len(logits)
        own = [map_.apply(answer) for map_, answer in zip(maps, logits, strict=True)]
        return together(strangest(parts, known), np.std(own, axis=0), self.abstention)

    def mean(self, logits: Logits, people: People | None = None) -> Logits:
        """Return the mean of M members' logits, (M, N), raw and calibrated: (2, N).

        If there is a context, `people` tells which of the N images are of one patient;
        without it each image is answered by itself.
        """
        known = self.calibrations or (Calibration(),) * len(logits)
        own = [map_.apply(answer) for map_, answer in zip(known, logits, strict=True)]
        if people is None or not self.context:
            mean = np.mean(own, axis=0)
        else:
            mean = self._beside_others(np.stack(own), people)
        return np.stack([np.mean(logits, axis=0), self.calibration.apply(mean)])

    def _beside_others(self, logits: Logits, people: People) -> Logits:
        """Return the mean of calibrated logits, (M, N), with what other lesions add."""
        counts = [each.members for each in self.context]
        if len(counts) == 1:  # the mean of one may differ from it in the last bit
            return self.context[0].apply(logits.mean(axis=0), people)
        parts = np.split(logits, np.cumsum(counts)[:-1])
        means = [
            each.apply(part.mean(axis=0), people)
            for each, part in zip(self.context, parts, strict=True)
        ]
        return np.asarray(np.average(means, axis=0, weights=counts))


def _asked(
    member: Predictor, views: int | None, patients: Patients | None
) -> dict[str, Any]:
    """Return the keyword arguments of a network's prediction: `looks` and `metadata`.

    `looks` is left out if `views` is None, and `metadata` if the network takes none or
    `patients` is None.
    """
    asked: dict[str, Any] = {} if views is None else {"looks": views}
    if patients is not None and member.metadata is not None:
        asked["metadata"] = member.metadata.encode(patients)
    return asked


def load_ensemble(folder: Path, engine: str) -> Ensemble:
    """Load a model folder, with `engine` to compute its networks."""
    description = read_description(folder)
    if unread := unread_said(description.operating_points):
        log.warning("%s: %s", folder, unread)
    members = load_members(folder, description, engine)
    familiar = tuple(
        _familiar(folder, description, member, predictor)
        for member, predictor in zip(description.members, members, strict=True)
    )
    return Ensemble(
        members=members,
        calibrations=tuple(each.calibration for each in description.members),
        calibration=description.calibration,
        operating_points=tuple(
            point if is_exact(members[0].engine) else of_the_exact(point)
            for point in description.operating_points
        ),
        prevalence=description.prevalence,
        familiar=familiar,
        abstention=description.abstention if all(familiar) else None,
        conformal=description.conformal,
        context=tuple(description.context),
    )


def _familiar(
    folder: Path, description: Description, member: Member, predictor: Predictor
) -> Familiar | None:
    """Return a network's index and limit; None if it has none or gives no features.

    In the latter case a warning is logged.
    """
    name = member.files.index
    if name is None or member.abstention is None or member.abstention.limit is None:
        return None
    if not gives_features(predictor):
        log.warning(
            "%s: %s gives no features, so nothing can be said to be too strange to it. "
            "Export it again, or take --engine torch.",
            folder, member.files.onnx,
        )  # fmt: skip
        return None
    index = read_index(checked_file(folder, description, name))
    return Familiar(index, member.abstention, member.input.views)


def gives_features(predictor: Predictor) -> bool:
    """Tell whether the engine of a network gives its features, not its logits alone."""
    size = predictor.preparation.size
    return predictor.looked(np.zeros((1, size, size, 3), np.uint8), looks=1) is not None
