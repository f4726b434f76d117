"""The precision and memory layout in which a network trains fastest on this machine."""

from __future__ import annotations

import hashlib
import platform
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
from lentigo.training.compiling import (
    Compiling,
    check_compiles,
    measure_compiling,
    step_seconds,
)
from lentigo.training.prefix import has_onnx
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
    frozen_by: str = "torch"
    """What computes frozen first stages in training steps: "torch", or "onnx" for ONNX
    Runtime (`lentigo.training.prefix`)."""


def settle_arithmetic(
    model: Classifier, config: TrainConfig, out: Path, *, images: int = 0
) -> None:
    """Choose the arithmetic of a run once and write it to `out/arithmetic.json`.

    `images` is the number of images of the table; 0 stands for a training of some steps.
    If that file exists already (a resumed run), its arithmetic is kept. With precision
    `auto` the fastest arithmetic is measured. What was measured, of compiling too, is also
    stored in the user's cache folder, so that the same training uses the same arithmetic on
    this machine: two of them are often so close that the measured times decide by chance.

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
    compiled = _compiles(model, config, chosen, images=images)
    # Compiled steps would be compiled anew whenever an engine takes a place in them.
    engine = device.type == "cpu" and not compiled and has_onnx()
    frozen_by = "onnx" if engine else "torch"
    chosen = replace(chosen, compiled=compiled, frozen_by=frozen_by)
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
    world, batch = config.devices * config.nodes, _at_once(config)
    epochs = max(config.epochs - config.frozen_epochs, 0)
    steps = epochs * epoch_length(config, images) // (batch * world)
    if not steps:
        return False
    found = _remembered_compiling(model, config, chosen, device, batch=batch)
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


def _at_once(config: TrainConfig) -> int:
    """Return how many images a device computes at once, at most."""
    batch = -(-config.batch_size // (config.devices * config.nodes))
    return min(batch, config.micro_batch or batch)


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
    path = cache_folder() / f"arithmetic-{situation}-{_at_once(config)}.json"
    try:
        return Arithmetic(**read_json(path))
    except (OSError, ValueError, TypeError):
        chosen = faster_arithmetic(
            model,
            size=size,
            device=device,
            batch=_at_once(config),
            frozen_stages=frozen,
        )
    _remember(chosen, path)
    return chosen


def _remembered_compiling(
    model: Classifier,
    config: TrainConfig,
    chosen: Arithmetic,
    device: torch.device,
    *,
    batch: int,
) -> Compiling | None:
    """Return what compiling gives, from the cache folder; if missing there, measure it."""
    size, frozen = config.image_size, config.frozen_stages
    situation = _situation(model, size, device, frozen)
    way = f"{batch}-{chosen.precision}-{'last' if chosen.channels_last else 'first'}"
    path = cache_folder() / f"compiling-{situation}-{way}.json"
    with suppress(OSError, ValueError, TypeError):
        return Compiling(**read_json(path))
    _layout(model, chosen.channels_last)
    found = measure_compiling(
        model,
        size=size,
        batch=batch,
        device=device,
        short=_SHORT.get(chosen.precision),
        frozen_stages=frozen,
    )
    if found is not None:
        _remember(found, path)
    return found


def _remember(found: Arithmetic | Compiling, path: Path) -> None:
    with suppress(RunError, OSError):  # a home that cannot be written to
        write_json(path, asdict(found))


_MEASURED = 3
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
    model: Classifier,
    *,
    size: int,
    device: torch.device,
    batch: int,
    frozen_stages: int = 0,
) -> Arithmetic:
    """Return the arithmetic that trains `model` fastest on `device`, by timing a few steps.

    `size` is the side of the square images, in pixels, and `batch` their number in a step,
    of which fewer are timed where they are large; `frozen_stages` is as in the settings. No
    rule predicts the fastest: bf16 halves the time of one backbone on a CPU and lengthens
    that of another. The weights of `model` are not changed, but its batch-normalisation
    statistics are.
    """
    model.to(device).train()
    stages = first_stages(model, frozen_stages)
    stages.freeze()
    # In memory as the images of a batch are: the channels of a pixel beside each other.
    count = min(batch, max(_FEW, _PIXELS // size**2))
    images = torch.zeros(
        count, size, size, model.channels, dtype=torch.uint8, device=device
    ).permute(0, 3, 1, 2)
    ways = [
        Arithmetic(precision, channels_last=last, device=device.type)
        for precision in ("32-true", short_precision(device))
        for last in (False, True)
    ]
    least = _seconds(model, images, ways)
    for weight in stages.parameters:
        weight.requires_grad_(True)
    plain, best = ways[0], min(ways, key=lambda way: least[way])
    # Only a gain beyond the noise of the clock is worth another arithmetic.
    return best if least[best] < 0.95 * least[plain] else plain


_LAPS = 5
"""Steps of each way that are timed, the first of which only warms up."""
_FEW, _PIXELS = 8, 32 * 160 * 160
"""Images that are timed at least, and pixels at most where there are more. With few small
images the weights take most of a step, which each step converts to 16 bits."""


def _seconds(
    model: Classifier, images: Tensor, ways: list[Arithmetic]
) -> dict[Arithmetic, float]:
    """Return the time of a step in each of `ways`: of its fastest lap."""
    laps: dict[Arithmetic, list[float]] = {way: [] for way in ways}
    # In turns, and the best lap of each: another program's burst then hits them all alike.
    for lap in range(_LAPS):
        for way in _hopeful(laps) if lap else ways:
            _layout(model, way.channels_last)
            laps[way].append(step_seconds(model, images, short=_SHORT.get(way.precision)))
    return {way: _best(times) for way, times in laps.items()}


def _hopeful(laps: dict[Arithmetic, list[float]]) -> list[Arithmetic]:
    """Return the ways that may still be the fastest; a long step is not timed in vain.

    Without instructions for it 16 bits can take ten times as long, which the first lap
    tells already.
    """
    best = {way: _best(times) for way, times in laps.items()}
    warm = max(map(len, laps.values())) > 1
    most = (1.5 if warm else 4) * min(best.values())
    return [way for way in laps if best[way] < most]


def _best(times: list[float]) -> float:
    return min(times[1:] or times)


_SHORT = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


def short_precision(device: torch.device) -> str:
    """Return the precision of 16 bits that `device` computes itself.

    It is bf16, but for NVIDIA GPUs made before 2020, which have only half precision.
    """
    old = device.type == "cuda" and not torch.cuda.is_bf16_supported(
        including_emulation=False
    )
    return "16-mixed" if old else "bf16-mixed"


def _layout(model: nn.Module, channels_last: bool) -> None:
    model.to(
        memory_format=torch.channels_last if channels_last else torch.contiguous_format
    )
