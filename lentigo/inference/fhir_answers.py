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
    lesion 1 of two patients is two lesions. Where the images are of several data sets, the
    identifier of a patient begins with the data set. `model` is the name of the model and
    `version` a digest of it, `when` the time of the answers.
    """
    sources = answers.sources
    patients = _patients(sources)
    several = len({source.dataset for source in sources}) > 1
    return fhir_bundle(
        _rows(answers.table(decision)),
        [
            _subject(source, patient, several=several)
            for source, patient in zip(sources, patients, strict=True)
        ],
        model=model,
        version=version,
        abstains=answers.model.can_abstain,
        when=when,
        lesions=list(_lesions(answers, patients, decision)),
    )


def _patients(sources: Sequence[Source]) -> list[str]:
    """Return the patient of each image, (N,); "" if unknown.

    An image without a patient is of the one that others of its lesion name, if they agree:
    else one lesion would be torn in two, and be in two reports.
    """
    named: dict[tuple[str | None, str | None], set[str]] = {}
    for source in sources:
        if source.lesion_id and source.patient_id:
            own = named.setdefault((source.dataset, source.lesion_id), set())
            own.add(source.patient_id)
    found = []
    for source in sources:
        others = named.get((source.dataset, source.lesion_id), set())
        only = next(iter(others)) if len(others) == 1 else ""
        found.append(source.patient_id or only)
    return found


def _subject(source: Source, patient: str, *, several: bool) -> Subject:
    """Return the identifiers of an image; `several` is whether there are more data sets.

    Then patient 1 of one data set is another than patient 1 of the next.
    """
    before = f"{source.dataset} " if several and source.dataset else ""
    return Subject(
        name=source.image_id,
        patient=f"{before}{patient}" if patient else "",
        site=source.site or "",
        lesion=source.lesion_id or "",
    )


def _lesions(
    answers: Answers, patients: Sequence[str], decision: Decision
) -> Iterator[Together]:
    """Yield the common answer to the images of each lesion, by their first images."""
    places = _places(answers.sources, patients)
    if not places:
        return
    keys = {place: str(nth) for nth, own in enumerate(places) for place in own}
    named = tuple(
        replace(source, lesion_id=keys.get(place))
        for place, source in enumerate(answers.sources)
    )
    # Images without a lesion are in the Bundle, so nothing is said of them.
    rows = _rows(replace(answers, sources=named).lesions(decision, quiet=True))
    for own, row in zip(places, rows, strict=True):
        first = answers.sources[own[0]]
        parts = (first.dataset, patients[own[0]], first.lesion_id)
        name = " ".join(each for each in parts if each)
        yield Together(name=name, images=tuple(own), row=row)


def _places(sources: Sequence[Source], patients: Sequence[str]) -> list[list[int]]:
    """Return the positions of the images of each lesion that is named."""
    found: dict[tuple[str | None, ...], list[int]] = {}
    for place, source in enumerate(sources):
        if source.lesion_id:
            key = source.dataset, patients[place], source.lesion_id
            found.setdefault(key, []).append(place)
    return list(found.values())


def _rows(table: Any) -> list[dict[str, Any]]:
    return [
        {str(name): value for name, value in row.items()}
        for row in table.to_dict("records")
    ]
