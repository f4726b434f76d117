"""Settings of the service: where it listens, what it takes, and how long it waits."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from lentigo.config.settings import Settings

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
"""Addresses that only programs on the same machine reach."""


class ServingConfig(Settings):
    """How `lentigo serve` listens, and the limits within which it answers."""

    host: str = Field(default="127.0.0.1", min_length=1, max_length=255)
    """Address to listen at; any other than this machine's own needs `keys`."""
    port: int = Field(default=8000, ge=0, le=65_535)
    """Port to listen at; 0 takes a free one."""
    keys: Path | None = None
    """File of hashed API keys; without one, anybody who reaches the service may ask."""
    names: tuple[str, ...] = ()
    """Further names by which it is called, such as that of a proxy in front. Without keys a
    request to any other name is refused: a page on the web could give this machine one."""
    tls_certificate: Path | None = None
    """Certificate (PEM), for HTTPS; `tls_key` belongs to it."""
    tls_key: Path | None = None
    audit_log: Path | None = None
    """SQLite file to which each answer is added; without one, nothing is kept."""
    engine: str = "auto"
    """What computes the networks, as in `lentigo predict`."""
    workers: int = Field(default=1, ge=1, le=64)
    """Processes that compute; each holds all models, and uses all cores."""
    batch: int = Field(default=16, ge=1, le=256)
    """Most images that a process computes at once."""
    queue: int = Field(default=8, ge=1, le=10_000)
    """Images that may wait or be computed; beyond them the answer is 503."""
    max_body_mb: float = Field(default=100, gt=0, le=4000)
    """Largest request, in megabytes (10^6 bytes)."""
    max_file_mb: float = Field(default=50, gt=0, le=4000)
    """Largest file in a request, in megabytes."""
    max_files: int = Field(default=20, ge=1, le=1000)
    """Most images in a request."""
    max_explained: int = Field(default=4, ge=1, le=100)
    """Most images in a request for explanations; of more on the page, the first ones are
    looked at closer."""
    max_pixels: int = Field(default=100_000_000, ge=1, le=250_000_000)
    """Images of more pixels (width times height) are refused before they are decoded."""
    max_uploads: int = Field(default=64, ge=1, le=10_000)
    """Requests whose bodies may be read at once."""
    max_uploads_mb: float = Field(default=400, gt=0, le=64_000)
    """Memory for the bodies of all requests, in megabytes."""
    head_seconds: float = Field(default=10, gt=0, le=600)
    """Time that a client has for the head of a request."""
    body_seconds: float = Field(default=60, gt=0, le=3600)
    """Time that a client has to send the body of a request."""
    answer_seconds: float = Field(default=120, gt=0, le=3600)
    """Time that an answer may take after the body is there."""
    drain_seconds: int = Field(default=60, ge=1, le=3600)
    """Time for the requests under way when the service is asked to end."""

    @model_validator(mode="after")
    def _tls_is_whole(self) -> ServingConfig:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("a TLS certificate and its key belong together; give both")
        return self

    @model_validator(mode="after")
    def _others_need_a_key(self) -> ServingConfig:
        if self.host not in LOOPBACK and self.keys is None:
            raise ValueError(
                f"other machines reach {self.host}, so an API key is needed: make one with "
                "'lentigo serve --make-key NAME --keys FILE', and give --keys FILE"
            )
        return self

    @property
    def max_body(self) -> int:
        """Return the largest request, in bytes."""
        return int(self.max_body_mb * 1e6)

    @property
    def max_file(self) -> int:
        """Return the largest file in a request, in bytes."""
        return int(self.max_file_mb * 1e6)
