"""Tables of an evaluation as CSV, as LaTeX, and as HTML that pastes into Word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from lentigo.evaluation.at_points import TABLES, cell
from lentigo.evaluation.registry import summary_of
from lentigo.evaluation.result import decimal
from lentigo.evaluation.subgroup_difference import Difference
from lentigo.evaluation.subgroups import SHOWN
from lentigo.reports.glossary import title
from lentigo.reports.numbers import as_value, with_minus
from lentigo.reports.paper.wording import called_from
from lentigo.visible import visible
from lentigo.words import counted

NUMBER, INTERVAL = "value", "95 % interval"
_HEADINGS = {"auc": "AUC", "calibration_gap": "calibration gap"}


@dataclass(frozen=True)
class Table:
    """A table: file name, caption above it, cells as text, and a footnote."""

    name: str
    caption: str
    cells: pd.DataFrame
    foot: str = ""


def tables_of(evaluation: Mapping[str, Any]) -> list[Table]:
    """Return the tables of an evaluation's JSON, in the order of a manuscript."""
    found = [_metrics(evaluation), _confusion(evaluation)]
    if evaluation.get("consequences"):
        found += _consequences(evaluation)
    if evaluation.get("subgroups"):
        found += _subgroups(evaluation)
    if evaluation.get("difficulty"):
        found.append(_difficulty(evaluation))
    return found


def as_latex(table: Table) -> str:
    r"""Return a table as LaTeX for `\input`; it needs the package booktabs."""
    head_of = list(table.cells)
    columns = "l" * len(head_of)
    rows = [head_of, *table.cells.to_numpy().tolist()]
    head, *body = (
        f"{' & '.join(_in_latex(str(cell)) for cell in row)} \\\\" for row in rows
    )
    narrow = [r"\scriptsize", r"\setlength{\tabcolsep}{3pt}"] if len(head_of) > 6 else []
    lines = [
        r"\begin{table}",
        *narrow,
        rf"\caption{{{_in_latex(table.caption)}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        head,
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
        *([rf"\par\footnotesize {_in_latex(table.foot)}"] if table.foot else []),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def as_html(table: Table) -> str:
    """Return a table as an HTML page, to be copied from a browser into Word."""
    head = "".join(f"<th>{_in_html(str(name))}</th>" for name in table.cells)
    rows = "".join(
        "<tr>" + "".join(f"<td>{_in_html(str(cell))}</td>" for cell in row) + "</tr>\n"
        for row in table.cells.itertuples(index=False)
    )
    style = "border-collapse:collapse;font-family:serif;font-size:11pt"
    foot = f"<p>{_in_html(table.foot)}</p>\n" if table.foot else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{_in_html(table.caption)}</title></head><body>\n"
        f'<table border="1" cellpadding="4" style="{style}">\n'
        f"<caption>{_in_html(table.caption)}</caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table>\n{foot}"
        "</body></html>\n"
    )


_ROUGH = "Rough: such intervals hold the truth in fewer or more than 93–97 % of samples."


def _metrics(evaluation: Mapping[str, Any]) -> Table:
    rows = []
    for name, entry in evaluation.items():
        if isinstance(entry, Mapping) and {"value", "low"} <= set(entry):
            rows.append(("", title(name), *_number(entry), summary_of(name)))
    cells = pd.DataFrame(rows).iloc[:, 1:]
    cells.columns = pd.Index(["metric", NUMBER, INTERVAL, "meaning"])
    images, melanomas = evaluation["n_images"], evaluation["n_melanomas"]
    judged = counted(int(images), "image"), counted(int(melanomas), "melanoma")
    caption = f"Performance on {judged[0]}, {judged[1]} among them{_moved(evaluation)}"
    return Table("metrics", caption, cells, _ROUGH if _any_rough(cells) else "")


def _confusion(evaluation: Mapping[str, Any]) -> Table:
    known = evaluation["confusion"]
    cells = pd.DataFrame(
        {
            "": ["melanoma", "other"],
            "called melanoma": [f"{known['tp']:,}", f"{known['fp']:,}"],
            "not called": [f"{known['fn']:,}", f"{known['tn']:,}"],
        }
    )
    caption = f"Calls from a probability of {called_from(evaluation)} upwards"
    return Table("confusion", caption, cells)


def _moved(evaluation: Mapping[str, Any]) -> str:
    """Return what of the metrics is at a requested share of melanoma; empty without one."""
    shares = evaluation.get("prevalence")
    if not shares:
        return ""
    return (
        f"; PPV and NPV for a share of melanoma of {100 * shares['asked_for']:.3g} %, "
        f"calls from a probability of {called_from(evaluation)}"
    )


_THRESHOLDS = ("thresholds", "likelihood_ratios", "per_1000_lesions")
"""Names of the tables of thresholds, in the order of `TABLES`; all have their caption."""

_WHAT = (
    "What each threshold does, with 95 % intervals",
    "Likelihood ratios of each threshold, and lesions excised for one melanoma, with 95 % "
    "intervals",
    "What each threshold does to 1,000 lesions, with 95 % intervals",
)


