"""Settings of the service: its address, limits and timeouts."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from lentigo.config.settings import Settings

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
"""Addresses that only programs on the same machine can reach."""


class ServingConfig(Settings):
    """How `lentigo serve` listens, and the limits of requests."""

    host: str = Field(default="127.0.0.1", min_length=1, max_length=255)
    """Address to listen at; any other than this machine's own needs `keys`."""
    port: int = Field(default=8000, ge=0, le=65_535)
    """Port to listen at; 0 takes a free one."""
    keys: Path | None = None
    """File of hashed API keys; without it, anybody who reaches the service may use it."""
    names: tuple[str, ...] = ()
    """Further host names of the service, such as that of a proxy in front. Without keys a
    request to any other name is refused: a page on the web could give this machine a name
    (DNS rebinding)."""
    tls_certificate: Path | None = None
    """Certificate (PEM) for HTTPS; `tls_key` is its private key."""
    tls_key: Path | None = None
    audit_log: Path | None = None
    """SQLite file in which each answer is recorded; without it, nothing is recorded."""
    engine: str = "auto"
    """Library that computes the networks, as in `lentigo predict`."""
    workers: int = Field(default=1, ge=1, le=64)
    """Processes that compute predictions; each loads all models and uses all cores."""
    batch: int = Field(default=16, ge=1, le=256)
    """Most images that a process computes in one batch."""
    queue: int = Field(default=7, ge=1, le=10_000)
    """Images that may wait or be in computation; a request beyond them is answered with
    503."""
    max_body_mb: float = Field(default=100, gt=0, le=4000)
    """Largest request, in megabytes (10^6 bytes)."""
    max_file_mb: float = Field(default=50, gt=0, le=4000)
    """Largest file in a request, in megabytes."""
    max_files: int = Field(default=20, ge=1, le=1000)
    """Most images in a request."""
    max_explained: int = Field(default=4, ge=1, le=100)
    """Most images that are explained in one request: the API refuses a request with more,
    the page explains only the first ones."""
    max_pixels: int = Field(default=100_000_000, ge=1, le=250_000_000)
    """Images of more pixels (width times height) are refused before they are decoded."""
    max_uploads: int = Field(default=64, ge=1, le=10_000)
    """Requests whose bodies may be received at the same time."""
    max_uploads_mb: float = Field(default=400, gt=0, le=64_000)
    """Memory for the bodies of all requests together, in megabytes."""
    head_seconds: float = Field(default=10, gt=0, le=600)
    """Time limit for receiving the head of a request, in seconds."""
    body_seconds: float = Field(default=60, gt=0, le=3600)
    """Time limit for receiving the body of a request, in seconds."""
    answer_seconds: float = Field(default=120, gt=0, le=3600)
    """Time limit for the answer, in seconds from when the body was received."""
    drain_seconds: int = Field(default=60, ge=1, le=3600)
    """Seconds that requests in progress still have when the service is asked to end."""

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
