"""The networks of one or several model folders, and how their outputs become answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lentigo.inference.abstention.judge import Judged, average
from lentigo.inference.decide import AUTO, Decision, decision
from lentigo.inference.diagnoses import common_diagnoses
from lentigo.inference.ensemble import Ensemble
from lentigo.models.backend import Logits, Predictor
from lentigo.models.calibration import mean_prevalence
from lentigo.models.conformal import ConformalSets
from lentigo.models.context import People
from lentigo.models.engines import AUTO as AUTO_ENGINE
from lentigo.models.metadata import FIELDS
from lentigo.models.operating_point import OperatingPoint, read_points
from lentigo.progress import log


@dataclass(frozen=True)
class Networks:
    """The networks of a model: those of one model folder, or of several."""

    ensembles: tuple[Ensemble, ...]
    """The model folders, each as its networks and what turns their logits into answers."""

    @property
    def members(self) -> tuple[Predictor, ...]:
        """Return all networks, which have the same weight in the mean."""
        return tuple(each for ensemble in self.ensembles for each in ensemble.members)

    @property
    def diagnoses(self) -> tuple[str, ...]:
        """Return the diagnoses, without melanoma, that the networks distinguish, if any."""
        return common_diagnoses(self.members)

    @property
    def rows(self) -> int:
        """Return the number of outputs of all networks per image; see `Answers.logits`."""
        said = sum(1 + len(each.diagnoses) for each in self.members)
        return said + sum(each.signals for each in self.ensembles)

    @property
    def takes_metadata(self) -> bool:
        """Tell whether one of its networks takes age, sex and site beside the image."""
        return any(each.metadata is not None for each in self.members)

    @property
    def patient_fields(self) -> tuple[str, ...]:
        """Return which of age, sex and site at least one of its networks takes."""
        taken = [each.metadata.fields for each in self.members if each.metadata is not None]
        return tuple(name for name in FIELDS if any(name in own for own in taken))

    @property
    def takes_context(self) -> bool:
        """Tell whether a patient's other lesions change the answer of an image."""
        return any(one.is_used for each in self.ensembles for one in each.context)

    def say_without_context(self) -> None:
        """Log that the answers are those without a patient's other lesions, if they are."""
        if self.takes_context:
            log.info(
                "The answers here are the networks' own, without the patient's other "
                "lesions, with which the model's thresholds were chosen."
            )

    @property
    def can_abstain(self) -> bool:
        """Tell whether one of its model folders has an out-of-distribution limit."""
        return any(each.can_abstain for each in self.ensembles)

    @property
    def sides(self) -> set[int]:
        """Return the sides at which its networks need `picture_signals`."""
        return set().union(*(each.sides for each in self.ensembles))

    @property
    def engine(self) -> str:
        """Return the engine of the networks; `auto` if the folders have different ones."""
        names = {each.engine for each in self.ensembles}
        return names.pop() if len(names) == 1 else AUTO_ENGINE

    @property
    def operating_points(self) -> tuple[OperatingPoint, ...]:
        """Return the thresholds that were chosen for the model's probabilities.

        Empty for the mean of several model folders: each has its own thresholds, and none
        was chosen for their mean.
        """
        if len(self.ensembles) > 1:
            return ()
        return read_points(self.ensembles[0].operating_points)

    @property
    def conformal(self) -> ConformalSets | None:
        """Return the limits of the model's prediction sets at 90 %, if it has them.

        None for the mean of several model folders: no limits were set for their mean.
        """
        return self.ensembles[0].conformal if len(self.ensembles) == 1 else None

    @property
    def prevalence(self) -> float | None:
        """Return the share of melanoma that the model's probabilities are meant for.

        For several model folders, whose logits are averaged, it is the share with the mean
        of their log-odds.
        """
        shares = [each.prevalence for each in self.ensembles for _ in each.members]
        return mean_prevalence(shares)

    def decision(
        self,
        prevalence: float | None = None,
        operating_point: str = AUTO,
        *,
        abstain: bool = True,
    ) -> Decision:
        """Return the `Decision` for the model's logits; see `lentigo.inference.decide`."""
        return decision(
            self.operating_points,
            meant_for=self.prevalence,
            prevalence=prevalence,
            operating_point=operating_point,
            abstain=abstain,
        )

    def mean(self, logits: Logits, people: People | None = None) -> Logits:
        """Return the mean logit of all networks for N images, raw and calibrated, (2, N).

        The first rows of `logits` are the melanoma logits of each of the `members`, as in
        `Answers.logits`. `people` tells which images are of one patient; without it each
        is answered by itself.
        """
        networks = [len(each.members) for each in self.ensembles]
        parts = np.split(logits[: sum(networks)], np.cumsum(networks)[:-1])
        means = [
            each.mean(own, people) for each, own in zip(self.ensembles, parts, strict=True)
        ]
        if len(means) == 1:  # the mean of one may differ from it in the last bit
            return means[0]
        return np.asarray(np.average(means, axis=0, weights=networks))

    def strangeness(self, logits: Logits) -> Judged:
        """Return the out-of-distribution scores of N images, from `Answers.logits`."""
        place, networks = self.rows - sum(each.signals for each in self.ensembles), 0
        parts, weights = [], []
        for each in self.ensembles:
            count = len(each.members)
            own = logits[place : place + each.signals]
            parts.append(each.strangeness(own, logits[networks : networks + count]))
            weights.append(count)
            place, networks = place + each.signals, networks + count
        return average(parts, weights)
