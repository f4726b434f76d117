"""A network learns from another: what is learnt by hand, and what would leak is refused."""

from __future__ import annotations

import dataclasses
import math
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import expit
from torch import Tensor

from lentigo.config import TrainConfig, with_settings
from lentigo.config.imaging import ImagingConfig
from lentigo.errors import ConfigError
from lentigo.models.batch import Batch
from lentigo.models.classifier import Answers, Classifier
from lentigo.models.network import build_model
from lentigo.models.torch_predictor import TorchPredictor
from lentigo.training.arithmetic import Arithmetic
from lentigo.training.distillation import Teacher, check_can_teach, of_one_logit
from lentigo.training.mixing import mixed
from lentigo.training.step import over_samples
from tests.cohorts import tiny_config

CPU = Arithmetic(device="cpu")
CLASSES = ("melanoma", "nevus", "other")


def network(*classes: str, seed: int = 0) -> Classifier:
    torch.manual_seed(seed)
    return build_model(tiny_config().model, features=96, classes=classes).eval()


def predictor(
    *classes: str, size: int = 32, view: tuple[str, ...] = ("rgb",), shift: float = 0.0
) -> TorchPredictor:
    return TorchPredictor(
        network=network(*classes), store_size=32, fit="crop", max_pixels=10**6,
        image_size=size, view=view, looks=1, logit_shift=shift,
    )  # fmt: skip


def teacher(
    *members: TorchPredictor, classes: tuple[str, ...] = (), **settings: Any
) -> Teacher:
    return Teacher(
        members, classes, TrainConfig(**settings), ("rgb",), nullcontext,
        at_once=settings.get("micro_batch"),
    )  # fmt: skip


def test_one_logit_is_the_softened_mean_of_the_networks() -> None:
    found = teacher(predictor(), predictor(shift=1.0), temperature=2).softened(
        [torch.tensor([[1.0]]), torch.tensor([[3.0]])]
    )
    # ((1 - 0) + (3 - 1)) / 2 = 1.5, and 1.5 / 2 = 0.75
    assert found[0].tolist() == pytest.approx([1 - expit(0.75), expit(0.75)])


@pytest.mark.parametrize("temperature", [1, 3])
def test_diagnoses_are_the_softened_scores_in_the_order_of_the_student(
    temperature: float,
) -> None:
    own = network("nevus", "melanoma", "other")
    scores = torch.tensor([[0.3, -1.0, 2.0], [4.0, 5.0, -6.0]])
    answers = torch.cat([own.melanoma(scores)[:, None], own.log_shares(scores)], dim=1)
    member = dataclasses.replace(predictor(), network=own)
    found = teacher(member, classes=CLASSES, temperature=temperature).softened([answers])
    wanted = torch.softmax(scores[:, [1, 0, 2]] / temperature, dim=1)
    torch.testing.assert_close(found, wanted)


def test_a_network_of_melanoma_alone_votes_on_melanoma_alone() -> None:
    told = torch.tensor([[0.0, math.log(0.25), math.log(0.75)]])
    members = (predictor(*CLASSES), predictor())
    found = teacher(*members, classes=CLASSES, temperature=1).softened(
        [told, torch.tensor([[2.0]])]
    )
    # The mean logit is 1; what melanoma leaves is shared 1 to 3.
    rest = 1 - expit(1)
    assert found[0].tolist() == pytest.approx([expit(1), rest / 4, 3 * rest / 4])


def batch(count: int = 4, side: int = 32) -> Batch:
    images = torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8)
    return Batch(images, torch.arange(count) % 2.0, torch.arange(count))


def square(given: Tensor, labels: Tensor) -> Tensor:
    return ((given - labels) ** 2).mean()


def test_the_loss_is_the_weighted_mean_of_both() -> None:
    taught = dataclasses.replace(batch(), soft=torch.tensor([[0.4, 0.6]] * 4))
    own = teacher(predictor(), teacher_weight=0.25, temperature=1)
    joined, loss = own.add_to(taught, square, lambda given: of_one_logit(given, 0.5))
    logits = torch.tensor([0.5, 0.5, 0.5, 0.5])  # a probability of 0.5, less the shift
    # The labels are 0, 1, 0, 1.
    divergence = 0.4 * math.log(0.4 / 0.5) + 0.6 * math.log(0.6 / 0.5)
    expected = 0.75 * 0.25 + 0.25 * divergence
    assert float(loss(logits, *joined.targets)) == pytest.approx(expected)


def test_a_student_that_says_what_the_teacher_says_has_no_more_to_learn() -> None:
    """The teacher's probability is that of its logit less its shift, for both of them."""
    member = predictor(shift=0.7)
    own = teacher(member, teacher_weight=1, temperature=3)
    joined, loss = own.add_to(batch(), square, lambda given: of_one_logit(given, -2.0))
    told = Answers(member.network)(joined.images)[:, 0].detach() - 0.7
    logits = (told - 2.0).requires_grad_()
    value = loss(logits, *joined.targets)
    value.backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert value.item() == pytest.approx(0, abs=1e-6)
    assert logits.grad.abs().max() < 1e-6


