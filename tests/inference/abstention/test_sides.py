"""Each network's picture signals are measured as they were when its limit was set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import lentigo
from lentigo.inference.abstention.fit import make_index, seen, set_limit
from lentigo.inference.abstention.pictures import PICTURE_SIGNALS, picture_signals
from lentigo.inference.abstention.signals import Familiar
from lentigo.inference.ensemble import Ensemble
from lentigo.inference.inputs import as_sources
from lentigo.inference.predict import Model
from tests.cohorts import tiny_config
from tests.inference.test_predict import save

CONFIG = tiny_config(
    model__backbone="test_resnet", training__image_size=32, imaging__size=192
)


def framed(seed: int) -> np.ndarray:
    """A noisy square with a black frame of a drawn width at the left."""
    rng = np.random.default_rng(seed)
    square = rng.integers(120, 220, (192, 192, 3), dtype=np.uint8)
    square[:, : int(rng.integers(20, 60))] = 0
    return square


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A network that knows early features, and the same one that does not."""
    folder = tmp_path_factory.mktemp("sides") / "model"
    save(folder, config=CONFIG)
    (predictor,) = lentigo.load(folder, engine="torch").members
    squares = np.stack([framed(seed) for seed in range(50)])
    found = seen(predictor, [squares])
    assert found is not None
    rows = pd.DataFrame(
        {
            "image_id": map(str, range(50)),
            "group_id": map(str, range(50)),
            "melanoma": [False] * 50,
            "diagnosis": None,
        }
    )
    index = make_index(found, rows)
    limit = set_limit(index, found, rows["group_id"].tolist(), set_on="test")
    new = Familiar(index, limit, 1)
    bare = replace(found, looked=replace(found.looked, early=None))
    without = make_index(bare, rows)
    old = Familiar(without, set_limit(without, bare, list(rows["group_id"]), set_on="t"), 1)
    return Model((Ensemble(members=(predictor, predictor), familiar=(new, old)),))


def test_networks_of_both_kinds_stand_in_one_folder(both: Model) -> None:
    assert both.sides == {64, 128}
    image = framed(99)
    (answers,) = both.computed(as_sources([image]), 0, 8, "cpu")
    signals, start = answers.logits[-both.ensembles[0].signals :, 0], 0
    for familiar, side in zip(both.ensembles[0].familiar, (64, 128), strict=True):
        assert familiar is not None
        names = [each.name for each in familiar.abstention.signals]
        own = signals[start : (start := start + len(names))]
        known, _ = picture_signals(image, side=side)
        for name in ("dark", "bright", "frame"):
            place = PICTURE_SIGNALS.index(name)
            assert own[names.index(name)] == pytest.approx(known[place])


def test_the_limit_of_a_network_without_early_features_is_set_on_the_larger_copy(
    both: Model,
) -> None:
    (predictor, _) = both.members
    squares = np.stack([framed(seed) for seed in range(3)])

    class Bare:
        metadata = None

        def looked(self, images: np.ndarray, **asked: object) -> object:
            found = predictor.looked(images, **asked)  # type: ignore[arg-type]
            assert found is not None
            return replace(found, early=None)

    found = seen(Bare(), [squares])  # type: ignore[arg-type]
    assert found is not None
    for column, square in zip(found.pictures.T, squares, strict=True):
        assert column == pytest.approx(picture_signals(square, side=128)[0])
