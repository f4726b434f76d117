"""Which arithmetic trains a network fastest on this machine."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from lentigo.config import TrainConfig
from lentigo.errors import RunError
from lentigo.files import read_json_object, write_json
from lentigo.modeling.backbone import Classifier
from lentigo.progress import log


@dataclass(frozen=True)
class Arithmetic:
    """Number format and memory layout of a training."""

    precision: str = "32-true"
    channels_last: bool = False


def settle_arithmetic(model: Classifier, config: TrainConfig, out: Path) -> None:
    """Choose the arithmetic of a run once and note it in `out/arithmetic.json`.

    A resumed run has to go on with the one that it was started with.
    """
    path = out / "arithmetic.json"
    if path.is_file():
        return
    device = device_of(config)
    if config.precision == "auto" and config.method == "gradient":
        chosen = faster_arithmetic(model, size=config.image_size, device=device)
        log.info(
            "Training in %s%s is fastest here.",
            chosen.precision,
            ", channels last" if chosen.channels_last else "",
        )
    else:
        known = "32-true" if config.precision == "auto" else config.precision
        chosen = Arithmetic(known, channels_last=True)
    write_json(path, asdict(chosen))


def read_arithmetic(out: Path) -> Arithmetic:
    """What `settle_arithmetic` noted."""
    path = out / "arithmetic.json"
    try:
        return Arithmetic(**read_json_object(path))
    except TypeError as error:
        raise RunError(f"{path} says of no arithmetic that we know; delete it.") from error


def device_of(config: TrainConfig) -> torch.device:
    """The first device of the kind that `config` asks for."""
    if config.accelerator != "auto":
        return torch.device(config.accelerator)
    return fastest_device()


def fastest_device() -> torch.device:
    """A GPU of NVIDIA, else one of Apple, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def faster_arithmetic(model: Classifier, *, size: int, device: torch.device) -> Arithmetic:
    """The arithmetic that trains `model` fastest on `device`, found by a few steps each.

    There is no rule: bf16 halves the time of one backbone on a CPU and doubles that of
    another. The weights are not changed, but the batch statistics of `model` are.
    """
    model.to(device).train()
    images = torch.zeros(8, model.channels, size, size, dtype=torch.uint8, device=device)
    ways = [
        Arithmetic(precision, channels_last=last)
        for precision in ("32-true", "bf16-mixed")
        for last in (False, True)
    ]
    laps: dict[Arithmetic, list[float]] = {way: [] for way in ways}
    # In turns, and the best lap of each: another program's burst then hits them all alike.
    for _ in range(5):
        for way in ways:
            _layout(model, way.channels_last)
            laps[way].append(_seconds(model, images, bf16=way.precision == "bf16-mixed"))
    plain = ways[0]
    best = min(ways, key=lambda way: min(laps[way][1:]))
    # Only a gain beyond the noise of the clock is worth another arithmetic.
    return best if min(laps[best][1:]) < 0.95 * min(laps[plain][1:]) else plain


def _seconds(model: Classifier, images: Tensor, *, bf16: bool) -> float:
    start = time.perf_counter()
    with torch.autocast(images.device.type, torch.bfloat16, enabled=bf16):
        value = model(images).float().square().mean()
    value.backward()
    if images.device.type == "cuda":
        torch.cuda.synchronize(images.device)
    return time.perf_counter() - start


def _layout(model: nn.Module, channels_last: bool) -> None:
    model.to(
        memory_format=torch.channels_last if channels_last else torch.contiguous_format
    )
