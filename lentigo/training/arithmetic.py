"""The precision and memory layout in which a network trains fastest on this machine."""

from __future__ import annotations

import hashlib
import platform
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path

import torch
from torch import Tensor, nn

from lentigo.config import TrainConfig
from lentigo.errors import RunError
from lentigo.json_files import read_json, read_json_object, write_json
from lentigo.machine import cache_folder
from lentigo.models.device import fastest_device
from lentigo.models.network import Classifier
from lentigo.models.stages import first_stages
from lentigo.progress import log
from lentigo.run_layout import RunLayout
from lentigo.training.compiling import check_compiles, measure_compiling
from lentigo.training.schedule import epoch_length


@dataclass(frozen=True)
class Arithmetic:
    """Number format, memory layout and kind of device of a training."""

    precision: str = "32-true"
    """Number format by the name of Lightning Fabric, such as "bf16-mixed"."""
    channels_last: bool = False
    """Whether the channels of the weights are adjacent in memory, as those of a pixel of
    the images always are."""
    device: str | None = None
    """Kind of device by Fabric's name, such as "cuda"; None: as the settings say."""
    compiled: bool = False
    """Whether the training steps are compiled (`torch.compile`)."""


def settle_arithmetic(
    model: Classifier, config: TrainConfig, out: Path, *, images: int = 0
) -> None:
    """Choose the arithmetic of a run once and write it to `out/arithmetic.json`.

    `images` is the number of images of the table; 0 stands for a training of some steps.
    If that file exists already (a resumed run), its arithmetic is kept. With precision
    `auto` the fastest arithmetic is measured, and the choice is also stored in the user's
    cache folder, so that the same training uses the same arithmetic on this machine: two
    of them are often so close that the measured times decide by chance.

    Raises `RunError` if a resumed run was started on a kind of device that is missing now,
    and `ConfigError` if the steps are to be compiled and cannot be.
    """
    path = RunLayout(out).arithmetic
    if path.is_file():
        _check_device(read_arithmetic(out), out)
        return
    device = device_of(config)
    if config.precision == "auto" and config.method == "gradient":
        chosen = _remembered(model, config, device)
        log.info(
            "Training in %s%s is fastest here.",
            chosen.precision,
            ", channels last" if chosen.channels_last else "",
        )
    else:
        known = "32-true" if config.precision == "auto" else config.precision
        chosen = Arithmetic(known, channels_last=True, device=device.type)
    chosen = replace(chosen, compiled=_compiles(model, config, chosen, images=images))
    write_json(path, asdict(chosen))


def _compiles(
    model: Classifier, config: TrainConfig, chosen: Arithmetic, *, images: int
) -> bool:
    """Tell whether the steps are to be compiled: as the settings say, else if it pays."""
    device = device_of(config)
    if config.compile == "always" and config.method == "gradient":
        check_compiles(device)
        return True
    # On the CPUs measured, compiled steps took as long as plain ones (docs/results.md).
    if config.compile == "never" or config.method != "gradient" or device.type != "cuda":
        return False
    batch = config.micro_batch or config.batch_size
    epochs = max(config.epochs - config.frozen_epochs, 0)
    steps = epochs * epoch_length(config, images) // batch
    if not steps:
        return False
    _layout(model, chosen.channels_last)
    found = measure_compiling(
        model,
        size=config.image_size,
        batch=batch,
        device=device,
        short=_SHORT.get(chosen.precision),
        frozen_stages=config.frozen_stages,
    )
    pays = found is not None and found.pays_back(steps)
    if found is not None:
        log.info(
            "Compiling takes %.0f s; a step takes %.0f ms instead of %.0f: %s.",
            found.once,
            1000 * found.compiled,
            1000 * found.plain,
            "it pays back" if pays else "it does not pay back",
        )
    return pays


def read_arithmetic(out: Path) -> Arithmetic:
    """Read the arithmetic that `settle_arithmetic` wrote.

    Raises `RunError` if the file cannot be read or has other fields.
    """
    path = RunLayout(out).arithmetic
    try:
        return Arithmetic(**read_json_object(path))
    except TypeError as error:
        raise RunError(f"{path} says of no arithmetic that we know; delete it.") from error


