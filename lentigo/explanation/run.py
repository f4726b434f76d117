"""Explain a model's prediction for an image: saliency maps, and how far to trust each."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lentigo.errors import ModelError, unknown_name
from lentigo.explanation.faithfulness import deletion_insertion, likeness, says_nothing
from lentigo.explanation.occlusion import numbers_of, occlusion
from lentigo.explanation.registry import METHODS
from lentigo.explanation.shares import THINGS, share_on, things_in
from lentigo.explanation.too_slow import check_time
from lentigo.imaging.decoding.square import to_square
from lentigo.inference.predict import Model, load
from lentigo.models.backend import Images, Predictor, Preparation
from lentigo.models.description import find_models, read_description
from lentigo.models.metadata import Metadata, Patients
from lentigo.progress import log

if TYPE_CHECKING:
    from lentigo.imaging.segmentation import Outline

Map = NDArray[np.float32]

ALL = "all"


@dataclass(frozen=True)
class Explained:
    """One map of one image, with measures of how far it can be trusted."""

    method: str
    """Name of the method, a key of `METHODS`."""
    heat: Map
    """(S, S), 0 to 1: the mean of the networks' maps, each with the same weight."""
    likeness: float
    """Rank correlation with the map of shuffled weights; NaN where it was not computed."""
    fails: bool
    """Whether the map shows nothing: it stays the same with shuffled weights, or is
    constant."""
    deletion: float
    insertion: float
    """Deletion and insertion, mean over the networks; see `deletion_insertion`."""
    lesion: float
    """Share of the heat inside the lesion; NaN if no lesion is known."""
    lesion_area: float
    """Share of the image inside the lesion, which is the share of heat that a constant map
    has there."""
    hair: float
    """Share of the heat on hair; likewise on a ruler, on ink, and on the frame of the
    dermoscope. NaN where it was not looked for."""
    ruler: float
    ink: float
    frame: float

    @property
    def checked(self) -> bool:
        """Whether the map was compared with that of shuffled weights."""
        return not math.isnan(self.likeness)


@dataclass(frozen=True)
class Explainer:
    """A loaded model with the methods by which its predictions are explained."""

    model: Model
    methods: tuple[str, ...]
    random: tuple[Predictor | None, ...]
    """For each network a copy with shuffled weights; None where there is none."""

    @property
    def ways(self) -> list[Preparation]:
        """Return the size and fit of the squares that the networks take, each pair once."""
        return list(dict.fromkeys(each.preparation for each in self.model.members))

    def square(self, image: Images) -> Images:
        """Return the square of an image, (H, W, 3), on which maps are drawn: (S, S, 3)."""
        return _as_square(image, self.largest)

    def inside(self, outline: Outline) -> NDArray[np.bool_]:
        """Return the mask of a lesion in the square on which maps are drawn: (S, S)."""
        plane = np.repeat(255 * outline.mask.astype(np.uint8)[..., None], 3, axis=2)
        return _as_square(plane, self.largest)[..., 0] > 127

    def explain(
        self,
        image: Images,
        outline: Outline | None = None,
        *,
        patient: Patients | None = None,
    ) -> list[Explained]:
        """Explain the prediction for `image`, (H, W, 3) RGB, by each of the methods.

        The outline of the lesion is computed if `outline` is None. `patient` has age, sex
        and site of the one patient, for networks that take them; by default unknown.
        """
        from lentigo.imaging.segmentation import find_outline

        outline = outline or find_outline(image)
        squares = {way: _as_square(image, way) for way in self.ways}
        return list(self.explain_squares(squares, self.inside(outline), patient=patient))

    def explain_squares(
        self,
        squares: Mapping[Preparation, Images],
        lesion: NDArray[np.bool_] | None,
        *,
        patient: Patients | None = None,
    ) -> Iterator[Explained]:
        """Explain the prediction for an image that is given in each of the `ways`.

        Yields the map of each of `methods`, in their order. `lesion` is the mask of its
        lesion in the largest square, (S, S); None where it is not known. `patient` is as in
        `explain`. Raises `TooSlowError` within `given_up_at`.
        """
        things = things_in(squares[self.largest], lesion)
        for each in self.methods:
            yield self._by(each, squares, things, patient)

    @property
    def largest(self) -> Preparation:
        """Return the size and fit of the largest square, on which maps are drawn."""
        return max(self.ways, key=lambda each: each.size)

    def _by(
        self,
        method: str,
        squares: Mapping[Preparation, Images],
        things: dict[str, NDArray[np.bool_]],
        patient: Patients | None,
    ) -> Explained:
        size = self.largest.size
        maps, random, areas = [], [], []
        for network, other in zip(self.model.members, self.random, strict=True):
            way = network.preparation
            square = squares[way]
            check_time()
            heat = _scaled(map_of(method, network, square, patient=patient), way.size)
            areas.append(deletion_insertion(network, square, heat, patient=patient))
            maps.append(_scaled(heat, size))
            if other is not None:
                check_time()
                shuffled = map_of(method, other, square, patient=patient)
                random.append(_scaled(shuffled, size))
        heat = mean_map(maps)
        whole = len(random) == len(maps)
        alike = likeness(heat, mean_map(random)) if whole else math.nan
        shares = {name: share_on(heat, things.get(name)) for name in THINGS}
        area = float(things["lesion"].mean()) if "lesion" in things else math.nan
        lesion = shares.pop("lesion")
        return Explained(
            method, heat, alike, says_nothing(heat, alike),
            float(np.mean([each[0] for each in areas])),
            float(np.mean([each[1] for each in areas])),
            lesion=lesion if area > 0 else math.nan, lesion_area=area, **shares,
        )  # fmt: skip


