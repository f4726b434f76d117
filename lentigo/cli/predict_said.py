"""Output of `lentigo predict`: the predictions in numbers, failures, calls of melanoma."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lentigo.answer_columns import ABSTAIN, CONTEXT, COULD_BE, YES
from lentigo.cli.say import say, say_json
from lentigo.notice import RESEARCH_ONLY, WITHOUT_LIMIT

if TYPE_CHECKING:
    import pandas as pd

    from lentigo.inference.decide import Decision
    from lentigo.inference.dicom_sr import Written
    from lentigo.inference.predict import Model


@dataclass
class Named:
    """Images that are to be named, which may be all."""

    names: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    """Their reasons; empty where nothing prints them."""

    def add(self, rows: pd.DataFrame, *, reasons: bool) -> None:
        """Add the images of `rows` of a prediction table."""
        self.names += rows["image_id"].tolist()
        if reasons:
            self.reasons += rows["reason"].tolist()

    def as_rows(self) -> list[dict[str, str]]:
        """Return one object an image, as they stand in JSON."""
        return [
            {"image_id": name, "reason": why}
            for name, why in zip(self.names, self.reasons, strict=True)
        ]


@dataclass
class Tally:
    """Counts of a prediction table, and the rows that are to be named."""

    images: int = 0
    known: int = 0
    """Number of images with a probability."""
    failed: Named = field(default_factory=Named)
    """The images without a probability, except those on which the model abstains."""
    strange: Named = field(default_factory=Named)
    """The images on which the model abstains, as out of its training distribution."""
    doubted: Named = field(default_factory=Named)
    """The images with a probability that may not be dermoscopic images."""
    metadata: dict[str, int] = field(default_factory=dict)
    """For age, sex and site, the number of images for which each was used. Empty if no
    network of the model uses them."""
    takes_context: bool = False
    """Whether the model compares the lesions of a patient."""
    called_beyond_sets: int = 0
    """Number of images that are called melanoma, and whose prediction set is without it."""
    untold: int = 0
    """Number of answers without age, sex and site, by networks that take these."""
    told: int = 0
    """Number of their answers with at least one of the three."""
    beside_others: int = 0
    """Number of images whose answer counts other lesions of the patient."""

    @classmethod
    def of(cls, parts: Iterable[pd.DataFrame], *, reasons: bool = True) -> Tally:
        """Count the parts of a prediction table.

        `reasons` is whether the reasons of all are kept, not those of failures alone.
        """
        tally = cls()
        for part in parts:
            tally._add(part, reasons=reasons)
        return tally

    def _add(self, part: pd.DataFrame, *, reasons: bool) -> None:
        from lentigo.imaging.kind.doubt import DOUBT
        from lentigo.models.conformal import MELANOMA, NOT_MELANOMA
        from lentigo.models.metadata import FIELDS, WITHOUT

        known = part["probability"].notna()
        strange = part[ABSTAIN].eq(YES) if ABSTAIN in part else known & False
        doubted = known & part["reason"].str.contains(DOUBT, regex=False)
        self.images += len(part)
        self.known += int(known.sum())
        self.failed.add(part[~known & ~strange], reasons=True)
        self.strange.add(part[strange], reasons=reasons)
        self.doubted.add(part[doubted], reasons=reasons)
        if CONTEXT in part:
            self.takes_context = True
            self.beside_others += int((part[CONTEXT] > 0).sum())
        for name in FIELDS if "metadata" in part else ():
            used = sum(name in own for own in part["metadata"].str.split(", "))
            self.metadata[name] = self.metadata.get(name, 0) + used
        if {"call", COULD_BE} <= set(part):
            called = part["call"].eq(MELANOMA) & part[COULD_BE].eq(NOT_MELANOMA)
            self.called_beyond_sets += int(called.sum())
        if "metadata" in part:
            without = part["metadata"].eq(WITHOUT)
            self.untold += int((known & without).sum())
            self.told += int((known & ~without).sum())


@dataclass(frozen=True, kw_only=True)
class Said:
    """A summary of the predictions that were written, to be printed."""

    tally: Tally
    model: Model
    decision: Decision
    out: Path
    lesions: Path | None
    """Path of the table of lesions, if it was asked for."""
    views: int | None
    """Number of views of each image, if another than that of the training was given."""
    reports: Written | None = None
    """The structured reports, if they were asked for."""

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
            "images": self.tally.images,
            "failed": self.tally.failed.as_rows(),
            "abstained": self.tally.strange.as_rows(),
            "doubted": self.tally.doubted.as_rows(),
            "meant_for": own,
            "prevalence": own if asked is None else asked,
            "operating_point": self.decision.point and self.decision.point.name,
            "operating_points": points,
            "abstains": self.model.can_abstain,
            "out": str(self.out),
            **({"lesions": str(self.lesions)} if self.lesions else {}),
            **({"metadata": self.tally.metadata} if self.tally.metadata else {}),
            **({"context": self.tally.beside_others} if self.tally.takes_context else {}),
            **({"dicom_sr": self.reports.as_dict()} if self.reports else {}),
        }

    def _show_images(self) -> None:
        from lentigo.words import counted, some

        failed = self.tally.failed
        for name, why in zip(failed.names, failed.reasons, strict=True):
            say(f"No prediction for {name}: {why}", err=True)
        if doubted := self.tally.doubted.names:
            say(
                f"{counted(len(doubted), 'image')} may be no dermoscopy, so what is "
                f"predicted may mean nothing (see reason): {some(doubted)}",
                err=True,
            )
        self._show_strange()
        whole = counted(self.tally.images, "image")
        say(f"{self.tally.known:,} of {whole}: {self.out}")
        self._show_metadata()
        self._show_context()

    def _show_metadata(self) -> None:
        """Print for how many images age, sex and site were used, if networks use them."""
        from lentigo.words import listed, verb

        if used := self.tally.metadata:
            taken = self.model.patient_fields or tuple(used)
            found = listed([f"{name} ({used.get(name, 0):,})" for name in taken])
            say(f"Number of images whose patient's data the model used: {found}.")
            if not any(used.values()):
                columns = f"{verb(len(taken), 'column', 'columns')} {listed(taken)}"
                say(
                    f"It takes them from a table of the images with the {columns}; "
                    "'lentigo read dicom FOLDER --out TABLE' makes one of DICOM files."
                )

    def _show_untold(self) -> None:
        """Print that a sensitivity was guaranteed only for answers with patient's data.

        Or only for those without.
        """
        from lentigo.models.metadata import FIELDS
        from lentigo.words import counted, listed

        point = self.decision.point
        if point is None or not point.confidence or point.without_metadata:
            return
        fields = listed(self.model.patient_fields or FIELDS, word="or")
        count, had = self.tally.untold, f"had no {fields}"
        if point.only_untold:
            count, had = self.tally.told, f"had {fields}"
        if count:
            say(
                f"{counted(count, 'image')} {had}: of such images this threshold "
                "guarantees nothing."
            )

    def _show_beyond_sets(self) -> None:
        """Print how many images are called melanoma though `could_be` leaves it out."""
        from lentigo.words import counted, verb

        count, point = self.tally.called_beyond_sets, self.decision.point
        if count and point is not None:
            say(
                f"{counted(count, 'image')} {verb(count, 'is', 'are')} called melanoma, "
                f"and could_be says not melanoma: the call is there {point.aim}, the set "
                "to hold the truth in 90 %. The call counts."
            )

    def _show_context(self) -> None:
        """Print how many answers count other lesions, if the model compares them."""
        from lentigo.words import counted

        if not self.tally.takes_context:
            return
        own = self.tally.images - self.tally.beside_others
        alone = (
            f" {counted(own, 'image')} with no other lesion of a known patient "
            "(patient_id) got the networks' own answer."
        )
        say(
            f"Number of images whose answer counts other lesions of the same patient: "
            f"{self.tally.beside_others:,}.{alone if own else ''}"
        )

    def _show_strange(self) -> None:
        from lentigo.words import counted, some

        names = self.tally.strange.names
        if names and self.decision.abstain:
            say(
                f"No answer for {counted(len(names), 'image')}, unlike those the model "
                f"learnt from or too poor to judge (see reason; --no-abstain shows the "
                f"number all the same): {some(names)}",
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
        self._show_untold()
        self._show_beyond_sets()
        if not self.model.can_abstain:
            say(WITHOUT_LIMIT)
        if self.views is not None:
            say(
                "Calibration and thresholds were chosen with the views of the training; "
                f"with --views {self.views} they may hold less well."
            )
