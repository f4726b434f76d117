"""Metrics and log of the service; nothing that a client sent is written into them."""

from __future__ import annotations

import json
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Telemetry:
    """Prometheus metrics in their own registry, and a log of JSON lines."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "lentigo_requests_total", "Answered requests.",
            ("route", "method", "status"), registry=self.registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "lentigo_request_seconds", "Time from the head of a request to its answer.",
            ("route",), buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self.images = Counter(
            "lentigo_images_total", "Images answered for, by model and outcome.",
            ("model", "version", "outcome"), registry=self.registry,
        )  # fmt: skip
        self.batch = Histogram(
            "lentigo_batch_images", "Images computed at once.",
            buckets=(1, 2, 4, 8, 16, 32, 64), registry=self.registry,
        )  # fmt: skip
        self.computing = Histogram(
            "lentigo_batch_seconds", "Time to compute a batch.",
            buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self.under_way = Gauge(
            "lentigo_images_under_way", "Images that wait or are computed.",
            registry=self.registry,
        )  # fmt: skip
        self.replaced = Gauge(
            "lentigo_workers_replaced", "Processes that died and were replaced.",
            registry=self.registry,
        )  # fmt: skip

    def batch_computed(self, images: int, seconds: float) -> None:
        """Record the number of images and the computing time of a batch."""
        self.batch.observe(images)
        self.computing.observe(seconds)

    def exposition(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        return generate_latest(self.registry)

    def log(self, event: str, **facts: Any) -> None:
        """Write one line of JSON; `facts` must not hold anything that a client sent."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"time": now, "event": event, **facts}, ensure_ascii=True)
        stream = self._stream or sys.stderr
        stream.write(line + "\n")
        stream.flush()

    def log_fault(self, request_id: str, error: BaseException) -> None:
        """Log an unexpected error by type and place; its message may quote the request."""
        frames = traceback.extract_tb(error.__traceback__)[-6:]
        places = [f"{each.filename.rpartition('/')[2]}:{each.lineno}" for each in frames]
        self.log("fault", request=request_id, error=type(error).__name__, at=places)
