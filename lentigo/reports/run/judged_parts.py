"""Folds, archives and thresholds of a run in sentences and rows, from `evaluation.json`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from lentigo.evaluation.headline import FEWEST, Counts
from lentigo.evaluation.recalibration import FIGURES as RECALIBRATED
from lentigo.models.calibration import WITHOUT_LABELS
from lentigo.reports.numbers import (
    Value,
    as_value,
    interval,
    number,
    shown,
    with_interval,
)
from lentigo.words import count, counted, listed

_SPELLED_OUT = 5
"""Most folds or archives whose AUC is given one by one; of more, the range is given."""


def counts_of(evaluation: Mapping[str, Any]) -> Counts:
    """Return the counts for the headline; those missing in older files count as enough.

    The lost melanomas of such a file are None: its folder holds no row that was lost.
    """
    model, given = evaluation.get("model") or {}, evaluation.get("given") or {}
    images, melanomas = (int(model.get(n) or 0) for n in ("n_images", "n_melanomas"))
    groups = int(model.get("n_groups") or 0)
    return Counts(
        images=images,
        melanomas=melanomas,
        groups=groups,
        melanoma_groups=int(model.get("n_melanoma_groups", FEWEST)),
        other_groups=int(model.get("n_other_groups", FEWEST)),
        named=int(given.get("images") or images),
        left_out=dict(given.get("left_out") or {}),
        melanomas_left_out=given.get("melanomas_left_out"),
        melanomas_named=int(given.get("melanomas") or 0),
    )


def part_sentences(model: Mapping[str, Any]) -> list[str]:
    """Return sentences on the AUC by fold, archive and repeat, as far as there are several.

    `model` is the part of `evaluation.json` on the model.
    """
    found = []
    for by, start in (("fold", "Fold by fold"), ("dataset", "Archive by archive")):
        entry = model.get(f"by_{by}")
        if not entry:
            continue
        aucs = [(part["name"], _auc(part).value) for part in entry["parts"]]
        found.append(
            f"{start} the AUC is {_spelled(aucs, named=by == 'dataset')}; their mean is "
            f"{number(_float(entry['mean_auc']))}, and pooled it is "
            f"{number(_float(entry['pooled_auc']))}. {entry['why']}"
        )
    if repeated := model.get("by_repeat"):
        found.append(f"{repeated['sentence']} {repeated['why']}")
    if nested := model.get("nested"):
        found.append(nested_sentences(nested))
    return found


_LOSSES = {
    "brier": "the Brier score",
    "log_loss": "log loss",
    "error_rate": "the rate of wrong calls",
}


def nested_sentences(nested: Mapping[str, Any]) -> str:
    """Return the losses of a nested cross-validation, each beside its plain interval.

    `nested` is the part of that name of `evaluation.json`.
    """
    said = []
    for each in nested["losses"]:
        both = (_value(each[kind]) for kind in ("nested", "plain"))
        honest, plain = (f"{number(one.value)} ({interval(one)})" for one in both)
        said.append(f"{_LOSSES[each['name']]} is {honest}, plainly {plain}")
    return (
        f"{nested['sentence']} With 95 % intervals {'; '.join(said)}. The plain ones take "
        "losses as independent; the others count that models of different folds share "
        "images (Bates, Hastie & Tibshirani 2023)."
    )


def _spelled(aucs: list[tuple[str, float]], *, named: bool) -> str:
    if len(aucs) <= _SPELLED_OUT:
        return listed([f"{number(v)} ({n})" if named else number(v) for n, v in aucs])
    known = [value for _, value in aucs if not math.isnan(value)]
    if not known:
        return "undefined"
    return f"{number(min(known))} to {number(max(known))}"


def part_rows(model: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the tables of folds, archives and repeats: title, reason, formatted rows."""
    titles = {"fold": "By fold", "dataset": "By archive"}
    found = [
        {
            "title": title,
            "name": by if by == "fold" else "archive",
            "why": entry["why"],
            "rows": [_row(part) for part in entry["parts"]]
            + [
                _summary("mean", entry["mean_auc"]),
                _summary("pooled", entry["pooled_auc"]),
            ],
        }
        for by, title in titles.items()
        if (entry := model.get(f"by_{by}"))
    ]
    return [*found, *_repeat_tables(model)]


