"""Explain the prediction for a decoded image: outline, similar cases, saliency maps."""

from __future__ import annotations

import base64
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lentigo.errors import ImageError, ModelError, unknown_name
from lentigo.explanation.registry import METHODS
from lentigo.explanation.run import ALL, Explained, Explainer, load_explainer
from lentigo.explanation.shares import THINGS, has_opencv
from lentigo.explanation.too_slow import TooSlowError, given_up_at
from lentigo.inference.inputs import Source
from lentigo.inference.predict import Model
from lentigo.inference.similar import Cases, cases
from lentigo.models.backend import Images, Preparation
from lentigo.models.description import check_version
from lentigo.models.metadata import Patients

if TYPE_CHECKING:
    from lentigo.imaging.segmentation import Outline

LESION, CASES, SHUFFLED = "lesion", "cases", "shuffled"
"""Names of the parts that may be missing in a result, beside the names of methods."""
_NO_OPENCV = (
    "OpenCV is not installed here, which finds the outline: pip install 'lentigo[data]'"
)
_NO_TORCH = "torch is not installed here: pip install 'lentigo[train]'"
REASONS = (
    "no_opencv", "unfit", "no_lesion", "no_index", "no_features", "no_others", "no_torch",
    "not_torch", "network_lacks", "no_time", "too_slow", "died",
)  # fmt: skip
"""Keys of the reasons why a part is missing, for callers that translate the reasons."""

NO_TIME = "no_time", "there was no time left for it; ask for it alone"
TOO_SLOW = "too_slow", "it was not done within the time limit of an answer"
"""Reasons for a missing part, as `Gaps.add` takes them."""


class NotAllowedError(ModelError):
    """The model does not allow a method that was given by name."""


@dataclass(frozen=True)
class Wish:
    """The parts of an explanation that are requested for one image."""

    methods: tuple[str, ...] = ()
    """Names of `METHODS`, or `all`; empty for no maps."""
    cases: int = 0
    """Number of similar cases to return."""
    lesion: bool = True
    """Whether the lesion is outlined and measured."""
    size: tuple[int, int] = (0, 0)
    """(width, height) of the original image in pixels, in which diameters are given."""
    patient: str = ""
    own_lesion: str = ""
    """Ids of the image's own patient and lesion, which are not returned as similar
    cases."""
    age: float | None = None
    """Age of the patient in years, for networks that take it; None if unknown."""
    sex: str = ""
    """One of `lentigo.tables.SEXES`; empty if unknown."""
    site: str = ""
    """One of `lentigo.tables.SITES`; empty if unknown."""
    seconds: float = math.inf
    """Time for the whole explanation: a map that would probably not be done by then is
    left out, but the map of the cheapest method is begun all the same. Below 0 none is: the
    time was over before."""
    at_most: float = math.inf
    """Time after which also a map that was begun is given up, in seconds."""

    @property
    def about(self) -> Patients:
        """Age, sex and site of the patient."""
        return Patients.of([self.age], [self.sex], [self.site])


@dataclass(frozen=True)
class Examined:
    """The parts of an explanation, as plain values for JSON."""

    outline: dict[str, Any] | None = None
    abcd: dict[str, Any] | None = None
    cases: list[dict[str, Any]] = field(default_factory=list)
    """The similar training images, the most similar first."""
    maps: list[dict[str, Any]] = field(default_factory=list)
    """The heat maps, one for each method."""
    missing: dict[str, str] = field(default_factory=dict)
    """Missing part → reason in English."""
    reasons: dict[str, str] = field(default_factory=dict)
    """Missing part → reason as one of `REASONS`."""


@dataclass(frozen=True)
class Gaps:
    """The missing parts of an explanation, with the reasons, by the name of the part."""

    said: dict[str, str] = field(default_factory=dict)
    """Part → reason in English."""
    kinds: dict[str, str] = field(default_factory=dict)
    """Part → reason as one of `REASONS`."""

    def add(self, part: str, kind: str, said: str) -> None:
        """Record that `part` is missing, for the reason `kind`, in English `said`."""
        self.said[part], self.kinds[part] = said, kind


