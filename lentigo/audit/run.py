"""`audit`: gather the tables, look at table, files and pixels, and write what was found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from lentigo.audit.evidence import Evidence
from lentigo.audit.gather import Source, gather
from lentigo.audit.look import all_pairs, measured, pixels_of
from lentigo.audit.page import render
from lentigo.audit.result import Audit, check_allowed
from lentigo.audit.steps import STEPS
from lentigo.config import AuditConfig
from lentigo.curation import assign_groups
from lentigo.errors import counted, some
from lentigo.files import write_text
from lentigo.imaging.file_facts import file_facts
from lentigo.imaging.store import PixelStore
from lentigo.json_files import write_json
from lentigo.locks import new_folder
from lentigo.progress import log
from lentigo.tables import without_others, write_table

RESULT, PAGE, PIXELS = "audit.json", "index.html", "pixels"


def audit(
    tables: Source | Sequence[Source],
    out: Path | str,
    *,
    test: Source | None = None,
    config: AuditConfig | None = None,
) -> Audit:
    """Look a set of images through, and write what is wrong with it into the folder `out`.

    Each of `tables` is a lesion table, any other CSV with a row an image, or the folder of
    an archive; `test` is one whose images are to be judged later. Sought are pictures that
    come twice, within a set, between sets and across the split; what contradicts itself;
    what tells the label without being an image; artefacts tied to a class; images that
    are no good; and how the parts differ.

    In `out` lie the page (`index.html`), everything as JSON (`audit.json`), the clean table
    with merged groups (`table.parquet`), `duplicates.csv`, the rows behind each finding
    (`findings/`), the results as CSV, and the pixel store. An audit that was broken off
    goes on with the pixels that it has.

    Raises:
        RunError: `out` holds another audit, or cannot be written.
        UnknownNameError: `config.allow` names a check that does not exist.
        DatasetError: a table cannot be read.
    """
    config = config or AuditConfig()
    allowed = check_allowed(config.allow)
    folder = Path(out)
    with new_folder(folder, besides=(PIXELS,)):
        return _audit(tables, folder, test, config, allowed)


def _audit(
    tables: Source | Sequence[Source],
    folder: Path,
    test: Source | None,
    config: AuditConfig,
    allowed: frozenset[str],
) -> Audit:
    sources = [tables] if isinstance(tables, pd.DataFrame | Path | str) else list(tables)
    table = gather(sources, test=test, config=config)
    without_others(table, keep=config.keep)  # a name that is not there is refused at once
    evidence = _look(table, folder, config)
    found = _judge(evidence, folder, allowed)
    _write(found, evidence.store, config.keep)
    return found


def _look(table: pd.DataFrame, folder: Path, config: AuditConfig) -> Evidence:
    """Everything that is measured, once, for all steps."""
    if table["path"].isna().all():
        log.info("%s, none with a file.", counted(len(table), "row"))
    else:
        log.info("%s; their pictures are taken or decoded.", counted(len(table), "row"))
    store, table = pixels_of(table, config.pixels or folder / PIXELS, config)
    log.info("Looking for pictures that come twice.")
    pairs = all_pairs(table, store, workers=config.workers)
    notes = table.attrs.get("notes", [])
    table = assign_groups(table, pairs)
    table.attrs["notes"] = list(dict.fromkeys([*notes, *table.attrs.get("notes", [])]))
    there = store is not None
    log.info("Measuring columns, files and pixels.")
    return Evidence(
        table=table,
        pairs=pairs,
        facts=file_facts(table) if there else None,
        measures=measured(table, store, workers=config.workers) if store else None,
        store=store,
        seed=config.seed,
    )


def _judge(evidence: Evidence, folder: Path, allowed: frozenset[str]) -> Audit:
    """What all steps say of the evidence, in their order."""
    answers = [step(evidence) for step in STEPS]
    tables = {name: rows for each in answers for name, rows in each.tables.items()}
    if evidence.measures is not None:
        tables["measures"] = evidence.measures
    return Audit(
        folder=folder,
        table=evidence.table,
        duplicates=evidence.pairs,
        findings=tuple(each for answer in answers for each in answer.findings),
        allowed=allowed,
        tables=tables,
        not_checked=tuple(each for answer in answers for each in answer.not_checked),
    )


def _write(found: Audit, store: PixelStore | None, keep: Sequence[str]) -> None:
    folder = found.folder
    table, others = without_others(found.table, keep=keep)
    if others:
        log.info(
            "table.parquet leaves out %s, which may name people (--keep COLUMN keeps one).",
            some(others),
        )
    write_table(table, folder / "table.parquet")
    write_table(found.duplicates, folder / "duplicates.csv")
    for name, rows in found.tables.items():
        write_table(rows, folder / f"{name}.csv")
    for name, each in found.lists().items():
        write_table(each.rows, folder / "findings" / name)
    write_text(folder / PAGE, render(found, store))
    # Last, because its being there says that all of this is done.
    write_json(folder / RESULT, found.as_dict())
