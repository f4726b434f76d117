"""A request with its answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lentigo.inference.decide import Decision
from lentigo.inference.served import Memo, Row
from lentigo.service.asked import Asked
from lentigo.service.decoding import Prepared
from lentigo.service.worker import Hosted


@dataclass(frozen=True)
class Answered:
    """A request with its answer."""

    request_id: str
    asked: Asked
    """The fields of the request."""
    model: Hosted
    decision: Decision
    files: list[Prepared]
    """The files that were sent, decoded or not."""
    images: list[Row | None]
    """The prediction of each file; None if it could not be decoded."""
    lesions: list[Row]
    """The prediction of each lesion, whose `lesion_id` is one of `Asked.lesion_keys`, or
    one of `keyed`; empty if the request named none."""
    before: tuple[Memo, ...] = ()
    """What the notes of the request say of earlier images."""

    @property
    def keyed(self) -> tuple[Memo, ...]:
        """Return `before` with the keys of lesions as in `Asked.lesion_keys`.

        A lesion of which the request has no image gets a key of its own.
        """
        keys = self.asked.lesion_keys
        known = {self.asked.ids(place): key for place, key in enumerate(keys)}
        return tuple(
            replace(each, lesion=known.get((each.patient, each.lesion), f"before-{number}"))
            for number, each in enumerate(self.before)
        )

    def places(self, lesion: Row) -> list[int]:
        """Return the places, from 0, of the images of a lesion among all of the request."""
        keys = self.asked.lesion_keys
        return [place for place, key in enumerate(keys) if key == lesion["lesion_id"]]

    def ids(self, lesion: Row) -> tuple[str, str]:
        """Return the patient id and the lesion id of a lesion; each is "" if not given."""
        own = self.places(lesion)
        if own:
            return self.asked.ids(own[0])
        number = next(
            n for n, each in enumerate(self.keyed) if each.lesion == lesion["lesion_id"]
        )
        return self.before[number].patient, self.before[number].lesion
