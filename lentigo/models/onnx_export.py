"""Write a torch network as ONNX; the scaling of the images is part of the ONNX network.

To follow a network operation by operation takes seconds and does not depend on its weights.
So it is done once for networks that differ in nothing else, such as those of the folds of
a run; the weights are then filled in, and folded into each other where that is faster.
"""

from __future__ import annotations

import logging
import warnings
from copy import deepcopy
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from pickle import Pickler, PicklingError
from typing import Any

import torch
from torch import Tensor, nn

from lentigo.errors import ModelError
from lentigo.files import written_beside
from lentigo.models.backend import EARLY
from lentigo.models.early import features_and_early
from lentigo.models.network import Classifier
from lentigo.models.onnx_graph import METADATA
from lentigo.models.outputs import Outputs

_OPSET = 18
"""Version of the ONNX operators; ONNX Runtime 1.14, OpenVINO 2023 and later know it."""


def write_onnx(network: Classifier, path: Path, *, size: int) -> None:
    """Write `network` for images of S = `size`: (N, C, S, S) `uint8` to logits (N,).

    A network that takes metadata has a second input for it, (N, M) `float32`. The pooled
    features, (N, F), are an output as well. A network with an output for each diagnosis
    also gives the log share of each diagnosis other than melanoma, (N, D), where the D
    shares sum to 1, and the energy, (N,) (`Classifier.log_shares` and `energy`). The last
    output are the early features, if the backbone gives some (`models.early`). Notes of
    the exporter about this computer, such as paths, are removed from the file.

    Raises `ModelError` if the network has an operation that ONNX does not know.
    """
    content = onnx_content(network, size=size)
    with written_beside(path) as temporary:
        temporary.write_bytes(content)


def onnx_content(network: Classifier, *, size: int) -> bytes:
    """Return the content of the file that `write_onnx` writes; errors as there."""
    model = _exported(network, size)
    _forget_origin(model)
    return bytes(model.SerializeToString())


def _exported(network: Classifier, size: int) -> Any:
    # A copy: the caller's network keeps its device, memory layout and mode.
    network = deepcopy(network).eval().cpu().to(memory_format=torch.contiguous_format)
    outputs = Outputs(network).eval()
    key = structure(outputs), size
    program = _KNOWN.pop(key, None) or _followed(network, outputs, size)
    if key[0] is not None:
        _KNOWN[key] = program  # again the last one
        for oldest in list(_KNOWN)[:-_MOST]:
            del _KNOWN[oldest]
    own = torch.onnx.ONNXProgram(program.model.clone(), None)
    named = own.model.graph.initializers
    weights = outputs.state_dict()
    own.apply_weights({name: each for name, each in weights.items() if name in named})
    own.optimize()
    return own.model_proto


_KNOWN: dict[tuple[str | None, int], torch.onnx.ONNXProgram] = {}
"""Programs of networks, without what folding changes, by structure and size of the images;
the one that was used last comes last."""

_MOST = 4
"""Programs that are kept, each with the weights of its first network."""


def structure(network: nn.Module) -> str | None:
    """Return a digest of all that `network` is but for its weights (its `state_dict`).

    A tensor that is no weight counts with its values. None if the network holds something
    that cannot be pickled, such as a parametrisation.
    """
    file = BytesIO()
    try:
        _Structure(file, network).dump(network)
    except (PicklingError, AttributeError, TypeError, ValueError, RuntimeError):
        return None
    return sha256(file.getvalue()).hexdigest()


class _Structure(Pickler):
    """Pickles a network with names and shapes in place of its weights."""

    def __init__(self, file: BytesIO, network: nn.Module) -> None:
        super().__init__(file, protocol=4)
        # Else equal words that are one object would differ from those that are two.
        self.fast = True
        weights = network.state_dict(keep_vars=True)
        self._names = {id(each): name for name, each in weights.items()}

    def persistent_id(self, each: object) -> object:
        if not isinstance(each, Tensor):
            return None
        told = (tuple(each.shape), str(each.dtype))
        if name := self._names.get(id(each)):
            return name, told
        return sha256(each.detach().cpu().numpy().tobytes()).hexdigest(), told


def _followed(network: Classifier, outputs: nn.Module, size: int) -> torch.onnx.ONNXProgram:
    given = [torch.zeros(2, network.channels, size, size, dtype=torch.uint8)]
    if network.metadata is not None:
        given.append(torch.from_numpy(network.metadata.encode(None, count=2)))
    several = torch.export.Dim("images", min=1, max=65_536)
    for noisy in ("torch.onnx", "onnxscript", "onnx_ir"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about its own future
            program = torch.onnx.export(
                outputs,
                tuple(given),
                dynamo=True,
                dynamic_shapes=tuple({0: several} for _ in given),
                input_names=["images", METADATA][: len(given)],
                output_names=_output_names(network, given[0]),
                opset_version=_OPSET,
                external_data=False,
                optimize=False,
                verbose=False,
            )
    except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise ModelError(
            f"{type(network.backbone).__name__} cannot be written as ONNX: {reason}. It "
            "can be used with torch."
        ) from error
    if program is None:  # only for exporters that are not asked for here
        raise ModelError("The exporter of torch gave no program.")
    return program


def _output_names(network: Classifier, images: Tensor) -> list[str]:
    names = ["logit", "features"]
    if network.classes:
        names = ["logit", "diagnoses", "features", "energy"]
    with torch.no_grad():
        early = features_and_early(network, images)[1]
    return [*names, EARLY] if early.shape[1] else names


def _forget_origin(model: Any) -> None:
    graph = model.graph
    parts = [model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer]
    for part in [*parts, *graph.value_info]:
        del part.metadata_props[:]
        if part.DESCRIPTOR.fields_by_name.get("doc_string"):
            part.doc_string = ""
