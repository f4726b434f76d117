"""The outputs of a trained network are those of its trainer, from one pass over images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from lentigo.config import Config
from lentigo.errors import RunError
from lentigo.models import trained
from lentigo.models.folder import member_of
from lentigo.models.trained import predictor_of
from lentigo.run_layout import FoldLayout
from lentigo.tables import NotedTable
from lentigo.training import network, outputs
from lentigo.training.card import card_of
from lentigo.training.data import Examples
from lentigo.training.network import HeldOut, begun
from lentigo.training.outputs import Judge, Outputs, outputs_of
from lentigo.training.trial import make_bench
from tests.cohorts import draw_cohort, tiny_config

PARTS = ("test", "validation")


class Begun:
    """A training that has its images, its split and its network, and has learnt nothing."""

    def __init__(self, table: pd.DataFrame, config: Config, folder: Path) -> None:
        bench = make_bench(NotedTable(table), config, folder)
        self.work, self.config = bench.work, config
        fold = HeldOut(0, FoldLayout(folder / "fold-0"), bench.role)
        self.trainer, self.role = begun(bench.fabric, bench.work, config, fold)
        self.trainer.progress.history.append({"validation_auc": 0.5})
        self.trainer.progress.best_epoch = 1

    def examples(self) -> Mapping[str, Examples]:
        encoding = self.trainer.model.metadata
        return {
            part: network._examples(self.work, self.role, self.config, part, encoding)
            for part in PARTS
        }

    def outputs(self, *, index: bool = True) -> Outputs:
        trainer, work = self.trainer, self.work
        member = member_of(trainer.model, card_of(trainer, work, self.role), self.config)
        return outputs_of(trainer, member, work, self.role, self.examples(), index=index)


SETTINGS = {"training__views": 8, "model__metadata": "late", "training__average": 0.0}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return draw_cohort(tmp_path_factory.mktemp("drawn") / "images")


@pytest.fixture(scope="module")
def started(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Begun:
    begun_now = Begun(table, tiny_config(**SETTINGS), tmp_path_factory.mktemp("run"))
    with torch.no_grad():  # so that the answers differ as those of a trained network do
        for weights in begun_now.trainer.model.head.parameters():
            weights.mul_(20)
    return begun_now


def test_the_answers_are_those_of_the_trainer(started: Begun) -> None:
    found = started.outputs()
    for part, examples in started.examples().items():
        wanted = started.trainer.answers(examples)
        assert np.ptp(wanted) > 1e-3
        assert found.answers[part] == pytest.approx(wanted, abs=1e-5)
        alone = started.trainer.answers(examples.without_metadata())[0]
        assert found.without[part] == pytest.approx(alone, abs=1e-5)
        assert not np.allclose(alone, wanted[0], atol=1e-4)


def test_without_an_index_the_answers_are_the_same(started: Begun) -> None:
    bare, full = started.outputs(index=False), started.outputs()
    assert not bare.found
    assert set(full.found) == {"train", *PARTS}
    for part in PARTS:
        assert bare.answers[part] == pytest.approx(full.answers[part], abs=1e-5)
        assert bare.without[part] == pytest.approx(full.without[part], abs=1e-5)


def test_onnx_runtime_gives_the_same_with_and_without_metadata(
    started: Begun, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines: list[str] = []
    right = predictor_of

    def noted(own: Any, member: Any, *, passes: int) -> Any:
        found = right(own, member, passes=passes)
        engines.append(found.engine)
        return found

    monkeypatch.setattr(outputs, "predictor_of", noted)
    by_torch = started.outputs()
    monkeypatch.setattr(trained, "MUCH", 0)
    by_onnx = started.outputs()
    assert engines == ["torch", "onnx"]
    for part in PARTS:
        assert by_onnx.answers[part] == pytest.approx(by_torch.answers[part], abs=1e-3)
        assert by_onnx.without[part] == pytest.approx(by_torch.without[part], abs=1e-3)


def test_each_image_passes_once_in_all_its_views(started: Begun) -> None:
    """8 views of each judged image and one of each training image, told of or not."""
    passed: list[int] = []
    images = started.trainer.model.backbone.register_forward_pre_hook(
        lambda _, given: passed.append(len(given[0]))
    )
    with images:
        found = started.outputs()
    judged = sum(answers.shape[1] for answers in found.answers.values())
    learnt = int((started.role == "train").sum())
    assert sum(passed) == 8 * judged + learnt
    assert set(found.without) == set(PARTS)


def test_what_will_pass_is_counted_for_the_choice_of_the_engine(
    started: Begun, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    right = predictor_of

    def noted(own: Any, member: Any, *, passes: int) -> Any:
        asked.append(passes)
        return right(own, member, passes=passes)

    monkeypatch.setattr(outputs, "predictor_of", noted)
    started.outputs()
    judged = int(started.role.isin(PARTS).sum())
    assert asked == [8 * judged + int((started.role == "train").sum())]


def test_a_part_without_images_has_no_answers(started: Begun) -> None:
    empty = dict.fromkeys(("train", *PARTS), started.work.table.iloc[:0])
    trainer, work = started.trainer, started.work
    member = member_of(trainer.model, card_of(trainer, work, started.role), started.config)
    predictor = predictor_of(trainer.model, member, passes=0)
    found = Judge(predictor, None, work, empty).outputs(PARTS, index=True)
    assert found.answers["test"].shape == (1, 0)
    assert found.found == dict.fromkeys(("train", *PARTS))


def test_answers_that_are_no_numbers_end_the_training(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    started = Begun(table, tiny_config(training__average=0.0), tmp_path)
    with torch.no_grad():
        next(started.trainer.model.parameters()).fill_(torch.nan)
    with pytest.raises(RunError, match="fold-0 diverged: from epoch 1 on"):
        started.outputs()


def test_each_of_several_devices_answers_logits_of_all_images_without_metadata() -> None:
    told, untold = np.array([1.0, 2.0]), np.array([3.0, 4.0])

    class Part:
        def without_metadata(self) -> str:
            return "untold"

    class Shared:
        model = type("Model", (), {"metadata": object()})

        def answers(self, part: object) -> tuple[np.ndarray, None]:
            return (untold if part == "untold" else told), None

    found = outputs._shared(Shared(), {"test": Part()})  # type: ignore[arg-type, dict-item]
    assert found.answers["test"][0] is told
    assert found.without["test"] is untold
