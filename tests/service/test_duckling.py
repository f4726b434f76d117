"""Odd lesions of a patient, by features that the service gave."""

from __future__ import annotations

import base64
import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lentigo.inference.oddness import oddness
from lentigo.service.duckling import MOST_BYTES, ducklings
from lentigo.service.problems import ProblemError
from tests.service.conftest import Served
from tests.service.test_predictions import post


def coded(row: np.ndarray) -> str:
    return base64.b64encode(row.astype("<f2").tobytes()).decode()


def body(patient: list[str], lesion: list[str], rows: np.ndarray) -> bytes:
    features = [coded(row) for row in rows]
    return json.dumps({"patient": patient, "lesion": lesion, "features": features}).encode()


def test_the_planted_odd_lesion_has_the_first_rank() -> None:
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(0, 1, (6, 12)), rng.normal(5, 1, (5, 12))])
    rows[3] += 6
    patient, lesion = ["a"] * 6 + ["b"] * 5, [str(number) for number in range(11)]
    found = ducklings(body(patient, lesion, rows)).lesions
    own = oddness(
        rows.astype(np.float16).astype(float), np.repeat([0, 1], [6, 5]).astype(np.intp)
    )
    assert [each.oddness for each in found] == pytest.approx(own, abs=1e-3)
    assert [each.lesion for each in found if each.patient == "a" and each.rank == 1] == [
        "3"
    ]
    assert sorted(each.rank or 0 for each in found[6:]) == [1, 2, 3, 4, 5]


def test_images_of_one_lesion_are_one_and_two_lesions_are_too_few() -> None:
    rows = np.eye(4)
    found = ducklings(body(["a"] * 4, ["1", "1", "2", "2"], rows)).lesions
    assert [(each.lesion, each.oddness, each.rank, each.lesions) for each in found] == [
        ("1", None, None, 2), ("2", None, None, 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"patient": ["a"]}, "features"),
        ({"lesion": ["1", 2]}, "lesion"),
        ({"lesion": ["1", "\ud800"]}, "lesion"),
        ({"features": ["AAAA", "x"]}, "features"),
        ({"features": ["AHwAfA==", "AHwAfA=="]}, "features"),
        ({"features": ["AAAAAA==", "AAA="]}, "features"),
        ({"features": []}, "features"),
        ({"name": "x"}, "name"),
    ],
)
def test_what_makes_no_sense_is_named(wrong: dict[str, Any], field: str) -> None:
    right = {"patient": ["a", "a"], "lesion": ["1", "2"], "features": ["AAA=", "AAA="]}
    with pytest.raises(ProblemError) as problem:
        ducklings(json.dumps({**right, **wrong}).encode())
    assert problem.value.more["field"] == field


@pytest.mark.parametrize("content", [b"", b"[", b"[]", b"[" * 30_000])
def test_what_is_no_json_object_is_refused(content: bytes) -> None:
    with pytest.raises(ProblemError):
        ducklings(content)


def test_a_comparison_has_bounds_in_bytes_and_memory() -> None:
    """1,500 images of 5,000 features, at the limit, and one byte more."""
    row = coded(np.random.default_rng(0).normal(size=5000))
    many = 1500
    given = {
        "patient": ["a"] * many, "lesion": [str(n) for n in range(many)],
        "features": [row] * many,
    }  # fmt: skip
    content = json.dumps(given).encode()
    assert len(content) > MOST_BYTES
    with pytest.raises(ProblemError, match="at most 20 MB") as problem:
        ducklings(content)
    assert problem.value.status == 413
    fewer = {name: each[:40] for name, each in given.items()}
    tracemalloc.start()
    ducklings(json.dumps(fewer).encode())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * 40 * 5000 * 4  # some copies in 64 bits, as SVD makes them


def test_features_are_told_when_asked_for_and_kept_nowhere(
    served: Served, images: Path
) -> None:
    files = [path.read_bytes() for path in sorted(images.glob("*.png"))]
    with served.client() as client:
        plain = post(client, files[0]).json()["images"][0]
        told = post(client, *files, features="yes").json()["images"]
        asked = {
            "patient": ["7"] * 6,
            "lesion": [str(number) for number in range(6)],
            "features": [each["features"] for each in told],
        }
        found = client.post("/v1/ducklings", json=asked).json()["lesions"]
        form = client.post("/v1/ducklings", data={"patient": "7"})
        long = client.post(
            "/v1/ducklings", content=b" " * (MOST_BYTES + 1),
            headers={"content-type": "application/json"},
        )  # fmt: skip
    assert plain["features"] is None
    row = np.frombuffer(base64.b64decode(told[0]["features"]), "<f2").astype(float)
    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-2)
    assert sorted(each["rank"] for each in found) == [1, 2, 3, 4, 5, 6]
    assert form.status_code == 415
    assert long.status_code == 413
    audit = served.log.parent / "audit.sqlite"
    assert told[0]["features"].encode()[:40] not in audit.read_bytes()
