"""Run an audit: gather the tables, measure files and pixels, and run all checks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lentigo.audit.evidence import Evidence
from lentigo.audit.gather import gather
from lentigo.audit.look import all_pairs, measured, pixels_of
from lentigo.audit.result import Audit, check_allowed
from lentigo.audit.steps import STEPS
from lentigo.config import AuditConfig
from lentigo.curation import assign_groups, shared_lesions
from lentigo.datasets.any_table import Source, as_sources
from lentigo.imaging.decoding.file_facts import file_facts
from lentigo.imaging.store.build import PixelStore
from lentigo.progress import log
from lentigo.tables import NotedTable, without_others
from lentigo.words import counted

PIXELS = "pixels"


def look_through(
    tables: Source | Sequence[Source],
    folder: Path,
    *,
    test: Source | None,
    config: AuditConfig,
) -> tuple[Audit, PixelStore | None]:
    """Audit a set of images; no file is written except the pixel store.

    The arguments are those of `lentigo.reports.audit.audit`, which writes the result into
    `folder`. Returned are the audit and the pixel store, None if no row has a file.
    """
    allowed = check_allowed(config.allow)
    read = gather(as_sources(tables), test=test, config=config)
    # An unknown name in `keep` raises its error before the long work.
    without_others(read.table, keep=config.keep)
    evidence = _look(read, folder, config)
    return _judge(evidence, folder, allowed), evidence.store


def _look(read: NotedTable, folder: Path, config: AuditConfig) -> Evidence:
    """Measure everything that the steps need, once."""
    table = read.table
    if table["path"].isna().all():
        log.info("%s, none with a file.", counted(len(table), "row"))
    else:
        log.info("%s; their pictures are taken or decoded.", counted(len(table), "row"))
    store, read = pixels_of(read, config.pixels or folder / PIXELS, config)
    log.info("Looking for pictures that come twice.")
    pairs = all_pairs(read.table, store, workers=config.workers)
    notes = dict.fromkeys([*read.notes, *shared_lesions(read.table)])
    table = assign_groups(read.table, pairs, keep=True)
    there = store is not None
    log.info("Measuring columns, files and pixels.")
    return Evidence(
        table=table,
        pairs=pairs,
        facts=file_facts(table) if there else None,
        measures=measured(table, store, workers=config.workers) if store else None,
        store=store,
        seed=config.seed,
        notes=tuple(notes),
        sources=read.sources,
    )


def _judge(evidence: Evidence, folder: Path, allowed: frozenset[str]) -> Audit:
    """Run every step on the evidence, in the order of `STEPS`, and collect the results."""
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
        notes=evidence.notes,
        sources=evidence.sources,
    )