class Examiner:
    """A loaded model that can explain its predictions.

    The weights for the maps and the index of similar cases are loaded at their first use,
    if the folder still holds the `version` that predicts; "" to load them all the same.
    """

    def __init__(
        self, model: Model, folder: Path | str, *, engine: str = "auto", version: str = ""
    ) -> None:
        self._model, self._folder, self._engine = model, folder, engine
        self._version = version
        self._explainer: Explainer | None = None
        self._cases: Cases | str | None = None

    def examine(
        self, wish: Wish, squares: Mapping[Preparation, Images], picture: Images
    ) -> Examined:
        """Explain one image: outline and measure its lesion, find similar cases, draw maps.

        `squares` holds the image, (size, size, 3), for each size and fit that the model
        takes; `picture` is the whole image, (H, W, 3), at any size.

        Raises:
            UnknownNameError: a method does not exist.
            NotAllowedError: the model does not allow a method given by name.
            ExchangedError: the model folder was changed since the model was loaded.
            LentigoError: the explanation failed, for a reason that is not in `wish`.
        """
        begun, gaps = time.monotonic(), Gaps()
        explainer = self._for(wish.methods, gaps) if wish.methods else None
        outline = _outline(picture, gaps) if wish.lesion else None
        told = _told(outline) if outline else None
        measures = _measured(picture, outline, wish.size) if outline else None
        named = self._similar(wish, squares, gaps) if wish.cases else []
        maps = []
        if explainer is not None and wish.seconds < 0:
            _none_in_time(explainer, gaps)
        elif explainer is not None:
            inside = explainer.inside(outline) if outline else None
            until = begun + wish.seconds
            cheap = replace(explainer, methods=tuple(sorted(explainer.methods, key=_looks)))
            drawn = cheap.explain_squares(squares, inside, patient=wish.about)
            with given_up_at(begun + wish.at_most):
                found = {each.method: each for each in _in_time(drawn, cheap, until, gaps)}
            maps = [_as_json(found[name]) for name in explainer.methods if name in found]
        return Examined(told, measures, named, maps, gaps.said, gaps.kinds)

    def _for(self, methods: Sequence[str], gaps: Gaps) -> Explainer:
        for name in methods:
            if name != ALL and name not in METHODS:
                raise unknown_name("method", name, [*METHODS, ALL])
        if self._explainer is None:
            loaded = load_explainer(self._folder, engine=self._engine)
            self._check_version()
            self._explainer = loaded
        whole = self._explainer
        refused = {n: self._why_not(n) for n in METHODS if n not in whole.methods}
        for name in methods:
            if name in refused:
                allowed = ", ".join(whole.methods)
                raise NotAllowedError(f"{name}: {refused[name]}. Possible here: {allowed}.")
        for name, said in refused.items():
            gaps.add(name, "network_lacks" if self._in_torch() else _no_torch_kind(), said)
        if any(each is None for each in whole.random):
            why = "the check with shuffled weights needs the network in torch"
            gaps.add(SHUFFLED, _no_torch_kind(), f"{why}; {self._why_no_torch()}")
        wanted = whole.methods if ALL in methods else tuple(dict.fromkeys(methods))
        return replace(whole, methods=wanted)

    def _check_version(self) -> None:
        if self._version:
            check_version(self._model.folders, self._version)

    def _why_not(self, name: str) -> str:
        if self._in_torch():
            return f"a network of the model has no {METHODS[name].needs}"
        return f"it looks inside the network, which needs torch; {self._why_no_torch()}"

    def _in_torch(self) -> bool:
        return self._explainer_engine() == "torch"

    def _why_no_torch(self) -> str:
        if find_spec("torch") is None:
            return _NO_TORCH
        return f"this model is computed by {self._explainer_engine()}"

    def _explainer_engine(self) -> str:
        return self._explainer.model.engine if self._explainer else self._model.engine

    def _similar(
        self, wish: Wish, squares: Mapping[Preparation, Images], gaps: Gaps
    ) -> list[dict[str, Any]]:
        if self._cases is None:
            try:
                found: Cases | str = cases(self._model)
            except ModelError as error:
                found = str(error)
            self._check_version()
            self._cases = found
        known = self._cases
        if isinstance(known, str):
            gaps.add(CASES, "no_index", known)
            return []
        square = squares[known.network.preparation]
        source = Source(
            "", lesion_id=wish.own_lesion or None, group_id=wish.patient or None
        )
        try:
            (rows,) = known.similar(square[None], [source], count=wish.cases)
        except ModelError as error:
            gaps.add(CASES, "no_features", str(error))
            return []
        others = [row for row in rows if not row.get("reason")]
        if not others:
            gaps.add(CASES, "no_others", str(rows[0]["reason"]))
        return others


