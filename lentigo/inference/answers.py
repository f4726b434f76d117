"""The outputs of a model for many images, and the prediction tables made of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.answer_columns import ABSTAIN, CONTEXT, STRANGENESS, YES
from lentigo.inference.abstention.judge import Judged, with_abstention
from lentigo.inference.decide import Decision, without_reassurance
from lentigo.inference.diagnoses import mean_shares, with_diagnoses
from lentigo.inference.inputs import Source
from lentigo.inference.journal import Done
from lentigo.inference.lesions import LesionLogits, lesion_logits, lesion_table
from lentigo.inference.networks import Networks
from lentigo.inference.people import people_of
from lentigo.inference.rows import image_table, is_grouped, metadata_used, others_counted
from lentigo.inference.sets import with_sets
from lentigo.models.backend import Logits

PART = 1024
"""Images whose rows are made at once by `Answers.parts`."""


@dataclass(frozen=True)
class Answers:
    """The outputs of a model's networks for images, before mean and call are computed."""

    model: Networks
    sources: Sequence[Source]
    """The N images."""
    logits: Logits
    """Outputs for N images, (`Model.rows`, N): the melanoma logit of each network, then the
    log shares of other diagnoses of each network (`Predictor.answers`), then the signals of
    each network that may abstain (`Familiar.values`); NaN for an image without outputs."""
    reasons: Mapping[int, str]
    """By the position of an image, why it has no outputs, or why they are doubted."""

    def table(self, decision: Decision | None = None) -> pd.DataFrame:
        """Return the prediction table of the images; see `Model.predict`."""
        means, counted = self._means(decision)
        return self._rows(means, counted, decision, grouped=is_grouped(self.sources))

    def parts(self, decision: Decision | None = None) -> Iterator[pd.DataFrame]:
        """Yield the prediction table in parts of `PART` rows: memory for one suffices."""
        means, counted = self._means(decision)
        grouped, count = is_grouped(self.sources), len(self.sources)
        for start in range(0, count, PART):
            stop = min(start + PART, count)
            own = replace(
                self,
                sources=self.sources[start:stop],
                logits=self.logits[:, start:stop],
                reasons={
                    place - start: self.reasons[place]
                    for place in range(start, stop)
                    if place in self.reasons
                },
            )
            others = None if counted is None else counted[start:stop]
            yield own._rows(means[:, start:stop], others, decision, grouped=grouped)

    def _means(self, decision: Decision | None) -> tuple[Logits, list[int] | None]:
        """Return the mean logits, (2, N), and the number of other lesions in each.

        The latter is None unless the model compares the lesions of a patient. An image on
        which it abstains is nobody's other, unless `decision.abstain` is False.
        """
        if not self.model.takes_context:
            return self.model.mean(self.logits), None
        people = people_of(self.sources)
        if decision is None or decision.abstain:
            people = people.without(self.model.strangeness(self.logits).refused)
        means = self.model.mean(self.logits, people)
        return means, others_counted(means[1], people)

    def _rows(
        self,
        means: Logits,
        counted: list[int] | None,
        decision: Decision | None,
        *,
        grouped: bool,
    ) -> pd.DataFrame:
        table = image_table(self.sources, means, self.reasons, grouped=grouped)
        # Inserted beside the logit, so that `reason` stays the last column.
        place = list(table).index("raw_logit") + 1
        if counted is not None:
            table.insert(place, CONTEXT, counted)
        if self.model.takes_metadata:
            used = metadata_used(self.model.members, self.sources)
            table.insert(place, "metadata", used)
        return self._decided(table, self.logits, decision)

    def lesions(
        self, decision: Decision | None = None, *, quiet: bool = False
    ) -> pd.DataFrame:
        """Return the prediction table of the lesions; see `Model.predict_lesions`.

        An image on which the model abstains is in no mean, unless `decision.abstain` is
        False. A warning names images without a lesion, unless `quiet`.
        """
        reasons, judged = dict(self.reasons), self.model.strangeness(self.logits)
        refused = self._refused(judged, decision)
        for place in np.flatnonzero(refused).tolist():
            reasons[place] = judged.told(place)
        averaged = self._averaged(refused, quiet=quiet)
        table = self._lesion_table(averaged, reasons)
        decided = self._decided(table, averaged.logits, decision)
        for row, own in enumerate(averaged.places.values()):
            if not averaged.counting[row] and refused[own].any():
                least = np.nanmin(judged.strangeness[own])
                decided.loc[row, ABSTAIN] = YES
                decided.loc[row, STRANGENESS] = float(least)
        return decided

    def averaged(self, decision: Decision | None = None) -> LesionLogits:
        """Return each lesion's outputs, averaged over its images; see `lesions`."""
        refused = self._refused(self.model.strangeness(self.logits), decision)
        return self._averaged(refused, quiet=True)

    def _averaged(self, refused: NDArray[np.bool_], *, quiet: bool) -> LesionLogits:
        left = np.where(refused, np.nan, self.logits)
        return lesion_logits(self.sources, left, self.model.mean, quiet=quiet)

    def _refused(self, judged: Judged, decision: Decision | None) -> NDArray[np.bool_]:
        """Tell for each image whether it has outputs, but the model abstains, (N,)."""
        shown = decision is not None and not decision.abstain
        answered = np.isfinite(self.model.mean(self.logits)).all(axis=0)
        return np.asarray(judged.refused & answered & (not shown))

    def _lesion_table(
        self, averaged: LesionLogits, reasons: Mapping[int, str]
    ) -> pd.DataFrame:
        """Return the rows of the lesions, each beside the patient's others if need be."""
        if not self.model.takes_context:
            return lesion_table(self.sources, averaged, reasons, self.model.mean)
        images = people_of(self.sources)
        patient = images.patient
        # A lesion is of the patient that one of its images names first.
        first = [
            max(own, key=lambda n: patient[n] >= 0) for own in averaged.places.values()
        ]
        people = images.part(np.array(first))
        mean = partial(self.model.mean, people=people)
        table = lesion_table(self.sources, averaged, reasons, mean)
        counted = others_counted(table["logit"].to_numpy(np.float64), people)
        table.insert(list(table).index("raw_logit") + 1, CONTEXT, counted)
        return table

    def _decided(
        self, table: pd.DataFrame, logits: Logits, decision: Decision | None
    ) -> pd.DataFrame:
        names, shares = self.model.diagnoses, mean_shares(self.model.members, logits)
        known = with_sets(table, self.model.conformal, names, shares)
        decided = (decision or self.model.decision()).apply(known)
        told = with_diagnoses(decided, names, shares)
        if self.model.can_abstain:
            shown = decision is not None and not decision.abstain
            told = with_abstention(told, self.model.strangeness(logits), shown=shown)
        return without_reassurance(told)


_ALIKE = 1_000
"""Number of different reasons that are looked up: where each has numbers of its own, they
would be held twice."""


def reasons_of(table: pd.DataFrame) -> list[str]:
    """Return of each image in a prediction table why it is not answered, or is doubted.

    It is "" where nothing is to be said.
    """
    return table["reason"].fillna("").astype(str).tolist()


def answers_of(model: Networks, sources: Sequence[Source], done: Iterable[Done]) -> Answers:
    """Return the outputs for `sources`, of which `done` yields all, batch by batch."""
    logits = np.full((model.rows, len(sources)), np.nan)
    told: dict[int, str] = {}
    alike: dict[str, str] = {}  # often all reasons are the same words, held once then
    for batch in done:
        logits[:, batch.start : batch.start + batch.logits.shape[1]] = batch.logits
        for place, why in batch.reasons.items():
            if len(alike) < _ALIKE:
                why = alike.setdefault(why, why)
            told[place] = alike.get(why, why)
    return Answers(model, sources, logits, told)
