"""Gather the tables, look at table, files and pixels, and judge what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from lentigo.audit.evidence import Evidence
from lentigo.audit.gather import Source, gather
from lentigo.audit.look import all_pairs, measured, pixels_of
from lentigo.audit.result import Audit, check_allowed
from lentigo.audit.steps import STEPS
from lentigo.config import AuditConfig
from lentigo.curation import assign_groups
from lentigo.imaging.decoding.file_facts import file_facts
from lentigo.imaging.store.build import PixelStore
from lentigo.progress import log
from lentigo.tables import without_others
from lentigo.words import counted

PIXELS = "pixels"


def look_through(
    tables: Source | Sequence[Source],
    folder: Path,
    *,
    test: Source | None,
    config: AuditConfig,
) -> tuple[Audit, PixelStore | None]:
    """Find what is wrong with a set of images; nothing but the pixels is written.

    The arguments are those of `lentigo.reports.audit.audit`, which writes what was found
    into `folder`; beside it the pixels are returned that were looked at.
    """
    allowed = check_allowed(config.allow)
    sources = [tables] if isinstance(tables, pd.DataFrame | Path | str) else list(tables)
    table = gather(sources, test=test, config=config)
    without_others(table, keep=config.keep)  # a name that is not there is refused at once
    evidence = _look(table, folder, config)
    return _judge(evidence, folder, allowed), evidence.store


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
    """Run every step on the evidence, in order, and collect the answers in an audit."""
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
