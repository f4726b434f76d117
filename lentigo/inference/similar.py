"""Find the training images that resemble an image most, by the features of a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lentigo.errors import LentigoError, ModelError
from lentigo.inference.abstention.fit import gradient_hash
from lentigo.inference.abstention.neighbours import Neighbours
from lentigo.inference.answers import reasons_of
from lentigo.inference.inputs import Source
from lentigo.inference.predict import Model
from lentigo.inference.squares import squares
from lentigo.models.backend import Images, Predictor
from lentigo.models.description import checked_file, read_description
from lentigo.models.index import Index, read_index
from lentigo.progress import log
from lentigo.run_layout import run_of
from lentigo.tables import read_any_table

COUNT = 5
_COPY_BITS = 6
"""Images whose 64-bit `gradient_hash` differs in at most so many bits count as copies."""
_TURNED_BITS = 3
"""The same for an image that is turned or mirrored. Of 100 images of HAM10000, turned and
saved again, 97 were known; of 5,609 images 2 others an image were taken for copies, with 6
bits 16."""


@dataclass(frozen=True)
class Asked:
    """An image whose most similar training images are searched."""

    source: Source
    features: NDArray[np.float32]
    """The network's F features of the image, (F,)."""
    prints: NDArray[np.uint64]
    """`gradient_hash` of the image as it is, turned and mirrored, (8,)."""


def similar(
    model: Model, sources: Sequence[Source], *, count: int = COUNT, batch_size: int = 32
) -> pd.DataFrame:
    """Return the `count` training images most similar to each image, one row per pair.

    The search is by the image alone, whatever the model answers for it. Columns:
    `image_id`, `rank` (1 is the nearest), `similar_id` (the id of the training image if
    known, else its digest), `path` (of its file, if it exists), `diagnosis`, `melanoma`,
    `distance` (0 for equal, 2 for opposite features of the first network that has an
    index) and `reason` (why an image has no similar one, or why `Model.predict` does not
    answer for it or doubts its answer). Left out are images of the same group, copies of
    the image itself, and the groups of those copies.

    Raises `ModelError` if the model has no index, or its engine gives no features.
    """
    known = cases(model)
    said = reasons_of(model.predict_sources(sources, batch_size=batch_size))
    found: dict[int, list[dict[str, object]]] = {}
    way = known.network.preparation
    with closing(squares(sources, [way], batch_size=batch_size)) as batches:
        for batch in batches:
            for place, reason in batch.reasons.items():
                found[place] = [{"reason": reason}]
            if not batch.places:
                continue
            own = [sources[place] for place in batch.places]
            rows = known.similar(np.stack(batch.squares[way]), own, count=count)
            found |= dict(zip(batch.places, rows, strict=True))
    table = [
        {"image_id": source.image_id, "reason": said[place], **row}
        for place, source in enumerate(sources)
        for row in found.get(place, [])
    ]
    return pd.DataFrame(table, columns=list(COLUMNS))


COLUMNS = (
    "image_id", "rank", "similar_id", "path", "diagnosis", "melanoma", "distance", "reason",
)  # fmt: skip


@dataclass(frozen=True)
class Cases:
    """The training images of a model, ready to be searched."""

    network: Predictor
    """The network by whose features images are compared."""
    index: Index
    neighbours: Neighbours
    """The images of `index`, ready to be searched."""
    named: Mapping[bytes, tuple[str, str]]
    """By the digest of an image id, the id and its file's path, empty if there is none."""
    datasets: Sequence[str] = ()
    """The data sets learnt from: with several, the names of groups begin with theirs."""

    def similar(
        self, squares: Images, sources: Sequence[Source], *, count: int = COUNT
    ) -> list[list[dict[str, object]]]:
        """Return for each of N `squares`, (N, S, S, 3), rows of its `count` nearest images.

        A row has the columns of `similar` except `image_id`, and `reason` only where no
        image is similar.

        Raises `ModelError` if the engine gives no features.
        """
        looked = self.network.looked(squares, looks=1)
        if looked is None:
            raise _no_index("its engine gives no features")
        return [
            list(_rows(self, Asked(source, own, _prints(square)), count))
            for source, own, square in zip(sources, looked.features, squares, strict=True)
        ]


def cases(model: Model) -> Cases:
    """Return the training images of a model, with ids and paths from its run's table.

    Raises `ModelError` if the model has no index.
    """
    for ensemble in model.ensembles:
        for network, familiar in zip(ensemble.members, ensemble.familiar, strict=False):
            if familiar is not None:
                index, near = familiar.index, familiar.neighbours
                return Cases(network, index, near, *_told_by(model.folders, index))
    for ensemble, folder in zip(model.ensembles, model.folders, strict=False):
        for place, network in enumerate(ensemble.members):
            own = _index_without_limit(folder, place)
            if own is not None:
                return Cases(network, own, Neighbours(own), *_told_by(model.folders, own))
    raise _no_index("its folder has no index")