def _repeat_tables(model: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The table of repeats: each of their folds, their pooled AUC, and the mean of all."""
    repeated = model.get("by_repeat")
    if not repeated:
        return []
    rows = []
    for place, each in enumerate(repeated["repeats"]):
        for part in (*each["folds"], each["pooled"]):
            fold = part["name"] if part["name"] == "pooled" else f"fold {part['name']}"
            rows.append(_row({**part, "name": f"{place}, {fold}"}))
    rows.append(
        {**_summary("mean of all folds", None), **_auc_cells(repeated["mean_interval"])}
    )
    return [{"title": "By repeat", "name": "repeat", "why": repeated["why"], "rows": rows}]


def _auc_cells(entry: Mapping[str, Any]) -> dict[str, str]:
    auc = _value(entry)
    ends = interval(auc) or "none"
    return {
        "auc": number(auc.value),
        "ends": f"{ends}, rough" if entry.get("rough") else ends,
    }


def _row(part: Mapping[str, Any]) -> dict[str, str]:
    return {
        "name": str(part["name"]),
        "images": count(part["n_images"]),
        "groups": count(part["n_groups"]),
        "melanomas": count(part["n_melanomas"]),
        **_auc_cells(part["auc"]),
    }


def _summary(name: str, auc: Any) -> dict[str, str]:
    nothing = dict.fromkeys(("images", "groups", "melanomas", "ends"), "")
    return {"name": name, **nothing, "auc": number(_float(auc))}


def threshold_sentence(evaluation: Mapping[str, Any]) -> str:
    """Return a sentence on held-out results at the first threshold chosen on validation.

    If no threshold could be chosen, the sentence says so. Empty for a run of an earlier
    version, which stored no thresholds.
    """
    points = evaluation.get("operating_points")
    if points is None:
        return ""
    if not points:
        return (
            "No threshold is stored with the model: its validation images hold fewer than "
            f"{FEWEST} melanomas, or no other images, to choose one on."
        )
    point = points[0]
    values = [number(_float(value)) for value in point["thresholds"].values()]
    if len(values) > 1:
        start = f"At thresholds chosen on the {point['chosen_on']} of each fold"
    else:
        start = f"At a threshold chosen on the {point['chosen_on']} ({values[0]})"
    sensitivity, specificity = (
        _value(point.get(n)) for n in ("sensitivity", "specificity")
    )
    return (
        f"{start} {_aim(point)}, "
        f"{count(point['found'])} of {counted(point['n_melanomas'], 'held-out melanoma')} "
        f"were found, a sensitivity of {with_interval(sensitivity)}, at a specificity of "
        f"{with_interval(specificity)}."
    )


def threshold_rows(evaluation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of the table of operating points."""
    return [
        {
            "wished": _aim(point),
            "threshold": ", ".join(number(_float(v)) for v in point["thresholds"].values()),
            "melanomas": ", ".join(count(v) for v in point["melanomas"].values()),
            "found": f"{count(point['found'])} of {count(point['n_melanomas'])}",
            "alarms": count(point["false_alarms"]),
            **{
                name: shown(_value(point.get(name)), why="nothing to count")
                for name in ("sensitivity", "specificity", "ppv", "npv")
            },
        }
        for point in evaluation.get("operating_points") or []
    ]


def calibration_rows(evaluation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return rows of the table of calibration metrics before and after recalibration."""
    found = evaluation.get("calibration")
    if not found or set(found["methods"]) <= WITHOUT_LABELS:
        return []
    return [
        {
            "name": name.replace("_", " "),
            "before": shown(_value(found["before"].get(name)), why="one class only"),
            "after": shown(_value(found["after"].get(name)), why="one class only"),
            "meaning": meaning,
        }
        for name, meaning in RECALIBRATED.items()
    ]


def calibration_sentence(evaluation: Mapping[str, Any]) -> str:
    """Return sentences on how probabilities were calibrated; empty for an older run."""
    found = evaluation.get("calibration")
    if not found:
        return ""
    methods = listed(list(dict.fromkeys(found["methods"])))
    if set(found["methods"]) == {"spread"}:
        return (
            "The validation images were too few to calibrate the networks, so their logits "
            "were only brought to one spread before the mean: the order of images can be "
            "trusted more than the size of the probabilities."
        )
    if set(found["methods"]) == {"ranks"}:
        return (
            "The validation images were too few to calibrate the mean of the networks' "
            "ranks: the order of images can be trusted more than the size of the "
            "probabilities."
        )
    if methods == "none":
        return (
            "No calibration was better on the validation images than the network's own "
            "probabilities, or these were too few to tell, so they are left as they are."
        )
    gain = _value(found.get("log_loss_gain"))
    return (
        f"The probabilities were calibrated on validation images ({methods}), the simplest "
        "method whose cross-validated log-loss is within one standard error of the best. "
        f"On the held-out images the log-loss falls by {with_interval(gain)}."
    )


def _aim(point: Mapping[str, Any]) -> str:
    """Return the aim of a threshold; earlier versions stored only the sensitivity."""
    if aim := point.get("aim"):
        return str(aim).replace(" %", "\u00a0%")
    return f"to find {_percent(point['sensitivity_wished'])} of melanomas"


def _percent(share: float) -> str:
    return f"{100 * share:.3g}\u00a0%"


def _auc(part: Mapping[str, Any]) -> Value:
    return _value(part.get("auc"))


def _value(entry: Any) -> Value:
    return as_value(entry) or Value(math.nan)


def _float(value: Any) -> float:
    return math.nan if value is None else float(value)
