"""Output of `lentigo predict`: the predictions in numbers, failures, calls of melanoma."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lentigo.answer_columns import ABSTAIN, CONTEXT, YES
from lentigo.cli.say import say, say_json
from lentigo.notice import RESEARCH_ONLY

if TYPE_CHECKING:
    import pandas as pd

    from lentigo.inference.decide import Decision
    from lentigo.inference.dicom_sr import Written
    from lentigo.inference.predict import Model


_WITHOUT_LIMIT = (
    "This model has no limit of abstention: it also answers for images that look like "
    "nothing it learnt from."
)


@dataclass(frozen=True, kw_only=True)
class Said:
    """A summary of the predictions that were written, to be printed."""

    predictions: pd.DataFrame
    model: Model
    decision: Decision
    out: Path
    lesions: Path | None
    """Path of the table of lesions, if it was asked for."""
    views: int | None
    """Number of views of each image, if it was given."""
    reports: Written | None = None
    """The structured reports, if they were asked for."""

    @property
    def failed(self) -> pd.DataFrame:
        """The images without a probability, except those on which the model abstains."""
        unknown = self.predictions["probability"].isna()
        return self.predictions[unknown & ~self._is_strange]

    @property
    def strange(self) -> pd.DataFrame:
        """The images on which the model abstains, as out of its training distribution."""
        return self.predictions[self._is_strange]

    @property
    def _is_strange(self) -> pd.Series[bool]:
        if ABSTAIN not in self.predictions:
            return self.predictions["image_id"].isna()  # no image: all have an id
        return self.predictions[ABSTAIN].eq(YES)

    @property
    def doubted(self) -> pd.DataFrame:
        """The images with a probability that may not be dermoscopic images."""
        from lentigo.imaging.kind.doubt import DOUBT

        known = self.predictions["probability"].notna()
        doubted = self.predictions["reason"].str.contains(DOUBT, regex=False)
        return self.predictions[known & doubted]

    def show(self, *, as_json: bool) -> None:
        """Print the summary as sentences, or as one JSON object."""
        if as_json:
            say_json(self._as_dict())
            return
        self._show_images()
        self._show_decision()
        say(RESEARCH_ONLY)

    def _as_dict(self) -> dict[str, Any]:
        asked, own = self.decision.asked_for, self.decision.meant_for
        points = [each.model_dump(mode="json") for each in self.model.operating_points]
        return {
            "images": len(self.predictions),
            "failed": self.failed[["image_id", "reason"]].to_dict("records"),
            "abstained": self.strange[["image_id", "reason"]].to_dict("records"),
            "doubted": self.doubted[["image_id", "reason"]].to_dict("records"),
            "meant_for": own,
            "prevalence": own if asked is None else asked,
            "operating_point": self.decision.point and self.decision.point.name,
            "operating_points": points,
            "abstains": self.model.can_abstain,
            "out": str(self.out),
            **({"lesions": str(self.lesions)} if self.lesions else {}),
            **({"metadata": self._metadata} if self._metadata else {}),
            **({"context": self._beside_others} if CONTEXT in self.predictions else {}),
            **({"dicom_sr": self.reports.as_dict()} if self.reports else {}),
        }

    def _show_images(self) -> None:
        from lentigo.words import counted, some

        for row in self.failed.itertuples():
            say(f"No prediction for {row.image_id}: {row.reason}", err=True)
        doubted = self.doubted["image_id"].tolist()
        if doubted:
            say(
                f"{counted(len(doubted), 'image')} may be no dermoscopy, so what is "
                f"predicted may mean nothing (see reason): {some(doubted)}",
                err=True,
            )
        self._show_strange()
        number = len(self.predictions)
        known = int(self.predictions["probability"].notna().sum())
        say(f"{known:,} of {counted(number, 'image')}: {self.out}")
        self._show_metadata()
        self._show_context()

    def _show_metadata(self) -> None:
        """Print for how many images age, sex and site were used, if networks use them."""
        from lentigo.words import listed

        if used := self._metadata:
            found = listed([f"{name} ({count:,})" for name, count in used.items()])
            say(f"Number of images whose patient's data the model used: {found}.")

    def _show_context(self) -> None:
        """Print how many answers count other lesions, if the model compares them."""
        from lentigo.words import counted

        if CONTEXT not in self.predictions:
            return
        own = len(self.predictions) - self._beside_others
        alone = (
            f" {counted(own, 'image')} with no other lesion of a known patient "
            "(patient_id) got the networks' own answer."
        )
        say(
            f"Number of images whose answer counts other lesions of the same patient: "
            f"{self._beside_others:,}.{alone if own else ''}"
        )

    @property
    def _beside_others(self) -> int:
        return int((self.predictions[CONTEXT] > 0).sum())

    @property
    def _metadata(self) -> dict[str, int]:
        """For age, sex and site, the number of images for which each was used.

        Empty if no network of the model uses them.
        """
        from lentigo.models.metadata import FIELDS

        if "metadata" not in self.predictions:
            return {}
        used = self.predictions["metadata"].str.split(", ")
        return {name: sum(name in own for own in used) for name in FIELDS}

    def _show_strange(self) -> None:
        from lentigo.words import counted, some

        if (names := self.strange["image_id"].tolist()) and self.decision.abstain:
            say(
                f"No answer for {counted(len(names), 'image')} that the model does not "
                f"know the like of or that cannot be judged (see reason; --no-abstain "
                f"shows the number all the same): {some(names)}",
                err=True,
            )
        elif names:
            say(
                f"{counted(len(names), 'image')} should not be answered (see abstain and "
                f"reason): {some(names)}",
                err=True,
            )

    def _show_decision(self) -> None:
        from lentigo.inference.lesions import MORE_THAN_IMAGES
        from lentigo.inference.thresholds import decision_sentences

        if self.reports is not None:
            for sentence in self.reports.sentences():
                say(sentence)
        if self.lesions is not None:
            say(f"The mean of each lesion: {self.lesions}. {MORE_THAN_IMAGES}")
        if any(each.diagnoses for each in self.model.members) and not self.model.diagnoses:
            say(
                "The networks tell different diagnoses apart, so only the probability of "
                "melanoma has a mean; that of the others is not written."
            )
        for sentence in decision_sentences(self.model, self.decision):
            say(sentence)
        if not self.model.can_abstain:
            say(_WITHOUT_LIMIT)
        if self.views is not None:
            say(
                "Calibration and thresholds were chosen with the views of the training; "
                f"with --views {self.views} they may hold less well."
            )