def _index_without_limit(folder: Path, place: int) -> Index | None:
    """Return the index of network `place` of a folder; None if it has none.

    Where the validation groups are too few for a limit of abstention, the index is there
    all the same.
    """
    description = read_description(folder)
    name = description.members[place].files.index
    return None if name is None else read_index(checked_file(folder, description, name))


def _no_index(why: str) -> ModelError:
    return ModelError(
        f"The model cannot name similar cases: {why}. Write one with 'lentigo export RUN "
        "--out MODEL' while the images of the run are where they were."
    )


def _told_by(
    folders: Sequence[Path], index: Index
) -> tuple[dict[bytes, tuple[str, str]], tuple[str, ...]]:
    """Return what model folders say of an index: `Cases.named` and `Cases.datasets`."""
    archives = [read_description(folder).training.archives for folder in folders]
    names = dict.fromkeys(each.name for own in archives for each in own)
    return _named(folders, index), tuple(names)


def _named(folders: Sequence[Path], index: Index) -> dict[bytes, tuple[str, str]]:
    """Return by digest the id and path of an index's images, as far as they are known.

    A table that cannot be read here, such as Parquet without its library, tells none.
    """
    found = {index.digest(str(name)): (str(name), "") for name in index.names}
    for folder in folders:
        for run in run_of(folder):
            if run.table.is_file():
                for name, path in _names_and_paths(run.table):
                    own = "" if pd.isna(path) or not Path(str(path)).exists() else str(path)
                    found[index.digest(str(name))] = (str(name), own)
                return found
    return found


def _names_and_paths(table_file: Path) -> list[tuple[Any, Any]]:
    try:
        table = read_any_table(table_file)
    except LentigoError as error:
        log.warning("Similar cases come without pictures. %s", error)
        return []
    if not {"image_id", "path"} <= set(table.columns):
        return []  # of something else, beside which the model folder lies
    return list(zip(table["image_id"], table["path"], strict=True))


def _prints(square: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return the hashes of a square as it is, turned by quarters, and mirrored, (8,)."""
    turned = [np.rot90(square, turns) for turns in range(4)]
    views = [*turned, *(view[:, ::-1] for view in turned)]
    own = [gradient_hash(np.ascontiguousarray(view)) for view in views]
    return np.array(own, np.uint64)


def _rows(cases: Cases, asked: Asked, count: int) -> Iterator[dict[str, object]]:
    index = cases.index
    inside, beyond = index.reduced(asked.features[None])
    own = _own(index, asked, cases.datasets)
    # So many that `count` are left without the image's own group and copies.
    far, near = cases.neighbours.nearest(inside, count + int(own.sum()))
    rank = 0
    for distance, row in zip(far[0].tolist(), near[0].tolist(), strict=True):
        if own[row]:
            continue
        rank += 1
        name, path = cases.named.get(
            bytes(index.ids[row]), (bytes(index.ids[row]).decode("ascii", "replace"), "")
        )
        whole = float(np.hypot(distance, float(beyond[0])))
        yield {
            "rank": rank,
            "similar_id": name,
            "path": path,
            "diagnosis": index.label(row),
            "melanoma": {1: True, 0: False}.get(int(index.melanoma[row])),
            "distance": round(whole, 4),
        }
        if rank == count:
            return
    if not rank:
        yield {"reason": "no image of another group was learnt from"}


def _own(index: Index, asked: Asked, datasets: Sequence[str] = ()) -> NDArray[np.bool_]:
    """Tell which of an index's N images are `asked`, its copies or in their groups, (N,).

    A file that no table describes has no group: that of the training image with the same
    name, and those of its copies, are taken from the index.
    """
    digests = np.array([index.digest(name) for name in _names(asked.source, datasets)])
    digests = digests.astype("S16")
    differing = np.bitwise_count(index.prints[:, None] ^ asked.prints)
    bits = np.array([_COPY_BITS, *[_TURNED_BITS] * (len(asked.prints) - 1)])
    same = (differing <= bits).any(axis=1) | np.isin(index.ids, digests)
    groups = np.concatenate([index.groups[same], digests])
    return np.asarray(same | np.isin(index.groups, groups))


def _names(source: Source, datasets: Sequence[str]) -> set[str]:
    """Return all names that an image, or a group that it is in, may have in an index.

    A group is named after its patient, else its lesion, else its image, and behind one of
    the `datasets` where a model learnt from several.
    """
    known = [source.image_id, source.group_id, source.lesion_id, source.patient_id]
    plain = {str(name) for name in known if name}
    fronts = {*datasets, *([source.dataset] if source.dataset else [])}
    return plain | {f"{front}:{name}" for front in fronts for name in plain}