def _in_time(
    found: Iterator[Explained], explainer: Explainer, until: float, gaps: Gaps
) -> Iterator[Explained]:
    """Yield the maps of `explainer` that are done by `until`; the others become gaps.

    `until` is a time of the monotonic clock. The first map is always begun; a later one
    is begun if it would still be done in time, where each look at a network takes as long
    as in the maps before: one of occlusion takes several times as long as a CAM. A map that
    is given up (`given_up_at`) is the last one.
    """
    begun, looks = time.monotonic(), 0
    for number, name in enumerate(explainer.methods):
        now = time.monotonic()
        if looks and now + (now - begun) / looks * _looks(name) > until:
            gaps.add(name, *NO_TIME)
            continue
        try:
            one = next(found)
        except TooSlowError:
            gaps.add(name, *TOO_SLOW)
            for left in explainer.methods[number + 1 :]:
                gaps.add(left, *NO_TIME)
            return
        yield one
        looks += _looks(name)


def _none_in_time(explainer: Explainer, gaps: Gaps) -> None:
    for name in explainer.methods:
        gaps.add(name, *NO_TIME)


def _looks(method: str) -> int:
    return METHODS[method].looks


def heat_of(found: Mapping[str, Any]) -> NDArray[np.float32]:
    """Return the map of `found`, an entry of `Examined.maps`: (S, S), from 0 to 1."""
    plane = np.frombuffer(base64.b64decode(found["heat"]), np.uint8)
    heat = plane.reshape(found["size"], found["size"]).astype(np.float32)
    return heat / np.float32(255)


def _no_torch_kind() -> str:
    return "no_torch" if find_spec("torch") is None else "not_torch"


def _outline(picture: Images, gaps: Gaps) -> Outline | None:
    if not has_opencv():
        gaps.add(LESION, "no_opencv", _NO_OPENCV)
        return None
    from lentigo.imaging.segmentation import find_outline

    try:
        outline = find_outline(picture)
    except ImageError as error:
        gaps.add(LESION, "unfit", str(error))
        return None
    if not outline.area:
        gaps.add(LESION, "no_lesion", "no lesion stands out from the skin in this picture")
        return None
    return outline


def _told(outline: Outline) -> dict[str, Any]:
    """Return an outline as the corners of a polygon, as shares of width and height."""
    import cv2

    plane = outline.mask.astype(np.uint8)
    borders, _ = cv2.findContours(plane, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    line = cv2.approxPolyDP(max(borders, key=len), 1.0, True)[:, 0]
    height, width = outline.mask.shape
    corners = (line + 0.5) / (width, height)
    return {
        "found": outline.found,
        "certainty": outline.certainty,
        "others": outline.others,
        "cut_off": outline.cut_off,
        "area": round(outline.area / outline.mask.size, 4),
        "polygon": corners.round(4).tolist(),
    }


def _measured(picture: Images, outline: Outline, size: tuple[int, int]) -> dict[str, Any]:
    from lentigo.explanation.abcd import SENTENCE, measure_abcd

    measured = measure_abcd(picture, outline)
    scale = max(size) / max(picture.shape[:2]) if max(size) else 1.0
    numbers = {
        name: None if math.isnan(value) else round(float(value), 4)
        for name, value in measured.as_dict().items()
    }
    for name in ("diameter_pixels", "width_pixels"):
        if (value := numbers[name]) is not None:
            numbers[name] = round(value * scale, 1)
    return {
        **numbers,
        "present": measured.present,
        "verdict": measured.verdict,
        "caution": SENTENCE,
    }


def _as_json(found: Explained) -> dict[str, Any]:
    plane = np.nan_to_num(np.clip(found.heat, 0, 1))
    heat = np.rint(255 * plane).astype(np.uint8)
    numbers = {
        name: _number(getattr(found, name))
        for name in ("likeness", "deletion", "insertion", "lesion_area", *THINGS)
    }
    return {
        "method": found.method,
        "says_nothing": found.fails,
        "checked": found.checked or found.fails,
        **numbers,
        "size": len(heat),
        "heat": base64.b64encode(heat.tobytes()).decode(),
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 4)