def test_dropout_samples_are_each_compared_with_the_teacher() -> None:
    taught = dataclasses.replace(batch(2), soft=torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    own = teacher(predictor(), teacher_weight=1, temperature=1)
    of_two = over_samples(square, 2)
    joined, loss = own.add_to(taught, of_two, lambda given: of_one_logit(given, 0.0))
    right, wrong = torch.tensor([-9.0, 9.0]), torch.tensor([9.0, -9.0])
    assert float(loss(torch.cat([right, right]), *joined.targets)) < 1e-3
    half = float(loss(torch.cat([right, wrong]), *joined.targets))
    assert half == pytest.approx(4.5, abs=1e-3)


def test_the_teacher_sees_the_mixed_image_or_its_answers_are_mixed() -> None:
    config = TrainConfig(mixup=1.0)
    plain = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.2, 0.8]])
    own = dataclasses.replace(teacher(predictor()), plain=plain)
    given = dataclasses.replace(batch(), places=torch.tensor([3, 2, 1, 0]))
    found, _ = mixed(own.with_plain(given), square, config, rng=np.random.default_rng(1))
    rng = np.random.default_rng(1)
    rng.integers(1)
    share = rng.beta(1, 1)
    share, partner = max(share, 1 - share), rng.permutation(4)
    mine = plain[[3, 2, 1, 0]]
    assert found.soft is not None
    torch.testing.assert_close(
        found.soft, (share * mine + (1 - share) * mine[partner]).float()
    )
    seen = teacher(predictor())
    mix, _ = mixed(seen.with_plain(given), square, config, rng=np.random.default_rng(1))
    assert mix.soft is None
    looked, _ = seen.add_to(mix, square, lambda given: given)
    torch.testing.assert_close(looked.soft, seen.probabilities(mix.images))


def test_images_are_brought_to_the_size_and_the_channels_of_the_teacher() -> None:
    own = dataclasses.replace(teacher(predictor(size=48)), view=("gray", "rgb"))
    images = torch.randint(0, 256, (2, 4, 32, 32), dtype=torch.uint8)
    larger = (
        torch.nn.functional.interpolate(
            images[:, 1:].float(), size=(48, 48), mode="bilinear", antialias=True
        )
        .round()
        .clamp(0, 255)
        .to(torch.uint8)
    )
    with torch.no_grad():
        logits = own.members[0].network(larger) / own.config.temperature
    torch.testing.assert_close(own.probabilities(images)[:, 1], logits.sigmoid())


RGB = ImagingConfig(size=32, fit="crop")
HSV = ImagingConfig(size=32, fit="crop", view=("hsv",))


def test_a_teacher_of_other_diagnoses_or_views_is_refused() -> None:
    config = TrainConfig(image_size=32)
    with pytest.raises(ConfigError, match=r"other diagnoses .* melanoma or not, and"):
        check_can_teach([predictor()], config, classes=CLASSES, imaging=RGB)
    with pytest.raises(ConfigError, match="melanoma and nevus, and not melanoma and nevus"):
        check_can_teach(
            [predictor("melanoma", "nevus")], config, classes=CLASSES, imaging=RGB
        )
    hsv = [predictor(view=("hsv",))]
    with pytest.raises(ConfigError, match=r"takes hsv at 32 px .*teacher_sees=plain"):
        check_can_teach(hsv, config, classes=(), imaging=RGB)
    larger = [predictor(view=("hsv",), size=64)]
    with pytest.raises(ConfigError, match=r"takes hsv at 64 px .*hsv at 32 px"):
        check_can_teach(larger, config, classes=(), imaging=HSV)
    check_can_teach(hsv, config, classes=(), imaging=HSV)
    plain = TrainConfig(teacher_sees="plain")
    check_can_teach(larger, plain, classes=(), imaging=RGB)
    check_can_teach([predictor(*CLASSES)], config, classes=(), imaging=RGB)


@pytest.mark.parametrize("sees", ["augmented", "plain"])
def test_a_teacher_of_squares_of_another_kind_is_refused(sees: str) -> None:
    config = with_settings(tiny_config(), {"training.teacher_sees": sees}).training
    padded = dataclasses.replace(predictor(), fit="pad")
    said = r"imaging\.fit=crop and pad, and .* by imaging\.fit=crop,"
    with pytest.raises(ConfigError, match=said):
        check_can_teach([predictor(), padded], config, classes=(), imaging=RGB)


def test_the_teacher_looks_at_no_more_images_at_once_than_the_student() -> None:
    several = teacher(predictor(*CLASSES), predictor(size=40), micro_batch=3)
    whole = dataclasses.replace(several, at_once=None)
    images, seen = batch(7).images, []
    for member in several.members:
        member.network.backbone.register_forward_pre_hook(
            lambda _, given: seen.append(len(given[0]))
        )
    found = several.probabilities(images)
    assert seen == [3, 3, 1] * 2
    torch.testing.assert_close(found, whole.probabilities(images))
    assert several.probabilities(images[:0]).shape == (0, 2)


def test_the_teacher_looks_at_fewer_images_where_the_memory_is_full() -> None:
    """It holds two; the student has found out already that it does not hold seven."""
    own = teacher(predictor())
    images, seen = batch(7), list[int]()
    expected = own.probabilities(images.images)

    def full(_: object, given: tuple[torch.Tensor]) -> None:
        seen.append(len(given[0]))
        if len(given[0]) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. (pretended)")

    own.members[0].network.backbone.register_forward_pre_hook(full)
    joined, _ = own.add_to(images, square, lambda given: given, at_once=4)
    assert seen == [4, 2, 2, 2, 1]
    torch.testing.assert_close(joined.soft, expected)
    own.add_to(images, square, lambda given: given)
    assert seen[5:] == [2, 2, 2, 1]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"method": "logistic"}, "method logistic has no use for teacher"),
        ({"loss": "auc_margin"}, "auc_margin does not go together with teacher"),
    ],
)
def test_what_cannot_be_taught_is_refused(settings: dict[str, Any], said: str) -> None:
    changed = {f"training.{name}": value for name, value in settings.items()}
    with pytest.raises(ConfigError, match=said):
        with_settings(tiny_config(), {**changed, "training.teacher": "runs/large"})


def test_members_share_their_teacher() -> None:
    with pytest.raises(ConfigError, match=r"cannot differ in training\.teacher"):
        tiny_config(members=[{"training.teacher": "runs/large"}])
