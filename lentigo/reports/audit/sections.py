"""Sections of the audit page after the findings: leaks, artefacts, quality, the cohort."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd

from lentigo.audit.checks.picture_findings import (
    BLURRED,
    SIGNIFICANT,
    UNEVEN_LIGHT,
    odds_text,
)
from lentigo.audit.checks.target_leaks import NOTHING
from lentigo.audit.result import Audit
from lentigo.imaging.artefacts.registry import ARTEFACTS
from lentigo.imaging.kind.unlike import NO_SKIN, NOT_DERMOSCOPIC, PAGE
from lentigo.reports.audit.sheets import Choose, Section, Sheet, sheet_of

MOST_FEATURES = 25
"""Most columns that predict the label on the page, the strongest first; target_leaks.csv
has all columns."""


def sections_of(audit: Audit) -> list[Section]:
    """Return the sections for which the audit has results, in the order of the page."""
    tables = audit.tables
    found = []
    if len(tables.get("target_leaks", ())):
        found.append(_leaks(tables["target_leaks"]))
    if len(tables.get("artefact_ties", ())):
        found.append(_artefacts(tables["artefact_ties"]))
    if "measures" in tables:
        found.append(_quality())
    if "table_one" in tables:
        found.append(_cohort(tables["table_one"]))
    return found


def _leaks(rows: pd.DataFrame) -> Section:
    rows = rows[rows["kind"] != "label"]  # the answer itself is no news
    shown = rows.head(MOST_FEATURES).drop(columns=["also"], errors="ignore")
    more = (
        f"; the {MOST_FEATURES} strongest of {len(rows)}" if len(rows) > len(shown) else ""
    )
    sheet = sheet_of(
        shown,
        title="Each column and property of the files by itself",
        caption="AUC for melanoma on groups that were not learned from, with its 95 % "
        "interval; least is a lower limit that holds for all of them at once" + more + ".",
        strong=shown["least"] > NOTHING,
    )
    return Section(
        "leaks",
        "What tells the label",
        (
            "None of these has seen an image. What is above 0.55 for certain is in bold: "
            "a network can learn it instead of the lesion. Age, sex and site may tell "
            "something; how a picture was taken, stored or named should not.",
        ),
        (sheet,),
    )


def ties_to_read(rows: pd.DataFrame) -> pd.DataFrame:
    """Format the rows of `artefact_ties` as text to read; the index is not changed.

    A row is an artefact and a class. Columns: artefact, class, in class and in others
    (count and share), odds ratio and AUC of the score (with 95 % intervals), p (Holm). An
    undefined value is a dash.
    """
    return pd.DataFrame(
        {
            "artefact": rows["artefact"],
            "class": rows["class"],
            "in class": _share(rows, "with_in_class", "in_class"),
            "in others": _share(rows, "with_others", "others"),
            "odds ratio": _interval(
                rows, "odds_ratio", "odds_low", "odds_high", partial(odds_text, digits=3)
            ),
            "p (Holm)": rows["p_holm"].map(_p),
            "AUC of the score": _interval(
                rows, "auc", "auc_low", "auc_high", "{:.3f}".format
            ),
        }
    )


def _artefacts(rows: pd.DataFrame) -> Section:
    strong = rows["p_holm"] < SIGNIFICANT
    other = (rows["label"] == "diagnosis") & (rows["class"] != "melanoma")
    kept = ties_to_read(rows[(rows["label"] == "melanoma") | (strong & other)])
    sheet = sheet_of(
        kept,
        title="Artefacts and classes",
        caption="Each artefact against melanoma, and against those diagnoses where p after "
        f"Holm is below {SIGNIFICANT:g} (in bold). Odds ratios with their 95 % interval.",
        strong=strong[kept.index],
    )
    shows = tuple(
        (f"{name.capitalize()}: {each.summary}", name, partial(_highest, limit=each.limit))
        for name, each in ARTEFACTS.items()
    )
    sentence = (
        "Found by plain image operations, which miss some and call some that are none: "
        "look at the pictures. The number below a picture is the score."
    )
    return Section("artefacts", "Artefacts", (sentence,), (sheet,), shows)


def _quality() -> Section:
    shows: tuple[tuple[str, str, Choose], ...] = (
        ("Out of focus", "sharpness", partial(_lowest, limit=BLURRED)),
        ("Without the colours of skin", "skin", partial(_lowest, limit=NO_SKIN)),
        ("Unlike dermoscopy", "dermoscopic", partial(_lowest, limit=NOT_DERMOSCOPIC)),
        ("Lit from one side", "uneven_light", partial(_highest, limit=UNEVEN_LIGHT)),
        ("Like a page of text", "page", partial(_highest, limit=PAGE)),
    )
    sentence = (
        "The images beyond the limits, the worst first. The number is the measure; all of "
        "them are in measures.csv."
    )
    return Section("quality", "Quality", (sentence,), (), shows)


def _cohort(rows: pd.DataFrame) -> Section:
    again = rows["variable"].duplicated()
    shown = rows.assign(variable=rows["variable"].mask(again, ""))
    sheet = sheet_of(
        shown,
        title="Table one",
        caption="Numbers are mean (SD) and median (IQR), words n (%) of those known. The "
        "difference is standardised (Austin 2009; Yang and Dalton 2012), the largest of "
        "all pairs of parts.",
    )
    return Section("cohort", "Who is in it", (), (_compact(sheet),))


def _compact(sheet: Sheet) -> Sheet:
    """Replace the dash by nothing in the first two columns of `sheet`, in place."""
    for row in sheet.rows:
        row.cells[:2] = ["" if cell == "–" else cell for cell in row.cells[:2]]
    return sheet


def _highest(scores: pd.Series[Any], *, limit: float) -> pd.Series[Any]:
    return scores[scores >= limit].sort_values(ascending=False, kind="stable")


def _lowest(scores: pd.Series[Any], *, limit: float) -> pd.Series[Any]:
    return scores[scores < limit].sort_values(kind="stable")


def _share(rows: pd.DataFrame, part: str, whole: str) -> pd.Series[Any]:
    return pd.Series(
        [
            f"{count:,} of {of:,}\n({100 * count / of:.1f} %)" if of else "–"
            for count, of in zip(rows[part], rows[whole], strict=True)
        ],
        index=rows.index,
        dtype=object,
    )


def _interval(
    rows: pd.DataFrame, value: str, low: str, high: str, form: Callable[[float], str]
) -> pd.Series[Any]:
    return pd.Series(
        [
            "–" if pd.isna(row[value]) else
            form(row[value]) if pd.isna(row[low]) else
            f"{form(row[value])}\n"
            f"({form(row[low])} to {form(row[high])})"
            for _, row in rows.iterrows()
        ],
        index=rows.index,
        dtype=object,
    )  # fmt: skip


def _p(value: float) -> str:
    if pd.isna(value):
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