def load_explainer(
    path: Path | str, *, methods: Sequence[str] = (ALL,), engine: str = "auto"
) -> Explainer:
    """Load a run or model folder with `methods` that explain its predictions.

    `all` means every method that its networks allow. Methods that look inside the network
    need torch, and so does the check with shuffled weights; `engine="auto"` uses torch
    where it is installed and the folder has weights for it. With another engine only
    occlusion is possible, without that check.

    Raises:
        UnknownNameError: a method does not exist.
        ModelError: a method given by name needs what a network does not have.
    """
    for name in methods:
        if name != ALL and name not in METHODS:
            raise unknown_name("method", name, [*METHODS, ALL])
    model = _loaded(path, engine)
    possible = [
        name for name in METHODS if all(_allows(each, name) for each in model.members)
    ]
    wanted = list(METHODS) if ALL in methods else list(dict.fromkeys(methods))
    missing = [name for name in wanted if name not in possible]
    if missing and ALL not in methods:
        raise ModelError(
            f"{path} cannot be explained by {missing[0]}: a network of it, computed by "
            f"{model.engine}, has no {METHODS[missing[0]].needs}. It allows: "
            f"{', '.join(possible)}."
        )
    chosen = tuple(name for name in wanted if name in possible)
    return Explainer(model, chosen, tuple(_shuffled(each) for each in model.members))


def map_of(
    method: str, predictor: Predictor, square: Images, *, patient: Patients | None = None
) -> Map:
    """Return the map of one network for one square, (S, S, 3): (s, s), not negative.

    `patient` is as in `Explainer.explain`. s depends on the method and may be smaller
    than S.
    """
    if method == "occlusion":
        covered: Map = occlusion(predictor, square[None], patient=patient)[0]
        return covered
    way = getattr(import_module("lentigo.models.gradients"), method)
    beside: dict[str, Metadata] = {}
    numbers = numbers_of(predictor, patient)
    if numbers is not None and METHODS[method].needs != "attention":
        beside["metadata"] = numbers
    heat: Map = np.asarray(way(predictor, square[None], **beside)[0], np.float32)
    return heat


def mean_map(maps: Sequence[Map]) -> Map:
    """Return the mean of `maps`, (S, S) each with the same weight, scaled to 0–1.

    The gradients of networks differ in size, so each map is first divided by its sum.
    """
    sums = [float(each.sum()) for each in maps]
    parts = [each / total for each, total in zip(maps, sums, strict=True) if total > 0]
    if not parts:
        return np.zeros_like(maps[0])
    mean = np.asarray(np.mean(parts, axis=0), np.float32)
    scaled: Map = mean / mean.max()
    return scaled


def _loaded(path: Path | str, engine: str) -> Model:
    if engine == "auto" and find_spec("torch") is not None and _has_weights(path):
        try:
            return load(path, engine="torch", device="cpu")
        except ModelError as error:
            other = load(path, engine="auto", device="cpu")
            log.warning("%s The maps are computed by %s, without it.", error, other.engine)
            return other
    return load(path, engine=engine, device="cpu")


def _has_weights(path: Path | str) -> bool:
    """Tell whether each network of a model has a file for torch."""
    return all(
        each.files.torch is not None and os.path.lexists(folder / each.files.torch)
        for folder in find_models(path)
        for each in read_description(folder).members
    )


def _allows(predictor: Predictor, method: str) -> bool:
    needs = METHODS[method].needs
    if needs == "nothing":
        return True
    if predictor.engine != "torch":
        return False
    gradients = import_module("lentigo.models.gradients")
    if needs == "gradients":
        return True
    return bool(
        gradients.has_maps(predictor)
        if needs == "maps"
        else gradients.has_attention(predictor)
    )


def _shuffled(predictor: Predictor) -> Predictor | None:
    if predictor.engine != "torch":
        return None
    found: Predictor = import_module("lentigo.models.gradients").shuffled(predictor)
    return found


def _as_square(image: Images, way: Preparation) -> Images:
    return to_square(image, size=way.size, fit=way.fit)


def _scaled(heat: Map, size: int) -> Map:
    if len(heat) == size:
        return heat
    plane = Image.fromarray(np.asarray(heat, np.float32))
    large = plane.resize((size, size), Image.Resampling.BILINEAR)
    positive: Map = np.maximum(np.asarray(large, np.float32), np.float32(0))
    return positive
