"""Similar cases are the nearest, and never of the same group nor a copy of the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lentigo.errors import ModelError
from lentigo.inference.abstention.fit import Seen, gradient_hash, make_index, seen
from lentigo.inference.abstention.signals import Familiar
from lentigo.inference.ensemble import Ensemble
from lentigo.inference.inputs import Source
from lentigo.inference.predict import Model, load
from lentigo.inference.similar import cases, similar
from lentigo.models.abstention import Abstention
from lentigo.models.backend import Looked, Preparation
from lentigo.models.folder import ModelCard, save_model_folder
from lentigo.models.torch_engine import load_network
from tests.cohorts import tiny_config
from tests.inference.test_predict import save

COUNT = 8
PICTURES = np.random.default_rng(0).integers(0, 256, (COUNT, 32, 32, 3), dtype=np.uint8)


def looked(squares: np.ndarray, **_: Any) -> Looked:
    """Features of a picture: the mean of 4 × 4 blocks of its red, which copies share."""
    features = squares[..., 0].reshape(-1, 8, 4, 8, 4).mean(axis=(2, 4)).reshape(-1, 64)
    nothing = np.zeros(len(squares))
    return Looked(nothing[None], features.astype(np.float32), nothing, nothing)


class Alike(Model):
    """A model that answers for every image but a black one."""

    def predict_sources(self, sources: Sequence[Source], **_: Any) -> pd.DataFrame:
        black = [each.image is not None and not each.image.any() for each in sources]
        said = ["not answered: too dark to judge" if each else "" for each in black]
        return pd.DataFrame({"reason": said})


def model(*, index: bool = True, groups: Sequence[str] = ()) -> Model:
    table = pd.DataFrame(
        {
            "image_id": [f"i{number}" for number in range(COUNT)],
            "group_id": groups or [f"g{number // 2}" for number in range(COUNT)],
            "melanoma": [number % 2 == 0 for number in range(COUNT)],
            "diagnosis": [None] * COUNT,
        }
    )
    prints = np.array([gradient_hash(each) for each in PICTURES], np.uint64)
    own = make_index(Seen(looked(PICTURES), np.empty((6, 0)), prints), table, named=True)
    network: Any = SimpleNamespace(
        preparation=Preparation(32, "stretch", 10**6), looked=looked
    )
    familiar = Familiar(own, Abstention(signals=[], limit=None), 1)
    own_ensemble = Ensemble(members=(network,), familiar=(familiar if index else None,))
    return Alike((own_ensemble,))


def test_the_nearest_come_first_and_are_no_copy() -> None:
    found = similar(model(), [Source("new", image=PICTURES[3])], count=3)
    assert found["rank"].tolist() == [1, 2, 3]
    assert found["distance"].is_monotonic_increasing
    assert "i3" not in found["similar_id"].tolist()
    assert found["melanoma"].isin([True, False]).all()


def test_of_an_image_that_is_not_answered_for_this_is_said() -> None:
    dark = Source("dark", image=np.zeros_like(PICTURES[0]))
    found = similar(model(), [Source("new", image=PICTURES[3]), dark], count=2)
    told = found.groupby("image_id")["reason"].unique()
    assert told.loc["new"].tolist() == [""]
    assert told.loc["dark"].tolist() == ["not answered: too dark to judge"]
    assert found["rank"].tolist() == [1, 2, 1, 2]


@pytest.mark.parametrize("names", [{"group_id": "g1"}, {"lesion_id": "g1"}])
def test_images_of_the_same_group_are_not_shown(names: dict[str, str]) -> None:
    noisy = np.clip(PICTURES[3] + 90.0 * (PICTURES[5] > 128), 0, 255).astype(np.uint8)
    source = Source("new", image=noisy)
    assert "i3" in similar(model(), [source])["similar_id"].tolist()
    found = similar(
        model(),
        [replace(source, group_id=names.get("group_id"), lesion_id=names.get("lesion_id"))],
    )["similar_id"].tolist()
    assert not {"i2", "i3"} & set(found)


@pytest.mark.parametrize("patient", ["p1", "7"])
def test_a_patient_of_a_table_is_known_by_name_behind_the_data_set(patient: str) -> None:
    """A model of several data sets names its groups `dataset:patient`."""
    groups = [f"here:{patient}", f"there:{patient}"] + [f"here:x{row}" for row in range(6)]
    several = replace(cases(model(groups=groups)), datasets=("here", "there"))
    for source in (
        Source("new", image=PICTURES[0], patient_id=patient),
        Source("new", image=PICTURES[0], lesion_id=patient, dataset="elsewhere"),
    ):
        (rows,) = several.similar(1 - PICTURES[:1], [source], count=COUNT)
        assert {row["similar_id"] for row in rows} == {f"i{row}" for row in range(2, 8)}


def test_the_data_sets_of_a_model_come_from_its_folder(tmp_path: Path) -> None:
    folder = indexed(tmp_path, archives=[{"name": "here"}, {"name": "there"}])
    assert cases(load(folder)).datasets == ("here", "there")


def turned(image: np.ndarray) -> list[np.ndarray]:
    return [
        np.ascontiguousarray(np.rot90(view, turns))
        for view in (image, image[::-1])
        for turns in range(4)
    ]


@pytest.mark.parametrize("view", range(8))
def test_a_copy_is_known_however_it_is_turned(view: int) -> None:
    source = Source("new", image=turned(PICTURES[3])[view])
    assert "i3" not in similar(model(), [source], count=COUNT)["similar_id"].tolist()


def test_a_file_that_cannot_be_read_has_a_reason(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("no image")
    found = similar(model(), [Source("a", path=tmp_path / "a.jpg")])
    assert found["rank"].isna().all()
    assert found["reason"][0]


def test_without_an_index_it_is_said_how_to_make_one() -> None:
    with pytest.raises(ModelError, match="lentigo export RUN"):
        similar(model(index=False), [Source("a", image=PICTURES[0])])


def indexed(tmp_path: Path, *, archives: list[dict[str, str]]) -> Path:
    """A model folder with an index and, as a few groups set none, without a limit."""
    config = tiny_config(imaging__size=32)
    network = save(tmp_path / "plain", config=config)
    found = seen(load_network(tmp_path / "plain"), [PICTURES], for_index=True)
    assert found is not None
    table = pd.DataFrame({"image_id": [f"i{number}" for number in range(COUNT)]})
    table = table.assign(group_id=table["image_id"], melanoma=True, diagnosis=None)
    card = ModelCard(
        logit_shift=0.0, prevalence=0.1, training_images=COUNT, training_groups=COUNT,
        archives=archives, best_epoch=1, validation_auc=0.5,
        index=make_index(found, table, named=True),
        abstention=Abstention(signals=[], limit=None),
    )  # fmt: skip
    save_model_folder(network, tmp_path / "indexed", card=card, config=config)
    return tmp_path / "indexed"


def test_an_index_without_a_limit_of_abstention_is_searched_all_the_same(
    tmp_path: Path,
) -> None:
    """A few validation groups set no limit, and the training images are known."""
    folder = indexed(tmp_path, archives=[])
    nearest = similar(load(folder), [Source("new", image=PICTURES[3])])
    assert nearest["rank"].tolist() == [1, 2, 3, 4, 5]
    assert "i3" not in nearest["similar_id"].tolist()


@pytest.mark.parametrize("content", [b"PAR1 is damaged", b"something,else\n1,2\n"])
def test_a_table_of_the_run_that_cannot_be_read_takes_only_the_pictures_away(
    content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = indexed(tmp_path, archives=[])
    (tmp_path / "table.parquet").write_bytes(content)
    nearest = similar(load(folder), [Source("new", image=PICTURES[3])])
    assert set(nearest["similar_id"]) < {f"i{number}" for number in range(COUNT)}
    assert set(nearest["path"]) == {""}
    said = "Similar cases come without pictures. " in caplog.text
    assert said == content.startswith(b"PAR1")


def test_what_the_index_knows_of_a_file_keeps_its_group_out() -> None:
    """A file comes without its patient; the index knows that of its image."""
    for source in (Source("i3", image=PICTURES[0] // 2), Source("new", image=PICTURES[3])):
        assert not {"i2", "i3"} & set(similar(model(), [source])["similar_id"])


def test_however_many_are_of_the_same_patient_the_others_are_found() -> None:
    many = model(groups=["g0"] * 6 + ["g1", "g2"])
    found = similar(many, [Source("i0", image=PICTURES[0])], count=1)
    assert found["similar_id"].isin(["i6", "i7"]).all()
    alone = similar(model(groups=["g0"] * 8), [Source("i0", image=PICTURES[0])])
    assert alone["reason"].tolist() == ["no image of another group was learnt from"]
