"""Tables of an evaluation as CSV, as LaTeX, and as HTML that pastes into Word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from lentigo.evaluation.registry import summary_of
from lentigo.evaluation.result import decimal
from lentigo.reports.numbers import as_value, with_minus
from lentigo.reports.paper.wording import called_from
from lentigo.visible import visible
from lentigo.words import counted

NUMBER, INTERVAL = "value", "95 % interval"


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
        found.append(_consequences(evaluation))
    if evaluation.get("subgroups"):
        found.append(_subgroups(evaluation))
    if evaluation.get("difficulty"):
        found.append(_difficulty(evaluation))
    return found


def as_latex(table: Table) -> str:
    r"""Return a table as LaTeX for `\input`; it needs the package booktabs."""
    columns = "l" * table.cells.shape[1]
    rows = [list(table.cells), *table.cells.to_numpy().tolist()]
    head, *body = (
        f"{' & '.join(_in_latex(str(cell)) for cell in row)} \\\\" for row in rows
    )
    lines = [
        r"\begin{table}",
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
            rows.append(("", name, *_number(entry), summary_of(name)))
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


_CONSEQUENCES = (
    "sensitivity", "specificity", "ppv", "npv", "lr_positive", "lr_negative",
    "needed_to_excise", "net_benefit_per_1000",
)  # fmt: skip


def _consequences(evaluation: Mapping[str, Any]) -> Table:
    rows = []
    for row in evaluation["consequences"]:
        figures = (_in_one(row.get(name)) for name in _CONSEQUENCES)
        share = f"{row['prevalence']:.3g}"
        rows.append((row["name"], f"{row['threshold']:.4g}", share, *figures))
    names = ["threshold of", "threshold", "share of melanoma", *_CONSEQUENCES]
    caption = "What each threshold does, with 95 % intervals"
    foot = _MOVED if evaluation.get("prevalence") else ""
    return Table("thresholds", caption, pd.DataFrame(rows, columns=names), foot)


_MOVED = (
    "At the requested share of melanoma, thresholds on the risk (given, referral, cost) "
    "are those of probabilities moved to that share."
)


def _subgroups(evaluation: Mapping[str, Any]) -> Table:
    shown = ("auc", "sensitivity", "specificity", "calibration_gap")
    rows = []
    for by, found in evaluation["subgroups"].items():
        for group in found["groups"]:
            few = group["too_few_for"]
            figures = (
                "too few" if name in few else _in_one(group.get(name)) for name in shown
            )
            counts = (f"{group[name]:,}" for name in ("n_images", "n_melanomas"))
            rows.append((by, visible(str(group["name"])), *counts, *figures))
    names = ["by", "subgroup", "images", "melanomas", *shown]
    foot = "Of many subgroups some differ by chance."
    return Table("subgroups", "Subgroups", pd.DataFrame(rows, columns=names), foot)


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
    number, ends = _number(entry)
    return f"{number} ({ends})" if ends and ends != "none" else number


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
