"""Audit a set of images (`audit`), and write its findings, results and page to files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lentigo.audit.result import Audit, check_allowed
from lentigo.audit.run import PIXELS, look_through
from lentigo.config import AuditConfig
from lentigo.datasets.any_table import Source
from lentigo.files import write_text
from lentigo.imaging.store.opened import PixelStore
from lentigo.imaging.store.place import check_store_folder
from lentigo.json_files import write_json
from lentigo.output import new_folder
from lentigo.progress import log
from lentigo.reports.audit.page import render
from lentigo.tables import NotedTable, without_others, write_table
from lentigo.words import some

RESULT, PAGE = "audit.json", "index.html"


def audit(
    tables: Source | Sequence[Source],
    out: Path | str,
    *,
    test: Source | None = None,
    config: AuditConfig | None = None,
) -> Audit:
    """Check a set of images, write the findings into the folder `out`, and return them.

    Each of `tables` is a lesion table, any other CSV with one row per image, or the folder
    of an archive; `test` is one with images for a later evaluation. The checks search for
    duplicates within a set, between sets and across the split; for rows that contradict
    each other; for columns and file properties that predict the label; for artefacts
    associated with a class; for images of bad quality; and for differences between the
    parts of the split.

    The folder `out` gets the page (`index.html`), the audit as JSON (`audit.json`), the
    clean table with merged groups (`table.parquet`), `duplicates.csv`, the rows behind each
    finding (`findings/`), the results as CSV, and the pixel store. A second call after an
    audit that was stopped uses the pixels decoded so far.

    Raises:
        RunError: `out` holds another audit, or cannot be written.
        UnknownNameError: `config.allow` names a check that does not exist.
        ConfigError: `config.allow` names a check that never refuses.
        DatasetError: a table cannot be read.
    """
    config = config or AuditConfig()
    check_allowed(config.allow)
    check_store_folder(config.pixels)
    folder = Path(out)
    with new_folder(folder, besides=(PIXELS,)):
        found, store = look_through(tables, folder, test=test, config=config)
        _write(found, store, config.keep)
    return found


def _write(found: Audit, store: PixelStore | None, keep: Sequence[str]) -> None:
    folder = found.folder
    table, others = without_others(found.table, keep=keep)
    if others:
        log.info(
            "table.parquet leaves out %s, which may name people (--keep COLUMN keeps one).",
            some(others),
        )
    clean = NotedTable(table, found.notes, found.sources)
    write_table(clean, folder / "table.parquet")
    write_table(found.duplicates, folder / "duplicates.csv")
    for name, rows in found.tables.items():
        write_table(rows, folder / f"{name}.csv")
    for name, each in found.lists().items():
        write_table(each.rows, folder / "findings" / name)
    write_text(folder / PAGE, render(found, store))
    # Last, because its being there says that all of this is done.
    write_json(folder / RESULT, found.as_dict())
