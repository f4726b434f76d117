"""The answers to many images as one FHIR Bundle; each lesion has an Observation, too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from lentigo.inference.answers import Answers
from lentigo.inference.decide import Decision
from lentigo.inference.fhir import Subject, Together, fhir_bundle
from lentigo.inference.inputs import Source


def bundle_of(
    answers: Answers, decision: Decision, *, model: str, version: str, when: datetime
) -> dict[str, Any]:
    """Return a FHIR R5 Bundle with a report a patient, and an Observation an image.

    Images that name their lesion are also answered for together, as by `Answers.lesions`;
    lesion 1 of two patients is two lesions. `model` is the name of the model and `version`
    a digest of it, `when` the time of the answers.
    """
    sources = answers.sources
    return fhir_bundle(
        _rows(answers.table(decision)),
        [_subject(each) for each in sources],
        model=model,
        version=version,
        abstains=answers.model.can_abstain,
        when=when,
        lesions=list(_lesions(answers, decision)),
    )


def _subject(source: Source) -> Subject:
    return Subject(
        name=source.image_id,
        patient=source.patient_id or "",
        site=source.site or "",
        lesion=source.lesion_id or "",
    )


def _lesions(answers: Answers, decision: Decision) -> Iterator[Together]:
    """Yield the common answer to the images of each lesion, by their first images."""
    places = _places(answers.sources)
    if not places:
        return
    keys = {place: str(nth) for nth, own in enumerate(places) for place in own}
    named = tuple(
        replace(source, lesion_id=keys.get(place))
        for place, source in enumerate(answers.sources)
    )
    rows = _rows(replace(answers, sources=named).lesions(decision))
    for own, row in zip(places, rows, strict=True):
        first = answers.sources[own[0]]
        parts = (first.dataset, first.patient_id, first.lesion_id)
        name = " ".join(each for each in parts if each)
        yield Together(name=name, images=tuple(own), row=row)


def _places(sources: Sequence[Source]) -> list[list[int]]:
    """Return the positions of the images of each lesion that is named."""
    found: dict[tuple[str | None, ...], list[int]] = {}
    for place, source in enumerate(sources):
        if source.lesion_id:
            key = source.dataset, source.patient_id, source.lesion_id
            found.setdefault(key, []).append(place)
    return list(found.values())


def _rows(table: Any) -> list[dict[str, Any]]:
    return [
        {str(name): value for name, value in row.items()}
        for row in table.to_dict("records")
    ]
