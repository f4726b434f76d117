"""Signed notes by which several requests are answered as one lesion.

A lesion may have more pictures than a request, and a patient more lesions. Each request
may take along the mean over the pictures before, as notes that this service wrote, so that
the last one answers for all. The client keeps the notes; the service keeps nothing. A
signature shows that nobody changed them, and of which lesion they are, since the audit log
records what is made of them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from typing import Any

from lentigo.inference.served import Memo
from lentigo.service.problems import ProblemError, wrong_field

BEFORE_FIELD = "before"
"""Name of the field that holds a note."""
MEMO_FIELD = "memo"
"""Name of the field that asks for notes."""
LONGEST = 200_000
"""Most letters of a note: some thousand for an ensemble of a hundred networks."""


def no_note() -> ProblemError:
    """Return the problem (422) of a note that does not belong to a request."""
    return wrong_field(
        BEFORE_FIELD,
        "It is no note of this lesion, or of another one of this patient, by this model, "
        "with the same age, sex and site. Send the lesion's first images again.",
    )


class Notary:
    """Writes notes and reads them again, with a key that ends with this process."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def written(self, memo: dict[str, Any], about: Sequence[Any], **ids: str) -> str:
        """Return the note of a lesion (`Memo` as a mapping), with the `ids` of `Memo`.

        `about` tells for which answers the note holds: the version of the model, and what
        else is the same for all images of a patient.
        """
        told = json.dumps({**memo, **ids}).encode()
        return base64.urlsafe_b64encode(self._mark(told, about) + told).decode("ascii")

    def read(self, note: str, about: Sequence[Any]) -> Memo:
        """Return what a note says, with the ids of its patient and lesion.

        Raises `ProblemError` 422 for a note that was not written here about the same, such
        as one of another model, or one from before the service was started again.
        """
        try:
            whole = base64.b64decode(note, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            whole = b""
        mark, told = whole[:32], whole[32:]
        if hmac.compare_digest(mark, self._mark(told, about)):
            return Memo(**json.loads(told))
        raise no_note()

    def _mark(self, told: bytes, about: Sequence[Any]) -> bytes:
        # JSON has no line break of its own: what is told cannot pass for a part of `about`.
        whole = json.dumps(list(about)).encode() + b"\n" + told
        return hmac.digest(self._key, whole, hashlib.sha256)
