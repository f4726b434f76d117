"""Whole trainings with diagnoses as target, balanced draws, frozen stages, eight views."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import lentigo
from lentigo.export import export
from lentigo.json_files import read_json
from lentigo.models.weights import read_weights
from lentigo.training.data import Examples
from lentigo.training.lesson import plain_lesson
from tests.cohorts import draw_cohort, tiny_config
from tests.training.test_trainer import examples, settings, trainer


def told_apart(folder: Path) -> pd.DataFrame:
    """Discs of two archives: melanoma, nevus and keratosis; of four only that benign."""
    table = draw_cohort(folder, images=120)
    benign = table.index[~table["melanoma"]]
    table.loc[benign[:20], "diagnosis"] = "seborrheic keratosis"
    table.loc[benign[20:40], "diagnosis"] = "benign keratosis"
    table.loc[benign[40:44], ["diagnosis", "melanoma"]] = pd.NA
    table.loc[benign[40:44], "malignant"] = False
    table.loc[60:, "dataset"] = "more discs"
    return table


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> lentigo.Run:
    folder = tmp_path_factory.mktemp("lessons")
    config = tiny_config(
        training__epochs=8, training__target="diagnosis", training__frozen_stages=1,
        training__balance="class_and_archive", training__views=8, training__average=0.0,
    )  # fmt: skip
    return lentigo.train(told_apart(folder / "images"), config, out=folder / "run")


def test_melanoma_is_read_off_the_diagnoses(run: lentigo.Run) -> None:
    truth = run.table.set_index("image_id")["melanoma"]
    predicted = run.predictions
    melanoma = predicted["image_id"].map(truth).astype(bool)
    assert predicted.loc[melanoma, "logit"].min() > predicted.loc[~melanoma, "logit"].max()
    member = read_json(run.folder / "fold-0" / "model" / "model.json")["members"][0]
    assert member["diagnoses"] == ["melanoma", "benign keratosis", "nevus"]
    assert (member["input"]["views"], member["logit_shift"]) == (8, 0.0)


COLUMNS = ["probability_melanoma", "probability_benign_keratosis", "probability_nevus"]


def test_held_out_images_have_a_probability_of_each_diagnosis(run: lentigo.Run) -> None:
    predicted = run.predictions
    assert [
        each for each in map(str, predicted) if each.startswith("probability_")
    ] == COLUMNS
    assert [*predicted][-1] == "reason"
    assert (predicted["probability_melanoma"] == predicted["probability"]).all()
    assert np.allclose(predicted[COLUMNS].sum(axis=1), 1, atol=1e-12)
    validation = pd.read_csv(run.folder / "fold-0" / "validation.csv")
    assert np.allclose(validation[COLUMNS].sum(axis=1), 1, atol=1e-12)


def test_both_losses_of_an_epoch_are_of_melanoma(run: lentigo.Run) -> None:
    # Of three diagnoses the loss would begin at log 3 and stay above that of melanoma.
    history = pd.read_csv(run.folder / "fold-0" / "metrics.csv")
    last = history.iloc[-1]
    assert last["auc"] == last["validation_auc"] == 1
    assert last["loss"] == pytest.approx(last["validation_loss"], abs=0.1)


def test_what_is_not_known_to_be_melanoma_is_learnt_from_and_not_judged(
    run: lentigo.Run,
) -> None:
    unknown = run.table.loc[run.table["melanoma"].isna(), "image_id"]
    roles = pd.read_csv(run.folder / "fold-0" / "roles.csv").set_index("image_id")["role"]
    assert len(unknown) == 4
    assert set(roles[unknown]) == {"train", "left out"}
    assert not set(unknown) & set(run.predictions["image_id"])
    given = read_json(run.folder / "environment.json")["given"]
    assert given["left_out"] == {}


def test_the_model_folder_answers_as_the_run_did_with_torch_and_onnx(
    run: lentigo.Run, tmp_path: Path
) -> None:
    paths = run.table.set_index("image_id")["path"]
    judged = run.predictions
    files = [Path(paths[name]) for name in judged["image_id"]]
    again = run.load().predict(files)
    assert np.allclose(again["logit"], judged["logit"], atol=1e-5)
    assert export(run.folder, tmp_path / "model").agreement.largest < 1e-5
    exported = lentigo.load(tmp_path / "model")
    assert exported.engine == "onnx"
    for found in (again, exported.predict(files)):
        assert np.allclose(found[COLUMNS], judged[COLUMNS], atol=1e-5)
    assert "in 8 views" in (tmp_path / "model" / "card.md").read_text()


def test_the_frozen_stage_is_the_one_that_was_begun_with(run: lentigo.Run) -> None:
    from lentigo.config import read_config
    from lentigo.models.network import build_model

    config = read_config(run.folder / "config.yaml")
    torch.manual_seed(config.seed)
    begun = build_model(config.model).state_dict()
    learnt = read_weights(run.folder / "fold-0" / "model" / "model.safetensors")
    stage = [name for name in begun if name.startswith("backbone.layer1")]
    assert stage
    assert all(torch.equal(learnt[name], begun[name]) for name in stage)


@pytest.mark.parametrize("balance", ["class", "class_and_archive"])
def test_balanced_draws_leave_probabilities_as_common_as_melanomas_are(
    balance: str, tmp_path: Path
) -> None:
    """A network that sees nothing answers the share of melanoma, not that of the draws."""
    blank = examples(40, 0, every=10)
    blank.images = np.zeros((40, 32, 32, 3), dtype=np.uint8)
    fold = trainer(
        tmp_path / "fold-0",
        settings(
            training__balance=balance, training__balance_power=1.0, training__epochs=1,
            training__learning_rate=1e-4,
        ),
        validation=blank,
    )  # fmt: skip
    share = fold.fold.prevalence
    assert fold.fold.lesson.drawn.tolist() == pytest.approx([0.5, 0.5])
    shown = 1 / (1 + np.exp(-fold.predict(blank)))
    assert shown.mean() == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize("loss", ["cross_entropy", "logit_adjusted"])
@pytest.mark.parametrize("imbalance", ["none", "bias", "oversample", "class_weights"])
def test_the_shares_that_a_loss_adds_are_those_of_a_probability(
    loss: str, imbalance: str
) -> None:
    """The best constant answer of each loss, corrected, is the share of melanoma."""
    labels = (np.arange(200) % 10 == 0).astype(np.float32)
    config = settings(training__loss=loss, training__imbalance=imbalance).training
    lesson = plain_lesson(labels, config)
    taught = np.array([0, 1] * 100, np.float32) if imbalance == "oversample" else labels
    logits = torch.linspace(-6, 6, 2401)
    value = lesson.loss(torch.device("cpu"))
    losses = [value(each.expand(200), torch.from_numpy(taught)).item() for each in logits]
    best = logits[int(np.argmin(losses))].item() - lesson.logit_shift
    assert 1 / (1 + np.exp(-best)) == pytest.approx(0.1, abs=0.002)


def test_a_view_costs_what_the_epoch_can_afford(tmp_path: Path) -> None:
    """Of 21 training images a quarter is worth 5 views of 3: 12 images get 2, not 8."""
    fold = trainer(tmp_path / "fold-0", settings(training__views=8))
    seen: list[int | None] = []
    answer = fold.predict

    def predict(examples: Examples, *, views: int | None = None) -> np.ndarray:
        seen.append(views)
        return answer(examples, views=views)

    fold.predict = predict  # type: ignore[method-assign]
    fold._judge()
    assert seen == [2]
