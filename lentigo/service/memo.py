"""Signed notes by which several requests are answered as one lesion.

A lesion may have more pictures than a request. Each request may take along the mean over
the pictures before, as a note that this service wrote, so that the last one answers for
all. The client keeps the note; the service keeps nothing. A signature shows that nobody
changed it, since the audit log records what is made of it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from typing import Any

from lentigo.inference.served import Memo
from lentigo.service.problems import wrong_field

BEFORE_FIELD = "before"
"""Name of the field that holds a note."""
MEMO_FIELD = "memo"
"""Name of the field that asks for notes."""
LONGEST = 200_000
"""Most letters of a note: some thousand for an ensemble of a hundred networks."""


class Notary:
    """Writes notes and reads them again, with a key that ends with this process."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def written(self, memo: dict[str, Any], version: str) -> str:
        """Return the note of a lesion (`Memo` as a mapping) by the model `version`."""
        told = json.dumps([version, memo]).encode()
        return base64.urlsafe_b64encode(self._mark(told) + told).decode("ascii")

    def read(self, note: str, version: str) -> Memo:
        """Return what a note says.

        Raises `ProblemError` 422 for a note that was not written here by this model, such
        as one from before the service was started again.
        """
        try:
            whole = base64.b64decode(note, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            whole = b""
        mark, told = whole[:32], whole[32:]
        if hmac.compare_digest(mark, self._mark(told)):
            by, memo = json.loads(told)
            if by == version:
                return Memo(**memo)
        raise wrong_field(
            BEFORE_FIELD,
            "It is no note of this model. Send the lesion's first images again.",
        )

    def _mark(self, told: bytes) -> bytes:
        return hmac.digest(self._key, told, hashlib.sha256)
