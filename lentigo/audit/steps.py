"""The steps of an audit, in page order; each turns an `Evidence` into an `Answer`."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from lentigo.audit.checks.collisions import collisions
from lentigo.audit.checks.contradictions import contradictions
from lentigo.audit.checks.finding import Finding, Severity
from lentigo.audit.checks.picture_findings import label_ties, quality_findings, tie_findings
from lentigo.audit.checks.table_one import table_one, unbalanced
from lentigo.audit.checks.target_leaks import target_leaks
from lentigo.audit.evidence import Answer, Evidence
from lentigo.audit.gather import is_divided
from lentigo.curation.splits.crossing import crossing_pairs, in_words
from lentigo.datasets.reading.look_alikes import in_pairs, look_alikes, rounded_ids
from lentigo.words import counted, some


def files(evidence: Evidence) -> Answer:
    """Report rows without a file or a label, and files that cannot be decoded."""
    table, store = evidence.table, evidence.store
    found = [
        _missing(table),
        _rows(
            "unlabelled", "note", table[table["melanoma"].isna()],
            "without a label: neither melanoma nor anything else",
        ),
    ]  # fmt: skip
    if store is not None:
        index = store.index.set_index("image_id")["error"].reindex(table["image_id"])
        broken = table[["image_id", "path"]].assign(reason=index.to_numpy())
        broken = broken[broken["reason"].notna() & broken["path"].notna()]
        found.append(
            _rows(
                "unreadable-image", "warning", broken,
                "whose file cannot be decoded; leave them out, or mend the files",
            )
        )  # fmt: skip
    nothing = [] if store else ["Pixels: no row of the table has a file, so duplicates, "
                                "artefacts and quality were not looked at."]  # fmt: skip
    return Answer([each for each in found if each], not_checked=nothing)


def _missing(table: pd.DataFrame) -> Finding | None:
    gone = table[table["path"].isna()]
    if 2 * len(gone) > len(table):
        return _rows(
            "missing-image", "warning", gone,
            f"of {len(table):,} without a file, so no duplicates, artefacts or quality "
            "were looked for in them. If they lie elsewhere, say where: --images FOLDER",
        )  # fmt: skip
    return _rows(
        "missing-image", "note", gone,
        "without a file, of which only what the table says is known",
    )  # fmt: skip


def split(evidence: Evidence) -> Answer:
    """Report images of one patient, lesion, picture or group on two sides of the split."""
    table = evidence.table
    if not is_divided(table):
        missing = "The split: no column says which images train and which judge (--by)."
        return Answer(not_checked=[missing, *_unknown(table)])
    twins = _twins(evidence)
    others = crossing_pairs(table, table["side"], evidence.pairs)
    others = others[others["why"].map(_crossing_check) != _TWINS]
    crossing = pd.concat([twins, others], ignore_index=True)
    check = crossing["why"].map(_crossing_check)
    found = [
        Finding(check=name, severity="refusal", message=in_words(rows), rows=rows)
        for name, rows in crossing.groupby(check, sort=True)
    ]
    return Answer(found, not_checked=_unknown(table))


def _twins(evidence: Evidence) -> pd.DataFrame:
    """Return the pairs of images on two sides of the split that show the same picture.

    Patients and lesions are disregarded, so that the picture is always the reason given.
    """
    table = evidence.table
    pairs = evidence.pairs[evidence.pairs["where"] == "across the split"]
    # Without patients, lesions and groups, so that only the picture is a reason.
    nobody = pd.Series(pd.NA, index=table.index, dtype="string")
    apart = table.assign(patient_id=nobody, lesion_id=nobody, group_id=table["image_id"])
    return crossing_pairs(apart, table["side"], pairs)


def _crossing_check(why: str) -> str:
    for word in ("patient", "lesion", "group"):
        if why.startswith(f"same {word}"):
            return f"{word}-across-split"
    return _TWINS


_TWINS = "duplicate-across-split"


def _unknown(table: pd.DataFrame) -> list[str]:
    """Describe for how many rows patient or lesion are unknown: leaks go unseen there."""
    return [
        f"The {noun} of {gone:,} of {counted(len(table), 'row')} is not known: one "
        f"{noun} may "
        "be on two sides of a split, and nobody would see it."
        for noun in ("patient", "lesion")
        if (gone := int(table[f"{noun}_id"].isna().sum()))
    ]


_COUNTABLE = {"near-duplicate", "identical file"}


def duplicates(evidence: Evidence) -> Answer:
    """Count the pairs of each kind as a warning; `split` refuses those across the split."""
    pairs = evidence.pairs
    if pairs.empty:
        return Answer()
    kinds = pairs["kind"].value_counts()
    listed = ", ".join(
        counted(count, str(kind)) if kind in _COUNTABLE else f"{count:,} {kind}"
        for kind, count in kinds.items()
    )
    between = int((pairs["where"] == "between sets").sum())
    show = "shows" if len(pairs) == 1 else "show"
    message = (
        f"{counted(len(pairs), 'pair')} of rows {show} one picture ({listed}"
        + (f"; {between:,} between sets" if between else "")
        + f"): {some([f'{row.a} and {row.b}' for row in pairs.itertuples()])}. Both "
        "share a group_id in table.parquet; split by it."
    )
    return Answer(
        [Finding(check="duplicate-images", severity="warning", message=message, rows=pairs)]
    )


def words(evidence: Evidence) -> Answer:
    """Report contradictions in the table, and id collisions between its data sets."""
    found = contradictions(evidence.table, evidence.pairs)
    if evidence.table["dataset"].unique().size > 1:
        found += collisions(evidence.table)
    return Answer(found)


def identities(evidence: Evidence) -> Answer:
    """Report ids of a data set that look alike, such as one patient written in two ways."""
    table = evidence.table
    found = []
    for name in ("patient_id", "lesion_id"):
        for sentence in rounded_ids(table[name], name=name):
            found.append(Finding(check="rounded-ids", severity="warning", message=sentence))
    for name in ("patient_id", "lesion_id", "image_id"):
        alike = [
            look_alikes(ids).assign(column=name, dataset=source)
            for source, ids in table.groupby("dataset")[name]
        ]
        rows = pd.concat(alike, ignore_index=True)
        if rows.empty:
            continue
        pairs = [pair for each in alike for pair in in_pairs(each)]
        message = (
            f"{name}: {counted(len(pairs), 'pair')} of ids look alike and are taken for "
            f"different ones ({some(pairs)}). Write them alike if they are not."
        )
        found.append(
            Finding(check="look-alike-ids", severity="warning", message=message, rows=rows)
        )
    return Answer(found)


def leaks(evidence: Evidence) -> Answer:
    """Report columns and properties of files that predict the label."""
    table = evidence.table.drop(columns=["table", "side", "own_id"], errors="ignore")
    measured, found = target_leaks(table, facts=evidence.facts, seed=evidence.seed)
    return Answer(found, {"target_leaks": measured})


def artefacts(evidence: Evidence) -> Answer:
    """Report artefacts in the images that are associated with a class."""
    if evidence.measures is None:
        return Answer()
    ties = label_ties(evidence.table, evidence.measures)
    found = [each for label, rows in ties.items() for each in tie_findings(rows, label)]
    whole = [rows.assign(label=label) for label, rows in ties.items()]
    return Answer(
        found, {"artefact_ties": pd.concat(whole, ignore_index=True)} if whole else {}
    )


def quality(evidence: Evidence) -> Answer:
    """Report images that are blurred, badly exposed, small, or not dermoscopic."""
    if evidence.measures is None:
        return Answer()
    return Answer(quality_findings(evidence.table, evidence.measures))


def cohort(evidence: Evidence) -> Answer:
    """Return "table one" by side, or else by data set, and findings on differences."""
    table = evidence.table
    by = "side" if is_divided(table) else "dataset"
    lines = table_one(table, by=by).reset_index()
    return Answer(unbalanced(table, by=by), {"table_one": lines})


STEPS: tuple[Callable[[Evidence], Answer], ...] = (
    split, duplicates, words, identities, leaks, artefacts, quality, files, cohort,
)  # fmt: skip
"""Every step, in the order in which findings of one severity are listed."""


def _rows(check: str, severity: Severity, rows: pd.DataFrame, what: str) -> Finding | None:
    if rows.empty:
        return None
    names = some(rows["image_id"].tolist())
    message = f"{counted(len(rows), 'image')} {what}: {names}."
    return Finding(
        check=check,
        severity=severity,
        message=message,
        rows=rows[[name for name in ("image_id", "path", "reason") if name in rows]],
    )