def _check_device(noted: Arithmetic, out: Path) -> None:
    missing = {
        "cuda": not torch.cuda.is_available(),
        "mps": not torch.backends.mps.is_available(),
    }
    if missing.get(noted.device or "cpu"):
        raise RunError(
            f"The run in {out} was begun on a device of the kind {noted.device}, which is "
            "not here. Resume it where one is, or start anew with another --out."
        )


def _remembered(model: Classifier, config: TrainConfig, device: torch.device) -> Arithmetic:
    """Return the fastest arithmetic from the cache folder; if missing there, measure it."""
    size, frozen = config.image_size, config.frozen_stages
    situation = _situation(model, size, device, frozen)
    path = cache_folder() / f"arithmetic-{situation}.json"
    try:
        return Arithmetic(**read_json(path))
    except (OSError, ValueError, TypeError):
        chosen = faster_arithmetic(model, size=size, device=device, frozen_stages=frozen)
    with suppress(RunError, OSError):  # a home that cannot be written to
        write_json(path, asdict(chosen))
    return chosen


_MEASURED = 2
"""Version of the measurement; what an earlier one found is not believed."""


def _situation(
    model: Classifier, size: int, device: torch.device, frozen_stages: int
) -> str:
    """A digest of everything that the speed depends on: network, image size, machine …"""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    facts = (
        repr(model.backbone), model.channels, size, device.type, name,
        torch.get_num_threads(), torch.__version__, metadata.version("timm"),
        frozen_stages, _MEASURED,
    )  # fmt: skip
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line
    return f"{platform.machine()} {platform.processor()}"


def device_of(config: TrainConfig) -> torch.device:
    """The first device of the kind that `config` asks for."""
    if config.accelerator != "auto":
        return torch.device(config.accelerator)
    return fastest_device()


def faster_arithmetic(
    model: Classifier, *, size: int, device: torch.device, frozen_stages: int = 0
) -> Arithmetic:
    """Return the arithmetic that trains `model` fastest on `device`, by timing a few steps.

    `size` is the side of the square images, in pixels; `frozen_stages` is as in the
    settings. No rule predicts the fastest: bf16 halves the time of one backbone on a CPU
    and doubles that of another. The weights of `model` are not changed, but its
    batch-normalisation statistics are.
    """
    model.to(device).train()
    stages = first_stages(model, frozen_stages)
    stages.freeze()
    # In memory as the images of a batch are: the channels of a pixel beside each other.
    images = torch.zeros(
        8, size, size, model.channels, dtype=torch.uint8, device=device
    ).permute(0, 3, 1, 2)
    ways = [
        Arithmetic(precision, channels_last=last, device=device.type)
        for precision in ("32-true", short_precision(device))
        for last in (False, True)
    ]
    laps: dict[Arithmetic, list[float]] = {way: [] for way in ways}
    # In turns, and the best lap of each: another program's burst then hits them all alike.
    for _ in range(5):
        for way in ways:
            _layout(model, way.channels_last)
            laps[way].append(_seconds(model, images, short=_SHORT.get(way.precision)))
    for weight in stages.parameters:
        weight.requires_grad_(True)
    plain = ways[0]
    best = min(ways, key=lambda way: min(laps[way][1:]))
    # Only a gain beyond the noise of the clock is worth another arithmetic.
    return best if min(laps[best][1:]) < 0.95 * min(laps[plain][1:]) else plain


_SHORT = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


def short_precision(device: torch.device) -> str:
    """Return the precision of 16 bits that `device` computes itself.

    It is bf16, but for NVIDIA GPUs made before 2020, which have only half precision.
    """
    old = device.type == "cuda" and not torch.cuda.is_bf16_supported(
        including_emulation=False
    )
    return "16-mixed" if old else "bf16-mixed"


def _seconds(model: Classifier, images: Tensor, *, short: torch.dtype | None) -> float:
    start = time.perf_counter()
    with torch.autocast(images.device.type, short, enabled=short is not None):
        value = model(images).float().square().mean()
    value.backward()
    if images.device.type == "cuda":
        torch.cuda.synchronize(images.device)
    return time.perf_counter() - start


def _layout(model: nn.Module, channels_last: bool) -> None:
    model.to(
        memory_format=torch.channels_last if channels_last else torch.contiguous_format
    )
