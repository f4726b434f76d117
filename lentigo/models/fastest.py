"""Choose the engine that is fastest on this machine: measured once, then cached.

Only engines with the logits of the trained network (`Engine.exact`) are compared; 8-bit
networks, whose logits differ a little, are only used if a user names that engine.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from lentigo.errors import LentigoError
from lentigo.json_files import read_json_object, write_json
from lentigo.machine import cache_folder, cores, processor
from lentigo.models.backend import Predictor
from lentigo.models.description import read_description
from lentigo.models.engines import AUTO, ENGINES, Engine, load_member, usable
from lentigo.models.schema import Description, Member
from lentigo.progress import log
from lentigo.words import listed

FEWEST_IMAGES = 200
"""For fewer images no speed is measured."""
PAYS_BACK = 20.0
"""If the first engine needs fewer seconds than this for all images, it is taken: loading
another engine would not pay."""
_SECONDS = 1.0
"""Seconds for all measurements together, in addition to the time of loading."""
_BATCH = 4
_MUCH = 1.1
"""Factor by which an engine has to be faster than the first; less may be chance."""

Rates = dict[str, float]
"""Images per second of each engine, in the order of `ENGINES`."""


@dataclass(frozen=True)
class _Kind:
    """Networks of a model folder with the same backbone and image size: equally fast."""

    folder: Path
    description: Description
    member: Member
    """One of these networks."""
    count: int
    """Number of these networks."""


def fastest(folders: Sequence[Path], *, images: int, device: str = "auto") -> str:
    """Return the name of the fastest engine for the networks in `folders`, or `auto`.

    `auto` stands for the first usable engine. It is returned if there is no choice, or if
    for this number of `images` measuring would take longer than it could save. The measured
    speeds are logged, and cached in the user's cache folder for this processor, these
    versions and these networks.

    Raises what `read_description` raises, such as `ModelError` for a damaged folder.
    """
    if images < FEWEST_IMAGES:
        return AUTO
    known = [read_description(folder) for folder in folders]
    engines = _common(known)
    if len(engines) < 2:
        return AUTO
    first, *others = engines
    kinds = [kind for place in zip(folders, known, strict=True) for kind in _kinds(*place)]
    key = _key(kinds, engines, device)
    share = _SECONDS / (len(kinds) * len(engines))
    rates = _remembered(key)
    if not rates:
        rates = _rates(kinds, [first], device, share)
        if not rates or images / rates[first.name] < PAYS_BACK:
            return AUTO
        rates |= _rates(kinds, others, device, share)
        _remember(key, rates)
    if images / rates[first.name] < PAYS_BACK:
        return AUTO
    best = _best(rates)
    log.info(sentence(best, rates))
    return best


def sentence(best: str, rates: Mapping[str, float]) -> str:
    """Return a sentence with the chosen engine, its speed and that of the other engines."""
    others = [f"{name} {rate:.3g}" for name, rate in rates.items() if name != best]
    return (
        f"Computed by {best}: {rates[best]:.3g} images a second on this machine, "
        f"{listed(others)} (--engine takes another)."
    )


def _best(rates: Mapping[str, float]) -> str:
    first = next(iter(rates))
    best = max(rates, key=lambda name: rates[name])
    return best if rates[best] > _MUCH * rates[first] else first


def _common(known: Sequence[Description]) -> list[Engine]:
    """Return the engines that are usable for all folders, in the order of `ENGINES`."""
    names = [{engine.name for engine in usable(each)} for each in known]
    return [each for each in ENGINES.values() if all(each.name in some for some in names)]


def _kinds(folder: Path, description: Description) -> list[_Kind]:
    kinds: dict[str, list[Member]] = {}
    for member in description.members:
        facts = [member.backbone, member.backbone_args, member.input.size]
        kinds.setdefault(json.dumps(facts, sort_keys=True), []).append(member)
    return [
        _Kind(folder, description, members[0], len(members)) for members in kinds.values()
    ]


def _rates(
    kinds: Sequence[_Kind], engines: Sequence[Engine], device: str, share: float
) -> Rates:
    """Measure the images per second of each engine; one that cannot load them is left out.

    The measurement takes `share` seconds for each engine and kind of network.
    """
    rates: Rates = {}
    for engine in engines:
        with suppress(LentigoError):
            seconds = sum(
                kind.count * _seconds_an_image(kind, engine, device, share)
                for kind in kinds
            )
            rates[engine.name] = 1 / seconds
    return rates


def _seconds_an_image(kind: _Kind, engine: Engine, device: str, share: float) -> float:
    predictor = load_member(kind.folder, kind.description, kind.member, engine.name)
    predictor.use(device)
    return 1 / images_a_second(predictor, _noise(predictor), seconds=share)


def _noise(predictor: Predictor) -> np.ndarray:
    side = predictor.preparation.size
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (_BATCH, side, side, 3), dtype=np.uint8)


def images_a_second(predictor: Predictor, batch: np.ndarray, *, seconds: float) -> float:
    """Return the images per second of `predictor`, measured on `batch` for `seconds`."""
    batch = np.ascontiguousarray(batch)
    predictor.answers(batch)
    began, looked = time.perf_counter(), 0
    while not looked or time.perf_counter() - began < seconds:
        predictor.answers(batch)
        looked += len(batch)
    return looked / (time.perf_counter() - began)


def _key(kinds: Sequence[_Kind], engines: Sequence[Engine], device: str) -> dict[str, Any]:
    """Return the conditions of a measurement: processor, versions, networks …"""
    return {
        "processor": processor(),
        "cores": cores(),
        "python": platform.python_version(),
        "device": device,
        "versions": {each.name: _version(each.package) for each in engines},
        "networks": [
            {
                "count": kind.count,
                "files": {
                    engine.name: kind.description.files[_file(engine, kind.member)].sha256
                    for engine in engines
                },
            }
            for kind in kinds
        ],
    }


def _file(engine: Engine, member: Member) -> str:
    return str(getattr(member.files, engine.file))


def _version(package: str) -> str:
    with suppress(metadata.PackageNotFoundError):
        return metadata.version(package)
    return ""


def _place(key: Mapping[str, Any]) -> Path:
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return cache_folder() / "engines" / f"{digest[:32]}.json"


def _remembered(key: Mapping[str, Any]) -> Rates:
    """Return the cached speeds; {} if the file is missing, damaged or not of this `key`."""
    with suppress(OSError, RuntimeError, LentigoError):
        found = read_json_object(_place(key), most=100_000)
        rates = found.get("images_a_second")
        if found.get("of") == key and isinstance(rates, dict):
            return _checked(rates, key["versions"])
    return {}


def _checked(rates: Mapping[str, Any], engines: Mapping[str, str]) -> Rates:
    first = next(iter(engines))
    numbers = [value for value in rates.values() if isinstance(value, float)]
    good = all(math.isfinite(value) and value > 0 for value in numbers)
    if first not in rates or not set(rates) <= set(engines) or len(numbers) < len(rates):
        return {}
    return {name: rates[name] for name in engines if name in rates} if good else {}


def _remember(key: Mapping[str, Any], rates: Rates) -> None:
    # A home that cannot be written is no reason to fail; it is measured again.
    with suppress(OSError, RuntimeError, LentigoError):
        write_json(_place(key), {"of": key, "images_a_second": rates})
