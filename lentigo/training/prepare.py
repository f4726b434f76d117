"""From a lesion table to the input of a training: pixels, groups, folds and roles.

All of it is written to the run folder and read back from there, by the process of each
device and whenever the run is resumed, so that all of them use the same data.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from lentigo.config import BY_SOURCE, Config, SplitPlan
from lentigo.curation import (
    apply_split,
    assign_folds,
    assign_groups,
    assign_roles,
    check_enough,
    check_split,
    clean,
    duplicate_pairs,
    read_split,
    shared_lesions,
    split_table,
    write_split,
)
from lentigo.curation.splits.folds import LEFT_OUT, TRAIN
from lentigo.errors import DatasetError, RunError
from lentigo.files import digest
from lentigo.imaging.store.build import (
    PixelStore,
    add_store_columns,
    build_store,
    open_store,
)
from lentigo.json_files import read_json_object
from lentigo.models.metadata import FIELDS
from lentigo.progress import log
from lentigo.run_layout import FoldLayout, RunLayout
from lentigo.tables import (
    NotedTable,
    read_any_table,
    read_table_file,
    without_others,
    write_table,
)
from lentigo.training.run_folder import data_digest, note_in_environment
from lentigo.words import counted, none_of, some

PAIR_COLUMNS = ["a", "b", "kind"]


@dataclass(frozen=True)
class Prepared:
    """Input of a training: the labelled images, their pixel store and the duplicates."""

    out: Path
    """The run folder."""
    table: pd.DataFrame
    """The cleaned lesion table: labelled, decoded images, with `group_id` and `fold`."""
    store: PixelStore
    """The decoded images of the table."""
    pairs: pd.DataFrame
    """Duplicates: columns a, b, kind."""
    repeats: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Folds of the further repeats: columns image_id, repeat, fold; may be empty."""
    repeat: int = 0
    """The repeat, counted from 0, whose folds `table` has."""
    beside: int | None = None
    """The second fold to leave out; `table` counts it to the first (`without_too`)."""

    def of_repeat(self, number: int) -> Prepared:
        """Return the same images with the folds of another repeat; 0 is the first."""
        if number == self.repeat:
            return self
        own = self.repeats[self.repeats["repeat"] == number].set_index("image_id")["fold"]
        fold = self.table["image_id"].map(own).astype("Int64")
        return replace(self, table=self.table.assign(fold=fold), repeat=number)

    def without_too(self, fold: int, beside: int) -> Prepared:
        """Return the same images with `beside` as part of `fold`: both are held out."""
        merged = self.table["fold"].replace({beside: fold})
        return replace(self, table=self.table.assign(fold=merged), beside=beside)

    def layout(self, held_out: int) -> FoldLayout:
        """Return the paths of what is trained without fold `held_out`, and `beside`."""
        run = RunLayout(self.out)
        if self.beside is None:
            return run.fold(held_out, self.repeat)
        return run.without_pair(held_out, self.beside, self.repeat)

    def roles(self, held_out: int, config: Config) -> pd.Series:
        """Return the role of each row if fold `held_out` is the test part.

        The roles are train, validation, test and left out. Images without a melanoma label
        cannot be evaluated, so they are left out of validation and test.
        """
        role = assign_roles(
            self.table,
            held_out=held_out,
            validation=config.split.validation,
            seed=config.seed,
        )
        unknown = self.table["melanoma"].isna().to_numpy()
        role[unknown & (role != TRAIN).to_numpy()] = LEFT_OUT
        check_split(self.table, role, self.pairs)
        return role


