"""Check an ONNX file before it is run, because it may come from anybody.

An ONNX file can refer to other files, contain endless loops and define its own functions. A
network needs none of these, so only a plain feed-forward graph in one file is accepted. The
memory and the time of its nodes are limited by the engine.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

OPERATORS = frozenset({
    "Abs", "Add", "And", "ArgMax", "AveragePool", "BatchNormalization", "Cast",
    "CastLike", "Ceil", "Clip", "Concat", "Constant", "ConstantOfShape", "Conv", "CumSum",
    "DepthToSpace", "DequantizeLinear", "Div", "Dropout", "Einsum", "Elu", "Equal", "Erf",
    "Exp", "Expand", "Flatten", "Floor", "Gather", "GatherElements", "GatherND", "Gelu",
    "Gemm", "GlobalAveragePool", "GlobalMaxPool", "Greater", "GreaterOrEqual",
    "GroupNormalization", "HardSigmoid", "HardSwish", "Identity", "InstanceNormalization",
    "IsNaN", "LRN", "LayerNormalization", "LeakyRelu", "Less", "LessOrEqual", "Log",
    "LogSoftmax", "LpNormalization", "MatMul", "MatMulInteger", "Max", "MaxPool", "Mean",
    "Min", "Mish", "Mod", "Mul", "Neg", "Not", "Or", "PRelu", "Pad", "Pow", "QLinearConv",
    "QLinearMatMul", "QuantizeLinear", "Range", "Reciprocal", "ReduceL2", "ReduceMax",
    "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "Relu", "Reshape", "Resize",
    "Round", "ScatterND", "Selu", "Shape", "Sigmoid", "Sign", "Size", "Slice", "Softmax",
    "Softplus", "Softsign", "SpaceToDepth", "Split", "Sqrt", "Squeeze", "Sub", "Sum",
    "Tan", "Tanh", "ThresholdedRelu", "Tile", "Transpose", "Trilu", "Unsqueeze", "Where",
    "Xor",
})  # fmt: skip
"""Operators that compute an answer from an image, without branches, loops or files."""

MOST_NODES = 20_000
"""Highest number of nodes of a graph; the largest timm network has 6,000."""

_EXTERNAL = 1
_FLOAT, _UINT8 = 1, 2

# The fields that are looked at, by the numbers that onnx.proto3 gives them; all others are
# skipped as unknown ones: (name, number, type or message, repeated).
_MESSAGES: dict[str, list[tuple[str, int, str, bool]]] = {
    "Other": [],
    "Model": [
        ("graph", 7, "Graph", False),
        ("training_info", 20, "Other", True),
        ("functions", 25, "Other", True),
    ],
    "Graph": [
        ("node", 1, "Node", True),
        ("initializer", 5, "Tensor", True),
        ("input", 11, "Value", True),
        ("output", 12, "Value", True),
        ("sparse_initializer", 15, "Sparse", True),
    ],
    "Node": [
        ("op_type", 4, "string", False),
        ("attribute", 5, "Attribute", True),
        ("domain", 7, "string", False),
    ],
    "Attribute": [
        ("t", 5, "Tensor", False),
        ("g", 6, "Other", False),
        ("tensors", 10, "Tensor", True),
        ("graphs", 11, "Other", True),
        ("sparse_tensor", 22, "Sparse", False),
        ("sparse_tensors", 23, "Sparse", True),
    ],
    "Tensor": [
        ("external_data", 13, "Other", True),
        ("data_location", 14, "int32", False),
    ],
    "Sparse": [("values", 1, "Tensor", False), ("indices", 2, "Tensor", False)],
    "Value": [("name", 1, "string", False), ("type", 2, "Type", False)],
    "Type": [("tensor_type", 1, "TensorType", False)],
    "TensorType": [("elem_type", 1, "int32", False), ("shape", 2, "Shape", False)],
    "Shape": [("dim", 1, "Dim", True)],
    "Dim": [("dim_value", 1, "int64", False)],
}


METADATA = "metadata"
"""Name of the input for the encoded age, sex and site of the patients."""


def faults(
    content: bytes,
    *,
    channels: int,
    size: int,
    outputs: int = 1,
    metadata: int | None = None,
) -> Iterator[str]:
    """Yield the reasons not to run the ONNX file `content`; none for an acceptable network.

    Its inputs must be `images`, (N, `channels`, `size`, `size`) `uint8`, and, if `metadata`
    is not None, `metadata`, (N, `metadata`) `float32`. It must have 1 to `outputs` outputs.
    """
    try:
        model = _message_class()()
        model.ParseFromString(content)
    except (DecodeError, RuntimeError, UnicodeDecodeError):
        yield "it is no ONNX file"
        return
    graph = model.graph
    if not graph.node:
        yield "it holds no network"
        return
    if len(graph.node) > MOST_NODES:
        yield f"it has {len(graph.node):,} steps, and a network has {MOST_NODES:,} at most"
        return
    yield from _foreign(model)
    yield from _not_beside(graph)
    if not 1 <= len(graph.output) <= outputs:
        yield "it gives several answers, or none"
    yield from _wrong_input(graph, channels, size, metadata)


def _foreign(model: Any) -> Iterator[str]:
    """Yield reasons against a model that has functions, branches, loops or foreign nodes.

    A node is foreign if its operator is not one of `OPERATORS` in ONNX's own set.
    """
    if model.functions or model.training_info:
        yield "it holds functions of its own"
    strange = sorted(
        {
            node.op_type[:40]
            for node in model.graph.node
            if node.op_type not in OPERATORS or node.domain not in {"", "ai.onnx"}
        }
    )
    if strange:
        yield f"it holds steps that no network of lentigo takes ({', '.join(strange[:3])})"
    if any(each.HasField("g") or each.graphs for each in _attributes(model.graph)):
        yield "it branches or loops"


def _not_beside(graph: Any) -> Iterator[str]:
    """Yield a reason against a graph if its weights lie in another file."""
    if any(
        each.data_location == _EXTERNAL or each.external_data for each in _tensors(graph)
    ):
        yield "its weights lie in another file"


def _wrong_input(
    graph: Any, channels: int, size: int, metadata: int | None
) -> Iterator[str]:
    names = ["images"] if metadata is None else ["images", METADATA]
    if [each.name for each in graph.input] != names:
        yield f"it takes something else than {' and '.join(names)}"
        return
    if metadata is not None:
        numbers = graph.input[1].type.tensor_type
        widths = [each.dim_value for each in numbers.shape.dim]
        if numbers.elem_type != _FLOAT or widths[1:] != [metadata] or widths[0]:
            yield f"it does not take {metadata} numbers of each patient"
    images = graph.input[0].type.tensor_type
    shape = [each.dim_value for each in images.shape.dim]
    if images.elem_type != _UINT8 or shape[1:] != [channels, size, size] or shape[0]:
        yield f"it does not take images of {size} × {size} pixels and {channels} channels"


def _attributes(graph: Any) -> Iterator[Any]:
    for node in graph.node:
        yield from node.attribute


def _tensors(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    sparse = list(graph.sparse_initializer)
    for each in _attributes(graph):
        if each.HasField("t"):
            yield each.t
        yield from each.tensors
        sparse += [*each.sparse_tensors, each.sparse_tensor]
    for each in sparse:
        yield from (each.values, each.indices)


@cache
def _message_class() -> Any:
    """Build the protobuf message class `Model` from `_MESSAGES`."""
    file = descriptor_pb2.FileDescriptorProto(
        name="lentigo/onnx_outline.proto", package="lentigo.onnx_outline", syntax="proto3"
    )
    kinds = descriptor_pb2.FieldDescriptorProto
    plain = {
        "string": kinds.TYPE_STRING,
        "int64": kinds.TYPE_INT64,
        "int32": kinds.TYPE_INT32,
    }
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind, repeated in fields:
            message.field.add(
                name=field,
                number=number,
                label=kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL,
                type=plain.get(kind, kinds.TYPE_MESSAGE),
                type_name=None if kind in plain else f".lentigo.onnx_outline.{kind}",
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName("lentigo.onnx_outline.Model")
    )
