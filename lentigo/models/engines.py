"""List what computes networks, and load the members of a model folder into one of them.

An engine is a module with a function `load_member` that gives a `Predictor`; none of them
is imported before it is asked for, so that each works where the others are not installed.
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
    """A way to compute a network."""

    name: str
    summary: str
    """What it is, in a few words."""
    module: str
    """Its `load_member(folder, description, member, engine)` gives a `Predictor`."""
    file: File
    """Which file of a member it reads; see `MemberFiles`."""
    package: str
    """What has to be installed."""
    extra: str
    """With which extra of lentigo it comes."""
    exact: bool = True
    """Whether it answers as the trained network does, but for rounding."""

    def is_installed(self) -> bool:
        """Tell whether its package is there, without importing it."""
        return find_spec(self.package) is not None

    @property
    def way(self) -> str:
        """Say how to install it."""
        return f"pip install 'lentigo[{self.extra}]'"

    def serves(self, description: Description) -> bool:
        """Tell whether all members of a model folder have the file that it reads."""
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
    )
}
"""In the order in which they are taken where nothing was measured."""

AUTO = "auto"
"""Takes the first there is, or what `lentigo.models.fastest` measured to be fastest."""
ENGINE_NAMES = (AUTO, *ENGINES)


def check_engine(name: str) -> None:
    """Refuse an engine that does not exist or is not installed.

    Raises `UnknownNameError` for another name, `LentigoError` for a missing package.
    """
    if name not in ENGINE_NAMES:
        raise unknown_name("engine", name, ENGINE_NAMES)
    if name != AUTO and not ENGINES[name].is_installed():
        raise _not_installed(ENGINES[name])


def engine_for(engine: str, device: str) -> str:
    """Return the engine to take: where another device than the CPU is named, torch."""
    return "torch" if engine == AUTO and device not in {"auto", "cpu"} else engine


def is_exact(name: str) -> bool:
    """Tell whether `name` is an engine that answers as the trained network does."""
    return name in ENGINES and ENGINES[name].exact


def usable(description: Description) -> list[Engine]:
    """Return the exact engines that are installed and that a model folder has files for."""
    return [
        engine
        for engine in ENGINES.values()
        if engine.exact and engine.is_installed() and engine.serves(description)
    ]


def load_members(
    folder: Path, description: Description, engine: str = AUTO
) -> tuple[Predictor, ...]:
    """Load the members of a model folder into an engine; `auto` takes the first there is.

    Raises:
        ModelError: a file is missing, damaged or does not fit the description.
        LentigoError: the engine is not installed, or none is.
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
    """Load one member into an engine that is installed; raises what `load_members` does."""
    module = import_module(ENGINES[engine].module)
    return cast("Predictor", module.load_member(folder, description, member, engine))


def load_predictor(folder: Path, *, engine: str = AUTO) -> Predictor:
    """Load a model folder of a single network; refused are those `load_members` refuses."""
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
    """Return the name of the file of `member` that `engine` reads; it has one."""
    name = getattr(member.files, ENGINES[engine].file)
    if name is None:
        raise ModelError(f"{member.name} has no file for the engine {engine}.")
    return str(name)