def prepare(
    read: NotedTable,
    config: Config,
    out: Path,
    *,
    folds: int = 1,
    split: Path | None = None,
) -> None:
    """Decode the images, find duplicates, assign groups and folds; write all to `out`.

    `read` is the result of `learnable`. With `split` (a manifest that `write_split` wrote)
    groups and folds are those of the manifest. What an earlier, interrupted call finished
    is not done again.

    Raises `DatasetError` if no image can be decoded, or if one of the first `folds` folds
    cannot be held out, `RunError` if `out` was prepared from another table, and the errors
    of the functions that it calls.
    """
    layout = RunLayout(out)
    table = read.table
    if layout.is_prepared():
        _check_same_source(table, split, config, out=out)
        return
    store = build_store(table, store_folder(config, out), config=config.imaging)
    _write_failures(table, store, out)
    read = read.then(lambda table: _decoded(table, store, out))
    pairs = _pairs(read.table, store, config)
    write_table(pairs, layout.duplicates)
    read = read.then(clean).then(lambda table: _divide(table, pairs, config, split))
    divided = read.table
    work = Prepared(out, divided, store, pairs, _dealt_anew(divided, config))
    _check_roles(work, config, folds)
    asked = [name for name in config.evaluation.baseline if name in divided]
    divided, _ = without_others(divided, keep=asked)
    write_split(divided, layout.split)
    if config.split.repeats > 1:
        write_table(work.repeats, layout.repeats)
    source = _source_digest(table, split, config)
    note_in_environment(out, data_digest=data_digest(divided), source_digest=source)
    # Last, because its being there says that all of this is done.
    write_table(read.holding(divided), layout.table)


def _check_roles(work: Prepared, config: Config, folds: int) -> None:
    """Raise `DatasetError` if, in any repeat, one of the folds cannot be held out."""
    for number in range(config.split.repeats):
        own = work.of_repeat(number)
        for held_out in range(held_out_folds(own.table, config, folds)):
            own.roles(held_out, config.of_repeat(number))


def held_out_folds(table: pd.DataFrame, config: Config, folds: int) -> int:
    """Return the number of folds to hold out: `folds`, or by source all of `table`.

    With the scheme `leave-one-source-out` each data set is a fold. A data set without any
    decoded image is not in `table`, so it is not counted.
    """
    return int(table["fold"].nunique()) if config.split.scheme == BY_SOURCE else folds


def prepared(config: Config, out: Path) -> Prepared:
    """Read the table, pixel store, duplicates and repeats that `prepare` wrote to `out`.

    Raises `RunError` if the store holds other files' pixels than those of the table, as a
    store (`imaging.store`) may to which another command added.
    """
    layout = RunLayout(out)
    pairs = read_any_table(layout.duplicates).astype("string")
    table = read_table_file(layout.table)
    store = open_store(store_folder(config, out)).of(table)
    _check_same_files(table, store)
    if config.split.repeats == 1:
        return Prepared(out, table, store, pairs)
    repeats = read_any_table(layout.repeats).astype({"image_id": "string"})
    return Prepared(out, table, store, pairs, repeats)


def _check_same_files(table: pd.DataFrame, store: PixelStore) -> None:
    was = table["sha256"].astype("string").reset_index(drop=True)
    now = store.index["sha256"].astype("string").reset_index(drop=True)
    failed = store.index["error"].notna().reset_index(drop=True)
    other = (was.notna() & now.notna() & (was != now)) | failed
    if other.any():
        names = table["image_id"][other.to_numpy(dtype=bool)].tolist()
        raise RunError(
            f"The pixel store {store.folder} holds other files of "
            f"{counted(len(names), 'image')} than this training began with: {some(names)}. "
            "They were replaced since. Bring the files back and give the command again, or "
            "train anew with another --out."
        )


def store_folder(config: Config, out: Path) -> Path:
    """Return the folder of the pixel store: `imaging.store`, else one in the run folder."""
    return config.imaging.store or RunLayout(out).pixels


def _decoded(table: pd.DataFrame, store: PixelStore, out: Path) -> NotedTable:
    """Return the rows of `table` whose images were decoded, with the store's columns.

    Raises `DatasetError` if no image was decoded.
    """
    usable = store.index.loc[store.index["error"].isna(), "image_id"]
    filled = add_store_columns(table, store)
    seen = filled.table[filled.table["image_id"].isin(usable)].reset_index(drop=True)
    if len(seen) == 0:
        raise DatasetError(
            f"{none_of(len(table), 'labelled image')} can be decoded; "
            f"{RunLayout(out).failures} says why."
        )
    return filled.holding(seen)


