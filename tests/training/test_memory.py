"""Fewer images at once: the same gradient, and on its own where the memory is full."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from lentigo.errors import RunError
from lentigo.models.batch import Batch
from lentigo.models.losses import auc_margin_loss
from lentigo.training.memory import Steps, as_many_as_fit, out_of_memory
from lentigo.training.step import everywhere, over_samples, share_buffers


class Line(nn.Module):
    """The mean of an image times a weight; it holds `most` images at once."""

    def __init__(self, most: int, error: type[RuntimeError] = torch.OutOfMemoryError):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.5))
        self.most, self.error, self.seen = most, error, list[int]()

    def forward(self, images: Tensor) -> Tensor:
        if len(images) > self.most:
            raise self.error("[enforce fail] DefaultCPUAllocator: can't allocate memory")
        self.seen.append(len(images))
        return self.weight * (images.float().mean(dim=(1, 2, 3)) - 3)

    def take_one(self, at_once: int) -> Tensor:
        return self.forward(batch(at_once).images)


def batch(count: int = 7) -> Batch:
    images = torch.arange(count, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 8, 8)
    return Batch(images, (torch.arange(count) % 2).float(), torch.arange(count))


def step(model: Line, micro_batch: int | None = None) -> tuple[Any, ...]:
    fabric = Fabric(accelerator="cpu", devices=1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    set_up: Any = fabric.setup(model, optimizer)
    steps = Steps(fabric, micro_batch=micro_batch)
    loss, answers = steps.take(
        set_up[0], batch(), binary_cross_entropy_with_logits, set_up[1]
    )
    return loss.item(), answers.tolist(), model.weight.item(), steps.micro_batch


@pytest.mark.parametrize("micro_batch", [2, 3, 4, 6])
def test_pieces_add_up_to_the_gradient_of_the_batch(micro_batch: int) -> None:
    whole, pieces = step(Line(most=7)), step(model := Line(most=7), micro_batch)
    assert pieces[0] == pytest.approx(whole[0])
    assert pieces[1] == pytest.approx(whole[1])
    assert pieces[2] == pytest.approx(whole[2])
    assert sum(model.seen) == 7
    assert 2 <= min(model.seen) <= max(model.seen) <= max(micro_batch, 3)


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, RuntimeError])
def test_a_full_memory_halves_what_is_computed_at_once(
    error: type[RuntimeError], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("WARNING", logger="lentigo"):
        found = step(model := Line(most=3, error=error))
    for ours, whole in zip(found[:3], step(Line(most=7))[:3], strict=True):
        assert ours == pytest.approx(whole)
    assert found[3] == 2
    assert model.seen == [3, 2, 2]  # one piece of three, as none may be of one
    assert "does not hold 7 images at once" in caplog.text


def test_a_memory_that_holds_nothing_is_said_in_one_line() -> None:
    with pytest.raises(RunError, match=r"does not hold 2 images of 8 px at once\. Give a"):
        step(Line(most=1))


@pytest.mark.parametrize(
    "said",
    [
        "MPS backend out of memory (MPS allocated: 8.00 GB, max allowed: 9.07 GB)",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes.",
    ],
)
def test_a_full_memory_is_known_by_what_each_library_says(said: str) -> None:
    assert out_of_memory(RuntimeError(said))


def test_what_does_not_learn_is_halved_until_it_fits_and_that_is_remembered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    steps, asked = Steps(Fabric(accelerator="cpu", devices=1)), list[int]()

    def look(at_once: int) -> str:
        asked.append(at_once)
        if at_once > 5:
            raise torch.OutOfMemoryError("CUDA out of memory. (pretended)")
        return "seen"

    with caplog.at_level("WARNING", logger="lentigo"):
        assert [steps.look(look, 16), steps.look(look, 16)] == ["seen", "seen"]
    assert asked == [16, 8, 4, 4]
    assert "16 images at once, even without learning; it is 8 from here on" in caplog.text
    with pytest.raises(RunError, match="does not hold 1 image at once"):
        as_many_as_fit(Line(most=0).take_one, 4, device=torch.device("cpu"))


def test_another_error_is_none_of_memory() -> None:
    assert not out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


def test_parts_of_a_batch_on_devices_add_up_to_the_gradient_of_the_batch() -> None:
    """Seven images as four and three: devices average their gradients, however many."""
    whole = step(Line(most=7))
    moved, losses = [], []
    for own in batch().split([4, 3]):
        model = Line(most=7)
        fabric = Fabric(accelerator="cpu", devices=1)
        optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
        ready: Any = fabric.setup(model, optimizer)
        loss, _ = Steps(fabric).take(
            ready[0], own, binary_cross_entropy_with_logits, ready[1],
            share=len(own.images) * 2 / 7,
        )  # fmt: skip
        moved.append(model.weight.item() - 0.5)
        losses.append(loss.item())
    assert 0.5 + sum(moved) / 2 == pytest.approx(whole[2])
    assert sum(losses) / 2 == pytest.approx(whole[0])


def test_a_loss_that_compares_images_is_never_cut() -> None:
    fabric = Fabric(accelerator="cpu", devices=1)
    model = Line(most=3)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    ready: Any = fabric.setup(model, optimizer)
    steps = Steps(fabric, compares=True)
    with pytest.raises(RunError, match=r"7 images of a batch at once, which loss auc_mar"):
        steps.take(ready[0], batch(), auc_margin_loss, ready[1])


def test_a_loss_that_compares_images_compares_those_of_one_dropout_mask() -> None:
    """Without a difference between images of a class in any mask nothing is spread."""
    labels = torch.tensor([1.0, 1.0, 0.0, 0.0])
    masks = torch.tensor([[9.0, 9.0, -9.0, -9.0], [0.5, 0.5, -0.5, -0.5]])
    near = partial(auc_margin_loss, margin=0.1)
    loss = over_samples(near, 2, compares=True)
    assert loss(masks.flatten(), labels).item() == pytest.approx(0, abs=1e-12)
    assert over_samples(near, 2)(masks.flatten(), labels).item() > 0.01


class Two:
    """Two devices: this one, and one that holds twos."""

    world_size = 2

    def all_gather(self, values: Tensor) -> Tensor:
        other = torch.tensor([3]) if values.numel() == 1 else torch.full_like(values, 2)
        return torch.stack([values, other])


def test_devices_with_other_numbers_of_images_are_gathered() -> None:
    fabric: Any = Two()
    gathered = everywhere(fabric, torch.tensor([[1.0, 5.0], [1.0, 6.0]]))
    assert gathered.tolist() == [[1, 5], [1, 6], [2, 2], [2, 2], [2, 2]]


def test_the_judged_network_has_the_batch_statistics_of_the_first_device(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, fabric = nn.BatchNorm1d(3), cast("Any", Two())

    def broadcast(buffer: Tensor, src: int) -> None:
        assert src == 0
        buffer.fill_(7)

    monkeypatch.setattr(torch.distributed, "broadcast", broadcast)
    share_buffers(fabric, network)
    assert all((buffer == 7).all() for buffer in network.buffers())
    assert (network.weight == 1).all()  # all devices have the same weights already
