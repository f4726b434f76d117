"""Batches for training and judging, read from the pixel store.

Which image is drawn, and how it is augmented, depends only on (seed, epoch, place in the
epoch): not on the number of workers, and not on what ran before. So a resumed run ends like
one that was never interrupted.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from lentigo.config import AugmentConfig, TrainConfig
from lentigo.imaging.store.shards import StoredImages
from lentigo.imaging.views import network_input
from lentigo.isolated import forget_the_surroundings, surroundings_kept_out
from lentigo.machine import cores
from lentigo.models.augment import augment
from lentigo.models.batch import Batch
from lentigo.models.metadata import Metadata
from lentigo.models.network_view import Images, network_view
from lentigo.stopping import die_with_parent
from lentigo.training.balance import Cells

_OF_METADATA = 2
"""Last number of the seed of metadata dropout; see `Examples.metadata_of`."""
OF_IMAGE = 4
"""How many numbers of the seed of a draw decide on the image; all decide on metadata."""


@dataclass(frozen=True)
class Beside:
    """The encoded age, sex and site of the patients of the examples."""

    metadata: Metadata
    """The M numbers of each of N examples, (N, M); see `MetadataEncoding.encode`."""
    unknown: Metadata
    """The numbers of an unknown patient, (M,)."""
    dropout: float = 0.0
    """Share of the draws in which the patient is replaced by an unknown one."""

    def without(self) -> Beside:
        """Return the metadata with every patient replaced by an unknown one."""
        return Beside(np.tile(self.unknown, (len(self.metadata), 1)), self.unknown)


class Examples(Dataset[Batch]):
    """Images of a pixel store with their labels; augmented when `config` is given.

    `rows` are positions in `images`, (N, S, S, 3) `uint8`; `labels` are (len(rows),), 1 for
    melanoma. Each image becomes `size` × `size` pixels in the channels of `view`, after
    augmentation. `beside` holds the encoded metadata of patients, one row for each label.
    """

    def __init__(
        self,
        images: Images | StoredImages,
        rows: NDArray[np.int64],
        labels: NDArray[np.float32],
        *,
        size: int,
        config: AugmentConfig | None = None,
        view: tuple[str, ...] = ("rgb",),
        beside: Beside | None = None,
    ) -> None:
        self.images, self.rows, self.labels = images, rows, labels
        self.size, self.config, self.view = size, config, view
        self.beside = beside

    def __len__(self) -> int:
        return len(self.rows)

    def of_size(self, size: int) -> Examples:
        """Return the same examples with images of `size` × `size` pixels."""
        if size == self.size:
            return self
        return Examples(
            self.images, self.rows, self.labels,
            size=size, config=self.config, view=self.view, beside=self.beside,
        )  # fmt: skip

    def without_metadata(self) -> Examples:
        """Return the same examples with every patient replaced by an unknown one."""
        return Examples(
            self.images, self.rows, self.labels,
            size=self.size, config=self.config, view=self.view,
            beside=self.beside.without() if self.beside is not None else None,
        )  # fmt: skip

    def metadata_of(self, draws: Sequence[Draw]) -> torch.Tensor | None:
        """Return the encoded metadata of N draws, (N, M); None without metadata.

        With `Beside.dropout` the seed of each draw decides whether its patient is replaced
        by an unknown one.
        """
        if self.beside is None:
            return None
        told = self.beside.metadata[[place for place, _ in draws]]
        if self.beside.dropout:
            chances = [
                np.random.default_rng((*key, _OF_METADATA)).random() for _, key in draws
            ]
            told[np.array(chances) < self.beside.dropout] = self.beside.unknown
        return torch.from_numpy(told)

    def __getitems__(self, draws: list[tuple[int, tuple[int, ...]]]) -> Batch:
        # OpenCV's own threads fight those of torch over the same cores.
        cv2.setNumThreads(1)
        pictures = np.stack([self._picture(place, key) for place, key in draws])
        places = np.array([place for place, _ in draws], dtype=np.int64)
        return Batch(
            torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2),
            torch.from_numpy(self.labels[places]),
            torch.from_numpy(places),
            self.metadata_of(draws),
        )

    def _picture(self, place: int, key: tuple[int, ...]) -> Images:
        image = np.asarray(self.images[self.rows[place]])
        if self.config is not None:
            rng = np.random.default_rng(key[:OF_IMAGE])
            varied = augment(image, self.config, size=self.size, rng=rng)
            return network_input(varied, self.view)
        return network_view(image, self.size, view=self.view)


@dataclass(frozen=True)
class Order:
    """Sampler: an endless sequence of shuffles, cut into epochs of `epoch_images` images.

    An epoch is cut into batches of nearly the same size, `batch_size` at most, so that no
    image is left out and no batch has a single image (batch normalisation needs two). With
    `alike` the two classes are drawn equally often; with `cells` each cell is drawn in the
    share that `cells` gives it.
    """

    labels: NDArray[np.float32]
    epoch_images: int
    batch_size: int
    seed: int
    alike: bool = False
    cells: Cells | None = None

    def epoch(self, epoch: int, *, rank: int = 0, world: int = 1) -> list[list[Draw]]:
        """Return the batches of device `rank` of `world` in one epoch.

        `rank` and `epoch` count from 0. A batch is a list of draws. Together the devices
        have the batches of one device, each about as much of a batch as the others (see
        `sizes`); of an epoch of fewer images than devices some images come twice.
        """
        drawn = self._drawn(epoch * self.epoch_images, self.epoch_images)
        draws: list[Draw] = [
            (int(place), (self.seed, epoch, nth)) for nth, place in enumerate(drawn)
        ]
        draws += draws * (world // len(draws)) if len(draws) < world else []
        sizes = self.sizes(world)
        ends = np.cumsum(sizes).tolist()
        whole = [draws[end - size : end] for end, size in zip(ends, sizes, strict=True)]
        return [
            each[rank * len(each) // world : (rank + 1) * len(each) // world]
            for each in whole
        ]

    def sizes(self, world: int = 1) -> list[int]:
        """Return the size of each batch of an epoch, on all of `world` devices together.

        Each device has two images of a batch or more, where there are as many.
        """
        least = 2 * world if self.batch_size >= 2 * world else max(2, world)
        count = max(self.epoch_images, world)
        return even_sizes(count, at_most=self.batch_size, least=least)

    def _drawn(self, first: int, count: int) -> NDArray[np.int64]:
        numbers = np.arange(first, first + count)
        if self.cells is not None:
            return self._of_cells(self.cells, first, count)
        if not self.alike:
            return self._endless(np.arange(len(self.labels)), numbers, stream=0)
        # Even draws are melanomas, odd ones other lesions, in an order shuffled per epoch.
        drawn = np.empty(count, dtype=np.int64)
        for turn, members in enumerate(
            (np.flatnonzero(self.labels > 0.5), np.flatnonzero(self.labels <= 0.5))
        ):
            mine = numbers % 2 == turn
            drawn[mine] = self._endless(members, numbers[mine] // 2, stream=1 + turn)
        return np.random.default_rng((self.seed, 3, first)).permutation(drawn)

    def _of_cells(self, cells: Cells, first: int, count: int) -> NDArray[np.int64]:
        """Return the draws `first` to `first + count` of the endless sequence, as rows.

        Each cell has its share of them, in an order that is shuffled for each epoch.
        """
        chosen = cells.drawn(first + count)
        drawn = np.empty(count, dtype=np.int64)
        for cell in np.unique(chosen[first:]):
            before = int((chosen[:first] == cell).sum())
            mine = chosen[first:] == cell
            numbers = before + np.arange(int(mine.sum()))
            members = np.flatnonzero(cells.cells == cell)
            drawn[mine] = self._endless(members, numbers, stream=4 + int(cell))
        return np.random.default_rng((self.seed, 3, first)).permutation(drawn)

    def _endless(
        self, members: NDArray[np.int64], numbers: NDArray[np.int64], *, stream: int
    ) -> NDArray[np.int64]:
        drawn = np.empty(len(numbers), dtype=np.int64)
        rounds = numbers // len(members)
        for turn in np.unique(rounds):
            shuffled = np.random.default_rng((self.seed, stream, turn)).permutation(members)
            mine = rounds == turn
            drawn[mine] = shuffled[numbers[mine] % len(members)]
        return drawn


Draw = tuple[int, tuple[int, ...]]
"""Position of an example, and the seed of its augmentation."""


def even_sizes(count: int, *, at_most: int, least: int = 2) -> list[int]:
    """Divide `count` into nearly equal sizes of at most `at_most`, and at least `least`.

    To avoid a size below `least`, sizes may be above `at_most` (3 if that is 2); there is a
    smaller one only if `count` is. Sizes of 1 are left if `at_most` is 1.
    """
    steps = -(-count // at_most)
    if at_most > 1:
        steps = max(1, min(steps, count // least))
    small, larger = divmod(count, steps)
    return [small + 1] * larger + [small] * (steps - larger)


def in_order(
    count: int, *, batch_size: int, rank: int = 0, world: int = 1
) -> list[list[Draw]]:
    """Return the batches of device `rank` of `world`; together they visit all examples.

    Each device gets successive ones of the `count` examples, not augmented. All devices get
    equally many, since they gather results of equal length; so some may come twice.
    """
    each = -(-count // world)
    mine = [(rank * each + nth) % count for nth in range(each)]
    draws: list[Draw] = [(place, ()) for place in mine]
    return [draws[start : start + batch_size] for start in range(0, each, batch_size)]


def load(
    examples: Examples, batches: list[list[Draw]], *, workers: int, device: torch.device
) -> Iterator[Batch]:
    """Yield `batches` of `examples` on `device`; `workers` processes read them ahead."""
    workers = min(workers, len(batches))
    loader = DataLoader(
        examples,
        batch_sampler=batches,
        collate_fn=_as_it_is,  # type: ignore[arg-type]
        num_workers=workers,
        # From Python 3.14 on a server process would be started first, for no use to us.
        multiprocessing_context="fork" if workers and sys.platform == "linux" else None,
        pin_memory=device.type == "cuda",
        worker_init_fn=_start_worker,
        # Its own, or starting to read would draw from the one that dropout draws from.
        generator=torch.Generator(),
    )
    with surroundings_kept_out():
        read = iter(loader)
    for batch in read:
        yield batch.to(device)


def _start_worker(_number: int) -> None:
    forget_the_surroundings()
    # What asks us to stop asks the whole group; the parent ends its workers in order.
    for each in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        signal.signal(each, signal.SIG_IGN)
    die_with_parent()


def worker_count(device: torch.device, config: TrainConfig) -> int:
    """Return the number of worker processes of a device.

    It is that of the settings, else 0 on a CPU, else up to 8: its share of the cores that
    this process may use.
    """
    if config.workers is not None:
        return config.workers
    # On a CPU the network needs every core; preparing a batch is 1 % of a step.
    if device.type == "cpu":
        return 0
    return max(1, min(8, cores() // config.devices))


def _as_it_is(batch: Batch) -> Batch:
    return batch