def _pairs(table: pd.DataFrame, store: PixelStore, config: Config) -> pd.DataFrame:
    mine = store.take(store.positions(table["image_id"]))
    pairs = duplicate_pairs(mine.images, table)
    if not config.split.near_duplicates:
        pairs = pairs[pairs["kind"] != "near-duplicate"]
    if len(pairs):
        log.info(
            "%d pairs of images show the same picture; they stay together.", len(pairs)
        )
    return pairs.reset_index(drop=True)[PAIR_COLUMNS]


def _divide(
    table: pd.DataFrame, pairs: pd.DataFrame, config: Config, split: Path | None
) -> NotedTable:
    if split is not None:
        divided = apply_split(table, read_split(split))
    elif config.split.scheme == BY_SOURCE:
        divided = split_table(table, SplitPlan(scheme=BY_SOURCE), pairs)
    else:
        grouped = assign_groups(table, pairs, keep=True)
        parts = config.split.parts()
        check_enough(grouped, folds=parts)
        dealt = assign_folds(grouped, folds=parts, seed=config.seed)
        return NotedTable(dealt, tuple(shared_lesions(table)))
    for note in divided.notes:
        log.info("%s", note)
    return divided


def _dealt_anew(table: pd.DataFrame, config: Config) -> pd.DataFrame:
    """Assign folds for each repeat but the first; one row for each image and repeat."""
    dealt = [
        assign_folds(
            table, folds=config.split.parts(), seed=config.of_repeat(number).seed
        ).assign(repeat=number)
        for number in range(1, config.split.repeats)
    ]
    return pd.concat(dealt)[["image_id", "repeat", "fold"]] if dealt else pd.DataFrame()


def _write_failures(table: pd.DataFrame, store: PixelStore, out: Path) -> None:
    failed = store.index[store.index["error"].notna()]
    rows = failed[["image_id", "path", "error"]].rename(columns={"error": "reason"})
    path = RunLayout(out).failures
    write_table(rows, path)
    broken = rows[rows["path"].notna()]
    if len(broken):
        log.warning(
            "%d of %d images cannot be decoded and are left out (%s): %s.",
            len(broken),
            len(table),
            path.name,
            some(broken["image_id"].tolist()),
        )


def _source_digest(
    table: pd.DataFrame, split: Path | None, config: Config, *, groups: bool = True
) -> str:
    """Return the SHA-256 of the input of a training: ids, labels, split …

    Without `groups` it leaves out `group_id`, as in runs that did not keep the table's.
    """
    columns = ["image_id", "melanoma", "patient_id", "lesion_id"]
    if groups and table["group_id"].notna().any():
        columns.append("group_id")
    if "diagnosis" in config.targets:
        columns += ["diagnosis", "malignant"]
    if config.fuses_metadata:
        columns += FIELDS
    rows = table[columns].sort_values("image_id").to_csv(index=False)
    given = digest(split) if split is not None else ""
    return hashlib.sha256((rows + given).encode()).hexdigest()


def _check_same_source(
    table: pd.DataFrame, split: Path | None, config: Config, *, out: Path
) -> None:
    then = read_json_object(RunLayout(out).environment).get("source_digest")
    if then == _source_digest(table, split, config):
        return
    if then == _source_digest(table, split, config, groups=False):
        if split is None:
            log.warning(
                "The run in %s divided the images without the groups of the table (group_id"
                "), so it may judge images whose group it learnt from. To keep the groups "
                "whole, give another --out.", out,
            )  # fmt: skip
        return
    before = read_table_file(RunLayout(out).table)
    gone = before.loc[~before["image_id"].isin(table["image_id"]), "image_id"].tolist()
    what = (
        f"{len(gone):,} of its images are not in this one: {some(gone)}"
        if gone
        else ("images, labels, patients, lesions, groups or the split have changed")
    )
    raise RunError(
        f"The run in {out} was started on another table ({what}). Resume it with the same "
        "one, or give another --out."
    )