def _consequences(evaluation: Mapping[str, Any]) -> Iterator[Table]:
    """Yield three tables, as the text of an evaluation has: one would be too wide."""
    origins = {visible(str(r["name"])): r["said"] for r in evaluation["consequences"]}
    said = [f"{name}: {visible(str(origin))}." for name, origin in origins.items()]
    foot = " ".join([*said, *([_MOVED] if evaluation.get("prevalence") else [])])
    for name, caption, columns in zip(_THRESHOLDS, _WHAT, TABLES, strict=True):
        rows = [
            (
                visible(str(row["name"])),
                f"{row['threshold']:.4g}",
                f"{100 * row['prevalence']:.3g} %",
                *(_figure(each, row.get(each)) for each in columns),
            )
            for row in evaluation["consequences"]
        ]
        head = ["threshold of", "threshold", "share of melanoma", *columns.values()]
        yield Table(name, caption, pd.DataFrame(rows, columns=head), foot)


def _figure(name: str, entry: Any) -> str:
    value = as_value(entry)
    return "–" if value is None else cell(name, value, dash=" to ")


_MOVED = (
    "At the requested share of melanoma, thresholds on the risk (given, referral, cost) "
    "are those of probabilities moved to that share."
)


_SHOWN = {metric.name: _HEADINGS.get(metric.name, metric.name) for metric in SHOWN}


def _subgroups(evaluation: Mapping[str, Any]) -> Iterator[Table]:
    """Yield the table of subgroups, and that of their differences to the rest.

    Those of the lowest AUC come first in each column, as in the text.
    """
    rows, differences = [], []
    for by, found in evaluation["subgroups"].items():
        known = {group["name"]: group for group in found["groups"]}
        for name in found.get("worst_first", known):
            own, group = (by, visible(str(name))), known[name]
            counts = (f"{group[n]:,}" for n in ("n_images", "n_groups", "n_melanomas"))
            few = group["too_few_for"]
            figures = ("too few" if n in few else _in_one(group.get(n)) for n in _SHOWN)
            rows.append((*own, *counts, *figures))
            if against := group.get("against_rest"):
                differences.append((*own, *(_difference(against.get(n)) for n in _SHOWN)))
    head = ["by", "subgroup", "images", "groups", "melanomas", *_SHOWN.values()]
    caption = "Subgroups, in each column those of the lowest AUC first"
    yield Table("subgroups", caption, pd.DataFrame(rows, columns=head), _BY_CHANCE)
    if differences:
        head = ["by", "subgroup", *_SHOWN.values()]
        caption = "Each subgroup less all other images, with 95 % intervals"
        cells = pd.DataFrame(differences, columns=head)
        yield Table("subgroup_differences", caption, cells, _ADJUSTED)


_BY_CHANCE = "Of many subgroups some differ by chance."
_ADJUSTED = (
    "p is adjusted for all differences of all subgroups (Holm). No difference (–) is told "
    "where a subgroup, or the rest, has too few melanomas or other images."
)


def _difference(entry: Any) -> str:
    value = as_value(entry)
    if value is None or entry.get("too_few"):
        return "–"
    nothing = float("nan")
    p, after = (
        nothing if entry.get(n) is None else float(entry[n]) for n in ("p", "p_holm")
    )
    return Difference(value, p, after).in_words.replace("+", "")


def as_csv(table: Table) -> pd.DataFrame:
    """Return the cells as they are written to a CSV file.

    A text such as "-0.1 to 0.2" gets a minus sign for its hyphen: with that in front a
    spreadsheet may take it for a formula. Numbers stay numbers.
    """
    return table.cells.map(lambda cell: cell if _is_number(cell) else with_minus(str(cell)))


def _is_number(cell: object) -> bool:
    try:
        float(str(cell))
    except ValueError:
        return False
    return True


def _difficulty(evaluation: Mapping[str, Any]) -> Table:
    rows = [
        (by, row["name"], f"{row['n_images']:,}", _in_one(row["auc"]))
        for by, part in (("kind", "kinds"), ("diagnosis", "diagnoses"))
        for row in evaluation["difficulty"][part]
        if not row["too_few"]
    ]
    cells = pd.DataFrame(rows, columns=["by", "melanoma against", "images", "AUC"])
    return Table("difficulty", "AUC of all melanomas against others alone", cells)


def _number(entry: Any) -> Iterator[str]:
    value = as_value(entry)
    if value is None or not value.is_defined:
        yield from ("undefined", "")
        return
    yield decimal(value.value)
    if not value.has_interval:
        yield "none"
        return
    ends = f"{decimal(value.low)} to {decimal(value.high)}"
    yield f"{ends}, rough" if value.rough else ends


def _in_one(entry: Any) -> str:
    """Write a number and its interval with three decimals, as the text does."""
    value = as_value(entry)
    return "undefined" if value is None else value.in_words.replace("–", " to ")


def _any_rough(cells: pd.DataFrame) -> bool:
    return bool(cells[INTERVAL].str.endswith("rough").any())


_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "−": "$-$", "–": "--", "×": r"$\times$",
}  # fmt: skip


def _in_latex(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in with_minus(visible(text)))


def _in_html(text: str) -> str:
    return escape(with_minus(visible(text)))
