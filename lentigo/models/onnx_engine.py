"""Compute a member of a model folder with ONNX Runtime, without torch.

On two cores it is twice as fast as torch for most networks, and is loaded in a tenth of
the time (`benchmarks/engines.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from lentigo.config.views import INPUT_VIEWS
from lentigo.errors import ConfigError, ModelError
from lentigo.files import read_bytes
from lentigo.machine import cores
from lentigo.models.backend import (
    Images,
    Logits,
    Looked,
    Preparation,
    no_device,
    spread_of,
)
from lentigo.models.description import checked_file
from lentigo.models.engines import member_file
from lentigo.models.metadata import Metadata, MetadataEncoding
from lentigo.models.network_view import looks as all_looks
from lentigo.models.network_view import network_views
from lentigo.models.onnx_graph import METADATA, faults
from lentigo.models.patience import seconds_to_answer, seconds_to_load, within
from lentigo.models.schema import Description, Member

_LONGEST = 2_000_000_000
"""Highest size of a file in bytes, which is also the limit of ONNX for one file."""
_MEMORY = 800_000_000
"""Bytes that a network may use besides its weights; the largest of timm use half of it."""
_Part = list[list[Logits]]
"""The outputs of the network for a few squares: a list of outputs for each look."""
_AT_ONCE = 8
"""Images in one pass: enough to keep all cores busy, with little memory."""


@dataclass(frozen=True, kw_only=True)
class OnnxPredictor:
    """A network in ONNX Runtime with the settings of its input; see `Predictor`."""

    session: Any
    """The session of ONNX Runtime, or an object with the same method `run`."""
    path: Path
    """File of the network, for messages."""
    shapes: tuple[tuple[int, ...], ...]
    """Shape of each output for one image, without the axis of the images."""
    member: Member
    engine: str
    """Name of the engine, one of `lentigo.models.engines.ENGINES`."""
    size: int
    """Size of the network's file in bytes."""
    diagnoses: tuple[str, ...] = ()
    """The diagnoses besides melanoma in `answers`; empty for files of earlier exports."""
    gives_features: bool = False
    """Whether the pooled features are an output; False for files of earlier exports."""
    gives_early: bool = False
    """Whether the early features are the last output; False for earlier exports."""

    @property
    def preparation(self) -> Preparation:
        """The settings by which a file becomes the square that `answers` takes."""
        imaging = self.member.input.imaging()
        return Preparation(imaging.size, imaging.fit, imaging.max_pixels)

    @property
    def image_size(self) -> int:
        """The side, in pixels, to which a square is resized as input of the network."""
        return self.member.input.size

    @property
    def view(self) -> tuple[str, ...]:
        """The views whose channels are the network's input."""
        return tuple(self.member.input.imaging().view)

    def use(self, device: str) -> None:
        """Stay on the CPU; raise `ConfigError` for another device."""
        if device not in {"auto", "cpu"}:
            raise ConfigError(
                f"{no_device(device)} ONNX Runtime computes on the CPU; --engine torch "
                "knows other devices."
            )

    @property
    def metadata(self) -> MetadataEncoding | None:
        """The encoding of age, sex and site; None if the network does not take them."""
        return self.member.metadata

    def answers(
        self,
        squares: Images,
        *,
        looks: int | None = None,
        metadata: Metadata | None = None,
    ) -> Logits:
        """Return the network's answers for N squares; see `Predictor.answers`.

        Raises `ModelError` if the network fails, is too slow, or gives other shapes.
        """
        parts = self._parts(squares, looks, metadata)
        found = np.concatenate([self._mean(each) for each in parts], axis=1)
        found[0] -= self.member.logit_shift
        return found

    def looked(
        self,
        squares: Images,
        *,
        looks: int | None = None,
        metadata: Metadata | None = None,
    ) -> Looked | None:
        """Return the answers together with the features; see `Predictor.looked`."""
        if not self.gives_features:
            return None
        parts = list(self._parts(squares, looks, metadata))
        answers = np.concatenate([self._mean(each) for each in parts], axis=1)
        answers[0] -= self.member.logit_shift
        place = 2 if self.diagnoses else 1
        each_look = np.concatenate(
            [np.stack([look[place] for look in each]) for each in parts], axis=1
        ).astype(np.float32, copy=False)
        spread = [spread_of(np.stack([look[0] for look in each])) for each in parts]
        energy = [each[0][place + 1] for each in parts] if self.diagnoses else []
        return Looked(
            answers=answers,
            features=each_look[0],
            energy=(
                np.concatenate(energy).astype(np.float64)
                if energy
                else np.full(len(squares), np.nan)
            ),
            spread=np.concatenate(spread).astype(np.float64),
            early=(
                np.concatenate([each[0][-1] for each in parts]).astype(np.float32)
                if self.gives_early
                else None
            ),
            each_look=each_look,
        )

    def _parts(
        self, squares: Images, looks: int | None, metadata: Metadata | None
    ) -> Iterator[_Part]:
        """Yield the outputs of the network for `_AT_ONCE` squares after the other."""
        count = looks or self.member.input.views
        for start in range(0, len(squares), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            views = network_views(squares[part], self.image_size, view=self.view)
            beside = _beside(self.member, len(views), metadata, part)
            yield [self._run(each, beside) for each in all_looks(views, count)]

    def _mean(self, part: _Part) -> Logits:
        """Return the mean of the answers over the looks, (1 + D, N)."""
        found = []
        for logit, *others in part:
            shares = [others[0].T] if self.diagnoses else []
            found.append(np.concatenate([logit[None], *shares]).astype(np.float64))
        return np.asarray(np.mean(found, axis=0))

    def _run(self, views: Images, beside: dict[str, Metadata]) -> list[Logits]:
        most = seconds_to_answer(self.member, len(views), size=self.size)
        given: dict[str, NDArray[Any]] = {"images": views, **beside}
        found = _ask(self.session, self.path, given, most=most)
        if [each.shape for each in found] != [(len(views), *one) for one in self.shapes]:
            raise ModelError(
                f"{self.path}: its network does not answer each of several images. Write "
                "it again with 'lentigo export'."
            )
        return found


def load_member(
    folder: Path, description: Description, member: Member, engine: str = "onnx"
) -> OnnxPredictor:
    """Load the network `member` of a model folder into ONNX Runtime.

    Raises `ModelError` if its file is not the one described in `model.json`, is no plain
    feed-forward network, or does not answer for a black image.
    """
    path, content = read_network(folder, description, member, engine)
    return load_content(content, member, path, engine=engine)


def load_content(
    content: bytes, member: Member, path: Path, *, engine: str = "onnx"
) -> OnnxPredictor:
    """Load a network from the content of an ONNX file; `path` is named in messages.

    The content is trusted: `load_member` checks that of a file. Raises `ModelError` if the
    network does not answer for a black image.
    """
    session = opened(path, content, lambda: _session(path, content))
    return predictor_of(session, path, member, engine=engine, size=len(content))


def opened(path: Path, content: bytes, opening: Callable[[], Any]) -> Any:
    """Call `opening` and return its result; raise `ModelError` if it takes too long.

    The time limit grows with the length of `content`, the bytes of the file.
    """
    try:
        return within(seconds_to_load(len(content)), opening)
    except TimeoutError as error:
        raise _too_slow(path, error) from None


def predictor_of(
    session: Any, path: Path, member: Member, *, engine: str, size: int
) -> OnnxPredictor:
    """Run an opened network on a black image as a test, and return its predictor.

    `size` is the size of its file in bytes. Raises `ModelError` if the network fails or
    its outputs do not have the shapes that `member` describes.
    """
    side, channels = member.input.size, _channels(member)
    images = np.zeros((1, channels, side, side), dtype=np.uint8)
    most = seconds_to_answer(member, 1, size=size)
    given: dict[str, NDArray[Any]] = {"images": images, **_beside(member, 1)}
    found = [each.shape for each in _ask(session, path, given, most=most)]
    if found[0] != (1,):
        raise ModelError(f"{path}: its network gives no logit an image.")
    others = member.others if len(found) > 1 else ()
    if others and found[1] != (1, len(others)):
        raise ModelError(
            f"{path}: its network does not tell the diagnoses of model.json apart."
        )
    behind = [len(shape) for shape in found[2 if others else 1 :]]
    features = [2, 1] if others else [2]
    if behind not in ([], features, [*features, 2]):
        raise ModelError(f"{path}: its network gives something else than features.")
    return OnnxPredictor(
        session=session,
        path=path,
        shapes=tuple(shape[1:] for shape in found),
        member=member,
        engine=engine,
        size=size,
        diagnoses=others,
        gives_features=bool(behind),
        gives_early=len(behind) > len(features),
    )


def _beside(
    member: Member, count: int, metadata: Metadata | None = None, part: slice | None = None
) -> dict[str, Metadata]:
    """Return the inputs besides the images, by input name: encoded metadata, or none.

    `part` are the rows of `metadata` to take. Without either, `count` patients are unknown.
    """
    if member.metadata is None:
        return {}
    if metadata is None or part is None:
        return {METADATA: member.metadata.encode(None, count=count)}
    return {METADATA: np.ascontiguousarray(metadata[part], dtype=np.float32)}


def _ask(
    session: Any, path: Path, given: Mapping[str, NDArray[Any]], *, most: float
) -> list[Logits]:
    """Run a network; return the arrays of its outputs, in the order of its file.

    `given` has the array for each input, by name; `path` names the file in messages.
    Raises `ModelError` if the network fails, is not ready after `most` seconds (it is then
    not waited for), or an output does not hold floating-point numbers.
    """
    try:
        answers = within(most, lambda: session.run(None, dict(given)))
        found = [np.asarray(each) for each in answers]
    except TimeoutError as error:
        raise _too_slow(path, error) from None
    except Exception as error:
        # Each runtime raises types of its own for each fault, without a common parent.
        raise _refused(path, error) from error
    if any(each.dtype.kind != "f" for each in found):
        raise ModelError(
            f"{path}: its network answers something else than numbers with a point."
        )
    return found


def read_network(
    folder: Path, description: Description, member: Member, engine: str
) -> tuple[Path, bytes]:
    """Return the path and the bytes of the ONNX file of `member` after checking them.

    Raises `ModelError` if the file is not the one described in `model.json`, or no plain
    feed-forward network (`onnx_graph.faults`).
    """
    path = checked_file(folder, description, member_file(engine, member))
    content = read_bytes(path, most=_LONGEST)
    size, channels = member.input.size, _channels(member)
    outputs = 5 if member.diagnoses else 3
    beside = member.metadata.width if member.metadata is not None else None
    if wrong := list(
        faults(content, channels=channels, size=size, outputs=outputs, metadata=beside)
    ):
        raise ModelError(
            f"{path} cannot be used: {wrong[0]}. Write it again with 'lentigo export'."
        )
    return path, content


def _channels(member: Member) -> int:
    return sum(INPUT_VIEWS[name] for name in member.input.imaging().view)


def _session(path: Path, content: bytes) -> Any:
    _bound_memory()
    options = ort.SessionOptions()
    options.intra_op_num_threads = cores()
    # Threads that wait in a loop take the cores from the processes that decode images, and
    # twice the processor time of an image: 122 instead of 58 ms on two busy cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # its own lines on the terminal; ours say what is wrong
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
    try:
        return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # ONNX Runtime raises types of its own for each fault, without a common parent.
        raise _refused(path, error) from error


@cache
def _bound_memory() -> None:
    """Limit the memory of networks besides their weights to `_MEMORY`, in this process."""
    cpu = ort.OrtMemoryInfo(
        "Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT
    )
    # Extended by what is asked for (1), not by doubling, which would meet the bound early.
    most = {"max_mem": _MEMORY, "arena_extend_strategy": 1}
    ort.create_and_register_allocator(cpu, ort.OrtArenaCfg(most))


def _too_slow(path: Path, error: TimeoutError) -> ModelError:
    return ModelError(
        f"{path} cannot be used: {error}, far more than a network of its size needs. On a "
        "machine that is very busy try again; else write it again with 'lentigo export'."
    )


def _refused(path: Path, error: Exception) -> ModelError:
    reason = " ".join(str(error).split())
    return ModelError(
        f"{path} cannot be run by ONNX Runtime: {reason[:200].rstrip('.')}. Write it again "
        "with 'lentigo export'."
    )
