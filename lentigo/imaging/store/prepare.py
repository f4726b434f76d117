"""Prepare a table and its images once for all later runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.cluster import check_place
from lentigo.config import ImagingConfig
from lentigo.errors import ConfigError
from lentigo.imaging.store.build import (
    Decode,
    PixelStore,
    Work,
    add_store_columns,
    update_store,
)
from lentigo.imaging.store.place import check_store_folder
from lentigo.imaging.store.spread import decoded_on_ray
from lentigo.imaging.store.unfinished import NO_FILE
from lentigo.output import alone
from lentigo.tables import (
    SEXES,
    SITES,
    NotedTable,
    as_noted,
    check_table,
    without_others,
    write_table,
)

TABLE, FAILURES = "table.parquet", "failures.csv"


@dataclass(frozen=True)
class Preparation:
    """Result of preparing the images of a table: store, work, table and failures."""

    store: PixelStore
    work: Work
    """How much was decoded, and in what time."""
    table: Path
    """Path of the lesion table, with sha256, width and height of every image read."""
    failures: Path | None
    """A CSV of all images that cannot be used, with the reason (image_id, path, reason);
    None if there are none."""

    @property
    def usable(self) -> int:
        """Number of images that have pixels."""
        return len(self.store) - len(self.store.failed)

    @property
    def reasons(self) -> list[str]:
        """One sentence for each file that is broken or missing, with the reason."""
        broken = self.store.failed["error"]
        return [str(reason) for reason in broken[broken != NO_FILE]]

    @property
    def images_per_second(self) -> float:
        """Files decoded per second; NaN if none was decoded."""
        seconds = self.work.seconds
        return (
            self.work.decoded / seconds if self.work.decoded and seconds else float("nan")
        )

    @property
    def megabytes(self) -> float:
        """Size of the pixels, in MB; black rows take less on most disks."""
        return self.store.images.nbytes / 1e6

    def as_dict(self) -> dict[str, Any]:
        """Return the whole result as a dictionary, for another program."""
        return {
            "images": len(self.store),
            "usable": self.usable,
            "decoded": self.work.decoded,
            "there_already": self.work.kept,
            "broken": len(self.reasons),
            "without_a_file": len(self.store.failed) - len(self.reasons),
            "reasons": self.reasons[:3],
            "failures": self.failures,
            "images_per_second": self.images_per_second,
            "megabytes": self.megabytes,
            "size": self.store.settings["size"],
            "fit": self.store.settings["fit"],
            "store": self.store.folder,
            "table": self.table,
        }


def prepare_images(
    table: pd.DataFrame | NotedTable,
    folder: Path,
    *,
    config: ImagingConfig,
    on: str = "here",
    ray_address: str | None = None,
) -> Preparation:
    """Decode the images of `table` into the pixel store `folder`, and return the result.

    Beside the pixels the folder gets `table.parquet`, the table with sha256, width and
    height of its images, and `failures.csv`, if images cannot be used. Images that are in
    the store already are not decoded again (see `build_store`). A sex or site outside the
    vocabulary of a lesion table becomes missing in the written table. With `on="ray"` a Ray
    cluster decodes: the one at `ray_address`, or by default a new cluster on the cores of
    this machine.

    Raises `RunError` if `folder` holds other things or a machine of the cluster cannot read
    the images, `ConfigError` if both `config.workers` and a cluster are given, and the
    exceptions of `build_store`.
    """
    folder = Path(folder)
    check_store_folder(folder)
    check_place(on, ray_address)
    if on == "ray" and config.workers:
        raise ConfigError(
            "--workers counts the processes of this machine, and --on ray takes the cores "
            "of a cluster; give one of them."
        )
    decode = partial(decoded_on_ray, address=ray_address) if on == "ray" else None
    words = {"sex": SEXES, "site": SITES}
    read = as_noted(table)
    rows = read.table
    known = {name: rows[name].where(rows[name].isin(w)) for name, w in words.items()}
    checked = check_table(rows.assign(**known), source="the table of the images")
    with alone(folder, wait=True, shared=True):
        return _prepared(read.holding(checked), folder, config, decode)


def _prepared(
    lesions: NotedTable, folder: Path, config: ImagingConfig, decode: Decode | None
) -> Preparation:
    store, work = update_store(lesions.table, folder, config=config, decode=decode)
    filled = lesions.then(lambda table: add_store_columns(table, store))
    write_table(filled.holding(without_others(filled.table)[0]), folder / TABLE)
    failed = store.failed[["image_id", "path", "error"]].rename(columns={"error": "reason"})
    if len(failed):
        write_table(failed, folder / FAILURES)
    else:
        (folder / FAILURES).unlink(missing_ok=True)
    failures = folder / FAILURES if len(failed) else None
    return Preparation(store, work, folder / TABLE, failures)
