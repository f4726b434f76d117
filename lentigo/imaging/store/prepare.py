"""A table and its images, made ready once for every run to come."""

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
    table: Path
    """The lesion table, with the sha256, width and height of every image that was read."""
    failures: Path | None
    """A CSV of all images that cannot be used, and why (image_id, path, reason); None where
    there is none."""

    @property
    def usable(self) -> int:
        """Images that have pixels."""
        return len(self.store) - len(self.store.failed)

    @property
    def reasons(self) -> list[str]:
        """Why images cannot be used: a sentence for each file that is broken or gone."""
        broken = self.store.failed["error"]
        return [str(reason) for reason in broken[broken != NO_FILE]]

    @property
    def images_per_second(self) -> float:
        """How fast files were decoded; NaN where none was."""
        seconds = self.work.seconds
        return (
            self.work.decoded / seconds if self.work.decoded and seconds else float("nan")
        )

    @property
    def megabytes(self) -> float:
        """Size of the pixels, in MB; black rows take less on most disks."""
        return self.store.images.nbytes / 1e6

    def as_dict(self) -> dict[str, Any]:
        """All of it, for another program."""
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
    """Decode the images of `table` into the pixel store `folder`, and say what came of it.

    Beside the pixels lie `table.parquet`, the table with the sha256, width and height of
    its images, and `failures.csv`, if there are any. What is there already is not done
    again, as `build_store` says. A sex or site that is not in the vocabulary of a lesion
    table is missing in the one that is written. With `on="ray"` a Ray cluster decodes: that
    at `ray_address`, else one of this machine's cores.

    Raises `RunError` where `folder` holds other things or a machine sees no images,
    `ConfigError` where workers and a cluster are asked for, and as `build_store` does.
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
