"""API keys: random, shown once, and stored only as SHA-256 digests.

A key has 256 random bits, so it cannot be found from its digest by trying keys.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path

from lentigo.errors import ConfigError, DatasetNotFoundError
from lentigo.files import cannot_write, read_bytes, written_beside

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_LINE = re.compile(rf"({_NAME.pattern}):sha256:([0-9a-f]{{64}})")
_MARK = "lentigo_"
"""Prefix of each key, by which programs that scan for leaked keys recognise it."""
_LONGEST = 1_000_000


@dataclass(frozen=True)
class Keys:
    """The API keys of a file."""

    digests: dict[str, str]
    """SHA-256 of each key, by the name of its holder."""

    def holder(self, authorization: str, header: str = "") -> str | None:
        """Return the holder of the key in a request's headers; None without a known key.

        `header` is that of `X-API-Key: KEY`. `authorization` may be `Bearer KEY`, or
        `Basic` as browsers send it, with the key as the password.
        """
        key = header or _key_in(authorization)
        if not key:
            return None
        digest = _digest(key)
        found = None
        for name, known in self.digests.items():  # all, so that time reveals nothing
            if hmac.compare_digest(digest, known):
                found = name
        return found


def read_keys(path: Path) -> Keys:
    """Read a file of keys, one `NAME:sha256:DIGEST` per line.

    Raises `DatasetNotFoundError` if there is no such file, and `ConfigError` if it has no
    key, a line of another form, or a name twice.
    """
    if not path.is_file():
        raise DatasetNotFoundError(
            f"There is no file of keys {path}. Make a key with 'lentigo serve --make-key "
            f"NAME --keys {path}'."
        )
    found: dict[str, str] = {}
    lines = read_bytes(path, most=_LONGEST).decode("utf-8", "replace").splitlines()
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        matched = _LINE.fullmatch(line.strip())
        if matched is None:
            raise ConfigError(f"{path}, line {number} is no hashed key; take it out.")
        if matched[1] in found:
            raise ConfigError(f"{path}, line {number}: the name {matched[1]} stands twice.")
        found[matched[1]] = matched[2]
    if not found:
        raise ConfigError(f"{path} holds no key. Make one with 'lentigo serve --make-key'.")
    return Keys(found)


def make_key(path: Path, name: str) -> str:
    """Make a key for `name`, add its digest to the file, and return the key.

    The file is created if it is missing. Raises `ConfigError` if `name` is invalid or has a
    key already, or the file has a wrong line, and `RunError` if it cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"--make-key takes a name of letters, digits, dots and hyphens, not {name!r}."
        )
    from filelock import FileLock

    key = _MARK + secrets.token_urlsafe(32)
    try:
        # Two processes that add keys at the same time must not lose one of them.
        with FileLock(path.with_name(f".{path.name}.lock"), mode=0o600):
            _add(path, f"{name}:sha256:{_digest(key)}\n", name)
    except OSError as error:
        raise cannot_write(path, error) from error
    return key


def _add(path: Path, line: str, name: str) -> None:
    text = ""
    if path.exists():
        known = read_keys(path).digests if path.stat().st_size else {}
        if name in known:
            raise ConfigError(
                f"{path} has a key for {name} already. Take another name, or take its line "
                "out, which ends that key."
            )
        text = read_bytes(path, most=_LONGEST).decode("utf-8", "replace")
        text += "" if text.endswith("\n") or not text else "\n"
    with written_beside(path) as temporary:
        temporary.write_text(f"{text}{line}", encoding="utf-8")
    path.chmod(0o600)


def _key_in(authorization: str) -> str:
    kind, _, rest = authorization.partition(" ")
    if kind.lower() == "bearer":
        return rest.strip()
    if kind.lower() == "basic":
        try:
            pair = b64decode(rest.strip(), validate=True).decode("utf-8")
        except ValueError:
            return ""
        return pair.partition(":")[2]
    return ""


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
