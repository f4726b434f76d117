"""The frozen first stages of a backbone, computed by ONNX Runtime in training steps.

Frozen stages are the same function in every step and need no gradients, so an engine for
inference may compute them, in a third of torch's time (`benchmarks/training_steps.py`). Its
numbers differ from torch's by rounding. It is used only where the whole backbone was seen
to give the same features with it.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import deepcopy
from functools import partial
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from lentigo.config import TrainConfig
from lentigo.models.batch import Batch
from lentigo.models.network import BUILD_ERRORS, Classifier
from lentigo.models.stages import Stages
from lentigo.progress import log
from lentigo.training.schedule import epoch_length

Compute = Callable[[Tensor], Tensor]
"""The frozen stages: scaled images (N, C, H, W) to features (N, F, h, w)."""

AGREES = 1e-4
"""Largest difference of the pooled features with and without the engine, relative to the
largest of them."""


class FrozenStages:
    """Lets ONNX Runtime compute the frozen `stages` of `backbone`, where it can.

    There is an engine for each size of the images. Where the stages cannot be exported, or
    the backbone gives other features with the engine, torch computes them as before.
    """

    def __init__(self, backbone: nn.Module, stages: Stages) -> None:
        self.backbone = backbone
        kept = set(map(id, stages.layers))
        self.names = [name for name, m in backbone.named_modules() if id(m) in kept]
        self._known: dict[tuple[int, ...], tuple[list[str], Compute] | None] = {}

    @contextmanager
    def by_engine(self, batch: Batch) -> Iterator[None]:
        """Use the engine within the `with` block, for images of the size of `batch`."""
        size = tuple(batch.images.shape[1:])
        if len(size) == 3 and size not in self._known:
            self._known[size] = engine_of(self.backbone, self.names, size)
        known = self._known.get(size)  # None too for pooled features instead of images
        if known is None:
            yield
            return
        names, compute = known
        with replaced([self.backbone.get_submodule(each) for each in names], compute):
            yield


def frozen_stages(
    model: Classifier, stages: Stages, config: TrainConfig, images: int, by: str
) -> FrozenStages | None:
    """Return the frozen `stages` of `model` for an engine; None where torch is to do it.

    `by` is `Arithmetic.frozen_by`, and `images` the number of training images. Torch also
    computes where there are few or small ones: the export takes some seconds.
    """
    epochs = max(config.epochs - config.frozen_epochs, 0)
    learnt = epochs * epoch_length(config, images)
    enough = learnt * (config.image_size / 224) ** 2 >= FEWEST
    if not stages.layers or by != "onnx" or not enough:
        return None
    return FrozenStages(model.backbone, stages)


FEWEST = 2_000
"""Number of images of 224 px to be learnt from that repays the export."""


def has_onnx() -> bool:
    """Tell whether ONNX Runtime is installed."""
    return find_spec("onnxruntime") is not None


@contextmanager
def replaced(layers: Sequence[nn.Module], compute: Compute) -> Iterator[None]:
    """Let `compute` take the place of `layers`, which run one after the other.

    The first one's input goes to `compute`, and the last one returns its result; those
    between, and layers without weights, see something of no meaning.
    """
    results: list[Tensor] = []

    def first(images: Tensor) -> Tensor:
        results.append(compute(images))
        return images

    def last(_: Tensor) -> Tensor:
        return results.pop()

    ways = [first, *[_unchanged] * (len(layers) - 2), last] if layers[1:] else [compute]
    for layer, way in zip(layers, ways, strict=True):
        vars(layer)["forward"] = way  # hides the method of the class
    try:
        yield
    finally:
        for layer in layers:
            del vars(layer)["forward"]


def _unchanged(given: Tensor) -> Tensor:
    return given


def engine_of(
    backbone: nn.Module, names: Sequence[str], size: tuple[int, ...]
) -> tuple[list[str], Compute] | None:
    """Return the outermost frozen layers in their order, and an engine that computes them.

    `names` are the frozen layers of `backbone`, and `size` is (C, H, W) of its images. None
    if they cannot be computed apart from the rest: the exporter fails, a layer runs twice
    or takes more than one tensor, or the features of the backbone differ.
    """
    own = deepcopy(backbone).eval().to(memory_format=torch.contiguous_format)
    given = torch.rand(2, *size, generator=torch.Generator().manual_seed(0)) * 4 - 2
    with torch.no_grad(), suppress(*BUILD_ERRORS):
        layers = _in_order(own, names, given)
        if layers:
            expected = own(given)
            compute = _engine(own, layers[-1], given)
            with replaced([own.get_submodule(each) for each in layers], compute):
                found = own(given)
            apart, most = (found - expected).abs().max(), expected.abs().max()
            if float(apart) <= AGREES * float(most):
                log.info("ONNX Runtime computes the frozen stages in training steps.")
                return layers, compute
    log.info("The frozen stages are computed by torch: they cannot be taken apart.")
    return None


def _in_order(backbone: nn.Module, names: Sequence[str], given: Tensor) -> list[str]:
    """Return the outermost of the layers `names` as they run; [] if one does not run once.

    So it is with a layer of several inputs or outputs.
    """
    outer = [
        name for name in names if not any(name.startswith(f"{other}.") for other in names)
    ]
    ran: list[str] = []
    plain = True

    def note(name: str, _: nn.Module, taken: Any, result: Any) -> None:
        nonlocal plain
        ran.append(name)
        plain &= len(taken) == 1 and isinstance(result, Tensor)

    hooks = [
        backbone.get_submodule(name).register_forward_hook(partial(note, name))
        for name in outer
    ]
    backbone(given)
    for hook in hooks:
        hook.remove()
    return ran if plain and sorted(ran) == sorted(outer) else []


class _UpTo(nn.Module):
    """A backbone that gives the result of its layer `last`."""

    def __init__(self, backbone: nn.Module, last: str) -> None:
        super().__init__()
        self.backbone, self.last = backbone, last

    def forward(self, images: Tensor) -> Tensor:
        found: list[Tensor] = []

        def keep(_: nn.Module, __: Any, result: Tensor) -> None:
            found.append(result)

        hook = self.backbone.get_submodule(self.last).register_forward_hook(keep)
        self.backbone(images)
        hook.remove()
        return found[0]


def _engine(backbone: nn.Module, last: str, given: Tensor) -> Compute:
    """Return a function that computes `backbone` up to its layer `last`."""
    import onnxruntime as ort

    for noisy in ("torch.onnx", "onnxscript", "onnx_ir"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about its own future
        program = torch.onnx.export(
            _UpTo(backbone, last).eval(),
            (given,),
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("images", min=1, max=65_536)},),
            input_names=["images"],
            output_names=["features"],
            verbose=False,
        )
    if program is None:  # only for exporters that are not asked for here
        raise RuntimeError("The exporter of torch gave no program.")
    options = ort.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    # Waiting threads would take the cores from the processes that read the images.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    content = program.model_proto.SerializeToString()
    session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def compute(images: Tensor) -> Tensor:
        asked: Mapping[str, Any] = {"images": images.float().contiguous().numpy()}
        return torch.from_numpy(session.run(None, asked)[0])

    return compute
