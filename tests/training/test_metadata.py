"""A network learns from age, sex and site beside the image, and to answer without them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import lentigo
from lentigo.config import Config
from lentigo.errors import ConfigError, DatasetError
from lentigo.models.metadata import MetadataEncoding, Patients, fields_of
from lentigo.models.network import build_model
from lentigo.pipeline import Result, finish
from lentigo.run_layout import FoldLayout
from lentigo.stopping import Terminated, listening
from lentigo.tables import check_table, read_any_table
from lentigo.training import data
from lentigo.training.arithmetic import Arithmetic
from lentigo.training.data import Beside
from lentigo.training.fabric import make_fabric
from lentigo.training.fold import Fold
from lentigo.training.frozen import FrozenEpochs
from lentigo.training.learnable import learnable
from lentigo.training.loop import fit
from lentigo.training.trainer import Trainer
from tests.cohorts import disc, tiny_config
from tests.training.test_frozen import same
from tests.training.test_trainer import examples, settings, stop_after

PATIENTS = Patients.of(
    [20.0 + 3 * number for number in range(21)],
    ["female", "male", None] * 7,
    ["torso", "head/neck", "torso"] * 7,
)


def fused(folder: Path, config: Config) -> Trainer:
    """A training of 21 images and their patients, judged by 12 others."""
    folder.mkdir(parents=True, exist_ok=True)
    kind = config.model.metadata
    assert kind in {"late", "film"}
    encoding = MetadataEncoding.fitted(PATIENTS, kind)
    learnt, judged = examples(21, 0), examples(12, 1)
    known, unknown = encoding.encode(PATIENTS), np.array(encoding.unknown, np.float32)
    learnt.beside = Beside(known, unknown, config.model.metadata_dropout)
    learnt.config = config.augment
    judged.beside = Beside(known[:12], unknown)
    torch.manual_seed(0)
    model = build_model(config.model, metadata=encoding)
    fold = Fold(FoldLayout(folder), config, learnt, judged)
    return Trainer(make_fabric(config.training, Arithmetic(device="cpu")), model, fold)


def test_a_share_of_patients_is_not_told_of(tmp_path: Path) -> None:
    """The seed of a draw decides, and nothing but the patient is left out."""
    learnt = fused(tmp_path, settings(model__metadata="late")).fold.train
    assert learnt.beside is not None
    draws = [(nth % 21, (0, 0, nth)) for nth in range(2000)]
    told = learnt.metadata_of(draws)
    assert told is not None
    unknown = torch.from_numpy(learnt.beside.unknown)
    silent = (told == unknown).all(dim=1)
    assert 0.27 < silent.float().mean() < 0.33
    whole = torch.from_numpy(learnt.beside.metadata)[[place for place, _ in draws]]
    assert torch.equal(told[~silent], whole[~silent])
    again = learnt.metadata_of(draws[100:200])
    assert again is not None
    assert torch.equal(again, told[100:200])
    bare = learnt.without_metadata().metadata_of(draws[:5])
    assert bare is not None
    assert torch.equal(bare, unknown.expand(5, -1))


def test_whose_metadata_are_left_out_of_kept_features_changes_with_the_epoch(
    tmp_path: Path,
) -> None:
    """One view of each image in all frozen epochs, and other patients without metadata."""
    config = settings(
        training__epochs=9, training__frozen_epochs=8, training__frozen_views=1,
        model__metadata="late", model__metadata_dropout=0.5,
    )  # fmt: skip
    fold = fused(tmp_path, config)
    beside = fold.fold.train.beside
    assert beside is not None
    unknown = torch.from_numpy(beside.unknown)
    silent, images = set(), set()
    for epoch in range(8):
        fold.frozen.look(fold.model, epoch)
        draws = fold.frozen.draws(epoch)
        read = list(fold.frozen.read(epoch, draws))
        left_out = [
            int(place)
            for batch in read if batch.metadata is not None
            for place, told in zip(batch.places, batch.metadata, strict=True)
            if torch.equal(told, unknown)
        ]  # fmt: skip
        silent.add(frozenset(left_out))
        images |= {key[: data.OF_IMAGE] for batch in draws for _, key in batch}
    assert len(silent) == 8
    assert len(images) == len(fold.fold.train)


@pytest.mark.parametrize("kind", ["late", "film"])
def test_kept_features_meet_the_same_patients(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = settings(
        training__epochs=3, training__frozen_epochs=2, training__frozen_views=1,
        training__average=0.9, model__metadata=kind,
    )  # fmt: skip
    kept = fused(tmp_path / "kept", config)
    fit(kept)
    with monkeypatch.context() as patched:
        patched.setattr(FrozenEpochs, "keeps", lambda *_: False)
        plain = fused(tmp_path / "plain", config)
        fit(plain)
    same(kept, plain)
    assert kept.model.fusion is not None
    weights = build_model(config.model, metadata=kept.model.metadata).fusion
    assert weights is not None  # what was learnt of patients moved, and so did its mean
    average = kept.judged.state_dict()
    assert any(name.startswith("fusion.") for name in average)


def test_a_stopped_training_goes_on_in_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = settings(
        training__epochs=2, training__mixup=0.4, training__average=0.9,
        training__micro_batch=4, model__metadata="film",
    )  # fmt: skip
    whole = fused(tmp_path / "whole", config)
    fit(whole)
    with monkeypatch.context() as patched:
        stop_after(patched, 5)
        with pytest.raises(Terminated, match="resume"), listening():
            fit(fused(tmp_path / "fold-0", config))
    resumed = fused(tmp_path / "fold-0", config)
    fit(resumed)
    weights = resumed.judged.state_dict()
    assert all(torch.equal(v, weights[k]) for k, v in whole.judged.state_dict().items())


def test_a_logistic_head_has_no_use_for_it() -> None:
    with pytest.raises(ConfigError, match=r"no use for model\.metadata"):
        tiny_config(
            training__method="logistic", model__hidden=0, model__metadata="late",
            training__average=0.0,
        )  # fmt: skip
    tiny_config(
        training__method="logistic", model__hidden=0, model__metadata="auto",
        training__average=0.0,
    )  # fmt: skip


def test_a_table_without_patients_is_refused_at_once() -> None:
    table = check_table(
        pd.DataFrame({"image_id": ["a", "b"], "melanoma": [True, False]}), source="two"
    )
    with pytest.raises(DatasetError, match="None of 2 labelled images has an age"):
        learnable(table, tiny_config(model__metadata="late"))
    learnable(table, tiny_config())


@pytest.mark.parametrize(
    ("ages", "sites", "datasets", "fields", "said"),
    [
        ([40.0, 50.0, None, None], ["torso"] * 2 + [None] * 2, "aaaa", ("age", "site"),
         "takes age and site beside the image: at least half of the images have each"),
        ([40.0, None, None, None], [None] * 4, "aaaa", (), "takes the image alone"),
        ([40.0, 50.0, None, None], ["torso"] * 4, "aabb", ("site",),
         "takes site beside the image: at least half of the images of each data set"),
        ([40.0, 50.0, 60.0, None], ["torso"] * 2 + [None] * 2, "aabb", ("age",), "age"),
    ],
)  # fmt: skip
def test_auto_takes_what_each_data_set_knows(
    ages: list[float | None], sites: list[str | None], datasets: str,
    fields: tuple[str, ...], said: str, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """Where one archive has no sites, that they are missing would tell its name."""
    rows = {
        "image_id": list("klmn"), "melanoma": [True, False] * 2,
        "age": ages, "site": sites, "dataset": list(datasets),
    }  # fmt: skip
    table = check_table(pd.DataFrame(rows), source="four")
    assert fields_of("auto", table) == fields
    assert fields_of("none", table) == ()
    assert fields_of("film", table) == ("age", "sex", "site")
    with caplog.at_level("INFO"):
        learnable(table, tiny_config(model__metadata="auto"))
    assert said in caplog.text


def test_a_field_that_is_not_taken_changes_no_answer() -> None:
    """Without ages (or sites) in the training an age, or a site, counts as unknown."""
    patients = Patients.of([70.0, None], ["male", "female"], ["torso", None])
    encoding = MetadataEncoding.fitted(patients.only(["sex"]), "late")
    assert not encoding.takes_age
    assert encoding.encode(patients).tolist() == [[0, 1, 0, 1, 0, 1], [0, 1, 1, 0, 0, 1]]
    assert encoding.used(patients) == [("sex",), ("sex",)]
    assert MetadataEncoding.fitted(patients, "late").used(patients)[0] == (
        "age", "sex", "site",
    )  # fmt: skip


def draw_old_and_dark(folder: Path, images: int = 160) -> pd.DataFrame:
    """Draw discs that are melanomas where they are dark and the patient is old.

    Of the image alone an AUC of 0.83 can be had: a third of the others are dark, too.
    """
    rng, rows = np.random.default_rng(5), []
    folder.mkdir(parents=True)
    for number in range(images):
        dark, old = bool(number % 2), bool(number // 2 % 2)
        path = folder / f"L{number:03}.png"
        Image.fromarray(disc(rng, dark=dark)).save(path)
        rows.append(
            {
                "image_id": path.stem, "path": str(path), "dataset": "discs",
                "patient_id": f"P{number:03}", "sex": ("female", "male")[number % 3 % 2],
                "age": float(rng.integers(60, 85) if old else rng.integers(20, 45)),
                "melanoma": dark and old,
            }
        )  # fmt: skip
    return check_table(pd.DataFrame(rows), source="the discs")


LEARNS = {
    "training__epochs": 6, "training__learning_rate": 3e-3, "split__folds": 3,
    "training__average": 0.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return draw_old_and_dark(tmp_path_factory.mktemp("drawn") / "images")


@pytest.fixture(scope="module")
def result(cohort: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """The mean of networks by late fusion (as `auto`), by FiLM, and of the image alone."""
    members = [{"model.metadata": "auto"}, {"model.metadata": "film"}, {}]
    config = tiny_config(members=members, evaluation__baseline=["age"], **LEARNS)
    out = tmp_path_factory.mktemp("run") / "run"
    return finish(lentigo.train(cohort, config, out=out))


def aucs(result: Result) -> dict[str, Any]:
    found = json.loads(result.run.layout.evaluation.read_text(encoding="utf-8"))
    members = {name.split()[-1]: each["value"] for name, each in found["members"].items()}
    return {**members, "without": found["without_metadata"]}


def test_the_patient_tells_what_the_image_cannot(result: Result) -> None:
    """Both fusions come near 1, and a network of the image alone stays near 0.83."""
    found = aucs(result)
    late, film, image_alone = (found[f"member-{k}"] for k in range(3))
    assert min(late, film) > max(0.93, image_alone + 0.04)


def test_the_same_images_are_told_with_and_without(result: Result) -> None:
    found = aucs(result)["without"]
    gain = found["difference"]["auc"]
    expected = found["given"]["value"] - found["without"]["value"]
    assert gain["value"] == pytest.approx(expected)
    assert gain["low"] > 0  # what the patient tells is beyond chance
    said = " ".join(result.headline)
    assert "takes age, sex and site beside the image" in said
    assert "Without them it reached" in result.report.read_text(encoding="utf-8")


def test_the_folder_knows_the_encoding_of_the_training_images(
    result: Result, cohort: pd.DataFrame
) -> None:
    """Fitted on the training part of the fold, and on nothing else."""
    layout = result.run.layout
    from lentigo.models.description import read_description

    with_it, _, image_alone = read_description(layout.fold(0).model).members
    assert image_alone.metadata is None
    assert with_it.metadata is not None
    roles = read_any_table(layout.fold(0).roles).set_index("image_id")["role"]
    learnt = cohort[cohort["image_id"].map(roles) == "train"]
    assert with_it.metadata.age_mean == pytest.approx(learnt["age"].mean())
    assert with_it.metadata.age_mean != pytest.approx(cohort["age"].mean(), abs=1e-9)
    assert with_it.metadata.sites == []


def test_the_folder_answers_as_the_training_did(
    result: Result, cohort: pd.DataFrame
) -> None:
    """With the table as the column logit says, and of the files alone as without."""
    judged = result.run.predictions
    mine = cohort[cohort["image_id"].isin(judged["image_id"])]
    model = lentigo.load(result.run.folder, engine="torch")
    known = judged.set_index("image_id").loc[mine["image_id"]]
    given = model.predict(mine, abstain=False)
    assert set(given["metadata"]) == {"age, sex"}
    np.testing.assert_allclose(given["logit"], known["logit"], atol=1e-4)
    bare = model.predict([Path(path) for path in mine["path"]], abstain=False)
    assert set(bare["metadata"]) == {"none"}
    np.testing.assert_allclose(bare["logit"], known["logit_without_metadata"], atol=1e-4)
