"""Turn the outputs of a model's networks into prediction tables, whole or in parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pandas as pd

from lentigo.answer_columns import ABSTAIN, STRANGENESS, YES
from lentigo.inference.abstention.judge import Judged, with_abstention
from lentigo.inference.decide import AUTO, Decision, without_reassurance
from lentigo.inference.diagnoses import mean_shares, with_diagnoses
from lentigo.inference.journal import Done
from lentigo.inference.rows import image_table, is_grouped, metadata_used
from lentigo.inference.sets import with_sets
from lentigo.inference.sources import Source
from lentigo.models.backend import Logits, Predictor
from lentigo.models.conformal import ConformalSets

PART = 1024
"""Images whose rows are made at once by `Answers.parts`."""


class Answering(Protocol):
    """A loaded model, as far as `Answers` needs it: `lentigo.inference.predict.Model`."""

    @property
    def members(self) -> tuple[Predictor, ...]:
        """Return all networks."""
        ...

    @property
    def diagnoses(self) -> tuple[str, ...]:
        """Return the diagnoses, without melanoma, that the networks distinguish."""
        ...

    @property
    def takes_metadata(self) -> bool:
        """Tell whether a network takes age, sex and site beside the image."""
        ...

    @property
    def can_abstain(self) -> bool:
        """Tell whether the model has an out-of-distribution limit."""
        ...

    @property
    def conformal(self) -> ConformalSets | None:
        """Return the limits of the model's prediction sets, if it has them."""
        ...

    def decision(
        self, prevalence: float | None = None, operating_point: str = AUTO
    ) -> Decision:
        """Return the rule that turns logits into probabilities and calls."""
        ...

    def mean(self, logits: Logits) -> Logits:
        """Return the mean logit of all networks for N images, (2, N)."""
        ...

    def strangeness(self, logits: Logits) -> Judged:
        """Return the out-of-distribution scores of N images."""
        ...


@dataclass(frozen=True)
class Answers:
    """The outputs of a model's networks for images, before mean and call are computed."""

    model: Answering
    sources: Sequence[Source]
    """The N images."""
    logits: Logits
    """Outputs for N images, (`Model.rows`, N): the melanoma logit of each network, then the
    log shares of other diagnoses of each network (`Predictor.answers`), then the signals of
    each network that may abstain (`Familiar.values`); NaN for an image without outputs."""
    reasons: Mapping[int, str]
    """By the position of an image, why it has no outputs, or why they are doubted."""
    grouped: bool | None = None
    """Whether the table has a column `group_id`; by default if one of the images has it."""

    def table(self, decision: Decision | None = None) -> pd.DataFrame:
        """Return the prediction table of the images; see `Model.predict`."""
        grouped = is_grouped(self.sources) if self.grouped is None else self.grouped
        means = self.model.mean(self.logits)
        table = image_table(self.sources, means, self.reasons, grouped=grouped)
        if self.model.takes_metadata:
            # Inserted beside the logit, so that `reason` stays the last column.
            used = metadata_used(self.model.members, self.sources)
            table.insert(list(table).index("raw_logit") + 1, "metadata", used)
        return self._decided(table, self.logits, decision)

    def parts(self, decision: Decision | None = None) -> Iterator[pd.DataFrame]:
        """Yield the prediction table in parts of `PART` rows: memory for one suffices."""
        grouped, count = is_grouped(self.sources), len(self.sources)
        for start in range(0, count, PART):
            own = range(start, min(start + PART, count))
            reasons = {
                row: self.reasons[place]
                for row, place in enumerate(own)
                if place in self.reasons
            }
            part = replace(
                self,
                sources=self.sources[start : own.stop],
                logits=self.logits[:, start : own.stop],
                reasons=reasons,
                grouped=grouped,
            )
            yield part.table(decision)

    def lesions(self, decision: Decision | None = None) -> pd.DataFrame:
        """Return the prediction table of the lesions; see `Model.predict_lesions`.

        An image on which the model abstains is in no mean, unless `decision.abstain` is
        False.
        """
        from lentigo.inference.lesions import lesion_logits, lesion_table

        mean, reasons, logits = self.model.mean, dict(self.reasons), self.logits
        shown = decision is not None and not decision.abstain
        judged = self.model.strangeness(logits)
        refused = judged.refused & np.isfinite(mean(logits)).all(axis=0) & (not shown)
        for place in np.flatnonzero(refused).tolist():
            reasons[place] = judged.told(place)
        left = np.where(refused, np.nan, logits)
        averaged = lesion_logits(self.sources, left, mean)
        table = lesion_table(self.sources, averaged, reasons, mean)
        decided = self._decided(table, averaged.logits, decision)
        for row, own in enumerate(averaged.places.values()):
            if not averaged.counting[row] and refused[own].any():
                least = np.nanmin(judged.strangeness[own])
                decided.loc[row, ABSTAIN] = YES
                decided.loc[row, STRANGENESS] = float(least)
        return decided

    def _decided(
        self, table: pd.DataFrame, logits: Logits, decision: Decision | None
    ) -> pd.DataFrame:
        known = with_sets(table, self.model.conformal)
        decided = (decision or self.model.decision()).apply(known)
        names, shares = self.model.diagnoses, mean_shares(self.model.members, logits)
        told = with_diagnoses(decided, names, shares)
        if self.model.can_abstain:
            shown = decision is not None and not decision.abstain
            told = with_abstention(told, self.model.strangeness(logits), shown=shown)
        return without_reassurance(told)


def answers_of(
    model: Answering, sources: Sequence[Source], done: Sequence[Done]
) -> Answers:
    """Return the outputs for `sources`, of which `done` holds all, batch by batch."""
    logits = np.empty((len(done[0].logits), len(sources)))
    told: dict[int, str] = {}
    alike: dict[str, str] = {}  # most reasons are the same words, which are held once
    for batch in done:
        logits[:, batch.start : batch.start + batch.logits.shape[1]] = batch.logits
        told |= {place: alike.setdefault(why, why) for place, why in batch.reasons.items()}
    return Answers(model, sources, logits, told)
