"""The engines that compute networks, and loading the networks of a model folder into them.

An engine is a module with a function `load_member` that returns a `Predictor`. An engine is
imported only when it is used, so that it works if the others are not installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, cast

from lentigo.errors import LentigoError, ModelError, unknown_name
from lentigo.models.backend import Predictor
from lentigo.models.description import read_description
from lentigo.models.schema import Description, Member

File = Literal["torch", "onnx", "onnx_int8"]


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A library that computes networks, such as ONNX Runtime."""

    name: str
    summary: str
    """A description of the engine in a few words."""
    module: str
    """Its function `load_member(folder, description, member, engine)` loads a network."""
    file: File
    """The field of `MemberFiles` that holds the file which the engine reads."""
    package: str
    """The Python package that has to be installed."""
    extra: str
    """The extra of lentigo that installs the package."""
    exact: bool = True
    """Whether its logits equal those of the trained network, except for rounding."""

    def is_installed(self) -> bool:
        """Tell whether the package of the engine is installed, without importing it."""
        return find_spec(self.package) is not None

    @property
    def way(self) -> str:
        """The pip command that installs the engine."""
        return f"pip install 'lentigo[{self.extra}]'"

    def serves(self, description: Description) -> bool:
        """Tell whether each network of a model folder has a file for this engine."""
        return all(getattr(each.files, self.file) for each in description.members)


ENGINES = {
    engine.name: engine
    for engine in (
        Engine(
            name="onnx",
            summary="ONNX Runtime on the CPU, without torch",
            module="lentigo.models.onnx_engine",
            file="onnx",
            package="onnxruntime",
            extra="predict",
        ),
        Engine(
            name="torch",
            summary="PyTorch on a GPU or the CPU",
            module="lentigo.models.torch_engine",
            file="torch",
            package="torch",
            extra="train",
        ),
        Engine(
            name="openvino",
            summary="OpenVINO on the CPU, without torch",
            module="lentigo.models.openvino_engine",
            file="onnx",
            package="openvino",
            extra="openvino",
        ),
        Engine(
            name="onnx-int8",
            summary="ONNX Runtime in 8-bit whole numbers; answers differ a little",
            module="lentigo.models.onnx_engine",
            file="onnx_int8",
            package="onnxruntime",
            extra="predict",
            exact=False,
        ),
        Engine(
            name="openvino-int8",
            summary="OpenVINO in 8-bit whole numbers; answers differ a little",
            module="lentigo.models.openvino_engine",
            file="onnx_int8",
            package="openvino",
            extra="openvino",
            exact=False,
        ),
    )
}
"""All engines; if no speed was measured, the first usable one is taken."""

AUTO = "auto"
"""Stands for the first usable engine, or for the fastest one (`lentigo.models.fastest`)."""
ENGINE_NAMES = (AUTO, *ENGINES)


def check_engine(name: str) -> None:
    """Check that the engine `name` exists and is installed; `auto` always passes.

    Raises `UnknownNameError` for an unknown name, `LentigoError` for a missing package.
    """
    if name not in ENGINE_NAMES:
        raise unknown_name("engine", name, ENGINE_NAMES)
    if name != AUTO and not ENGINES[name].is_installed():
        raise _not_installed(ENGINES[name])


def engine_for(engine: str, device: str) -> str:
    """Return `engine`, but torch if `engine` is `auto` and `device` is a GPU."""
    return "torch" if engine == AUTO and device not in {"auto", "cpu"} else engine


def is_exact(name: str) -> bool:
    """Tell whether `name` is an engine, and an exact one (`Engine.exact`)."""
    return name in ENGINES and ENGINES[name].exact


def usable(description: Description) -> list[Engine]:
    """Return the exact, installed engines for which a model folder has files."""
    return [
        engine
        for engine in ENGINES.values()
        if engine.exact and engine.is_installed() and engine.serves(description)
    ]


def load_members(
    folder: Path, description: Description, engine: str = AUTO
) -> tuple[Predictor, ...]:
    """Load the networks of a model folder into an engine; `auto` is the first of `usable`.

    Raises:
        ModelError: a file is missing, damaged or does not fit the description.
        UnknownNameError: there is no such engine.
        LentigoError: the engine is not installed, or, with `auto`, no usable engine is.
    """
    check_engine(engine)
    chosen = _first(folder, description) if engine == AUTO else ENGINES[engine]
    if not chosen.serves(description):
        raise ModelError(
            f"{folder} has no file for the engine {chosen.name}. Write one with 'lentigo "
            "export', or take another engine."
        )
    return tuple(
        load_member(folder, description, member, chosen.name)
        for member in description.members
    )


def load_member(
    folder: Path, description: Description, member: Member, engine: str
) -> Predictor:
    """Load the network `member` into an installed engine; errors as in `load_members`."""
    module = import_module(ENGINES[engine].module)
    return cast("Predictor", module.load_member(folder, description, member, engine))


def load_predictor(folder: Path, *, engine: str = AUTO) -> Predictor:
    """Load a model folder that holds a single network.

    Raises what `read_description` and `load_members` raise, and `ValueError` if the folder
    holds several networks.
    """
    description = read_description(folder)
    (predictor,) = load_members(folder, description, engine)
    return predictor


def _first(folder: Path, description: Description) -> Engine:
    if found := usable(description):
        return found[0]
    for_it = [engine for engine in ENGINES.values() if engine.serves(description)]
    raise _not_installed(*for_it, folder=folder)


def _not_installed(*engines: Engine, folder: Path | None = None) -> LentigoError:
    what = f"Loading {folder}" if folder else f"The engine {engines[0].name}"
    ways = [each.way for each in engines]
    packages = _either([each.package for each in engines])
    return LentigoError(f"{what} needs {packages}: {_either(ways)}.")


def _either(words: Sequence[str]) -> str:
    return " or ".join(dict.fromkeys(words))


def member_file(engine: str, member: Member) -> str:
    """Return the name of the file of `member` that `engine` reads.

    Raises `ModelError` if `member` has no file for `engine`.
    """
    name = getattr(member.files, ENGINES[engine].file)
    if name is None:
        raise ModelError(f"{member.name} has no file for the engine {engine}.")
    return str(name)
