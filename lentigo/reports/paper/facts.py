"""The facts of an evaluation, as sentences for a manuscript; nothing is made up."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.result import decimal, ends
from lentigo.evaluation.subgroup_difference import ALPHA
from lentigo.reports.numbers import as_value
from lentigo.words import counted, listed

NEEDED = frozenset(
    {"n_images", "n_melanomas", "n_groups", "unit", "n_melanoma_groups", "n_named",
     "left_out", "threshold", "repeats", "seed", "confusion"}
)  # fmt: skip
"""Keys that an evaluation must have for the parts of a manuscript to be written."""


@dataclass(frozen=True)
class Facts:
    """The JSON of an evaluation, and answers about the run that trained the model."""

    evaluation: Mapping[str, Any]
    version: str
    """Version of lentigo."""
    run: Mapping[str, str] = field(default_factory=dict)
    """By key, answers from the run folder (`lentigo.reports.paper.of_run`)."""

    def number(self, name: str) -> Interval:
        """Return the metric `name` with its interval; NaN if the evaluation lacks it."""
        found = as_value(self.evaluation.get(name))
        return found if found is not None else Interval(float("nan"))

    def answer(self, key: str) -> str:
        """Return the answer for `key` of `run` or `ANSWERS`, as text; empty if unknown."""
        if key in self.run:
            return self.run[key]
        function = ANSWERS.get(key)
        return function(self) if function is not None else ""


def shown(interval: Interval) -> str:
    """Write a number with its interval, as in a sentence."""
    if interval.value != interval.value:
        return "undefined"
    limits = ends(interval)
    around = "no interval" if limits == "none" else f"95 % interval {limits}"
    return f"{decimal(interval.value)} ({around})"


def size(facts: Facts) -> str:
    """Return a sentence on the numbers of images, groups and melanomas evaluated."""
    known = facts.evaluation
    melanomas = counted(int(known["n_melanomas"]), "melanoma")
    images = counted(int(known["n_images"]), "image")
    if known["unit"] == "image":
        return f"{images}, {melanomas}."
    groups = counted(int(known["n_groups"]), str(known["unit"]))
    return f"{images} of {groups}, {melanomas}."


def left_out(facts: Facts) -> str:
    """Return a sentence on how many images were left out, and for which reasons."""
    lost: Mapping[str, int] = facts.evaluation["left_out"]
    if not lost:
        return "No image was left out."
    parts = [f"{number:,} {reason}" for reason, number in lost.items()]
    named = counted(int(facts.evaluation["n_named"]), "image")
    return f"Left out of {named}: {listed(parts)}."


def clusters(facts: Facts) -> str:
    """Return sentences on the AUC of each archive, fold and repeat; empty without any."""
    said = []
    for by, noun in (("by_dataset", "archive"), ("by_fold", "fold")):
        parts = (facts.evaluation.get(by) or {}).get("parts", [])
        if parts:
            each = [f"{p['name']} {shown(_interval(p['auc']))}" for p in parts]
            said.append(f"AUC by {noun}: {'; '.join(each)}.")
    if repeated := facts.evaluation.get("by_repeat"):
        said.append(f"{repeated['sentence']} {repeated['why']}")
    if nested := facts.evaluation.get("nested"):
        said.append(f"{nested['sentence']} {nested['why']}")
    return " ".join(said)


def measures(facts: Facts) -> str:
    """Return a sentence with the names of all metrics and figures."""
    names = [n for n in facts.evaluation if as_value(facts.evaluation[n]) is not None]
    metrics = [name for name in names if isinstance(facts.evaluation[name], Mapping)]
    return f"{', '.join(metrics)}; figures: ROC, precision-recall, reliability, decision."


def performance(facts: Facts) -> str:
    """Return a sentence: AUC, average precision, sensitivity, specificity, intervals."""
    threshold = facts.evaluation["threshold"]
    return (
        f"AUC {shown(facts.number('auc'))}, average precision "
        f"{shown(facts.number('average_precision'))}; from a probability of {threshold:g}: "
        f"sensitivity {shown(facts.number('sensitivity'))}, specificity "
        f"{shown(facts.number('specificity'))}."
    )


def calibration(facts: Facts) -> str:
    """Return a sentence on calibration intercept and slope, and the Brier score."""
    return (
        f"Intercept {shown(facts.number('calibration_intercept'))}, slope "
        f"{shown(facts.number('calibration_slope'))}, Brier score "
        f"{shown(facts.number('brier'))}."
    )


def unit_of_intervals(known: Mapping[str, Any]) -> str:
    """Say what intervals take: "take whole patients", and that DeLong's take images."""
    if known["unit"] == "image":
        return "take single images"
    but = "but for DeLong's, which takes single images, " if "auc_delong" in known else ""
    return f"{but}take whole {known['unit']}s"


def uncertainty(facts: Facts) -> str:
    """Return a sentence on the unit of the intervals, and on resampling."""
    known = facts.evaluation
    return (
        f"95 % intervals {unit_of_intervals(known)} as the unit; "
        f"{int(known['repeats']):,} resamples where one is resampled "
        f"(seed {known['seed']})."
    )


def subgroups(facts: Facts) -> str:
    """Return, for each column that divides images, the subgroup with the lowest AUC.

    The result is a sentence; it is empty without subgroups.
    """
    found: Mapping[str, Any] = facts.evaluation.get("subgroups") or {}
    said = []
    for by, groups in found.items():
        rows: Sequence[Mapping[str, Any]] = groups["groups"]
        known = [r for r in rows if "auc" not in r.get("too_few_for", [])]
        if known:
            worst = min(known, key=_auc_of)
            said.append(
                f"by {by}: lowest AUC {worst['name']} {shown(_interval(worst['auc']))}"
            )
    return f"Judged {'; '.join(said)}." if said else ""


def _auc_of(subgroup: Mapping[str, Any]) -> float:
    value = subgroup["auc"]["value"]
    return math.inf if value is None else float(value)


def skin(facts: Facts) -> str:
    """Return a sentence that names subgroup columns on skin; empty without any."""
    found = facts.evaluation.get("subgroups") or {}
    names = [name for name in found if "skin" in name or "ita" in name.lower()]
    return f"Judged by {listed(names)}." if names else ""


def thresholds(facts: Facts) -> str:
    """Return a sentence on each threshold, and on which images it was chosen."""
    said = [f"{facts.evaluation['threshold']:g} as given"]
    for point in facts.evaluation.get("operating_points", []):
        values = [f"{value:.4g}" for value in point["thresholds"].values()]
        said.append(f"{listed(values)} ({point['name']}), chosen on {point['chosen_on']}")
    return f"Probability from which melanoma is called: {'; '.join(said)}."


def confusion(facts: Facts) -> str:
    """Return a sentence with the counts of the confusion matrix at the threshold."""
    table = facts.evaluation["confusion"]
    return (
        f"From {facts.evaluation['threshold']:g}: "
        f"{counted(int(table['tp']), 'melanoma')} called, {int(table['fn']):,} missed; "
        f"{counted(int(table['fp']), 'other image')} called, {int(table['tn']):,} not."
    )


def events(facts: Facts) -> str:
    """Return the number of melanomas, and of the groups that have them, in words."""
    known = facts.evaluation
    return (
        f"{counted(int(known['n_melanomas']), 'melanoma')} of "
        f"{int(known['n_melanoma_groups']):,} independent units."
    )


def protocol(facts: Facts) -> str:
    """Return sentences on the openings of a locked test set; empty for other images."""
    locked = facts.evaluation.get("locked")
    return " ".join(locked["sentences"]) if locked else ""


def difficulty(facts: Facts) -> str:
    """Return the sentence on diagnoses that are easy to tell from melanoma, if any."""
    found = facts.evaluation.get("difficulty")
    return str(found.get("sentence") or "") if found else ""


def beside(facts: Facts) -> str:
    """Return a sentence on the AUC of each simple comparison model; empty without any."""
    found = facts.evaluation.get("beside") or []
    each = [
        f"{row['name']} {shown(_interval(row['auc']))}" for row in found if "auc" in row
    ]
    return f"AUC of what is cheap: {'; '.join(each)}." if each else ""


def utility(facts: Facts) -> str:
    """Return the missed melanomas and false alarms of 1,000 lesions, in a sentence.

    They are those of the first threshold that has them; empty if none has.
    """
    for row in facts.evaluation.get("consequences", []):
        if "missed_per_1000" in row:
            missed, alarms = row["missed_per_1000"], row["false_alarms_per_1000"]
            return (
                f"Of 1,000 lesions like these {shown(_interval(missed))} melanomas are "
                f"missed and {shown(_interval(alarms))} are false alarms at the first "
                "threshold."
            )
    return ""


def cautions(facts: Facts) -> str:
    """Return the warnings of the evaluation's headline: all but its first sentence."""
    return " ".join(str(note) for note in facts.evaluation.get("headline", [])[1:])


def mistakes(facts: Facts) -> str:
    """Return a sentence on subgroups where mistakes are more frequent (p below 0.05).

    Mistakes are missed melanomas and false alarms; p is adjusted after Holm.
    """
    rows = [
        row
        for row in facts.evaluation.get("mistakes", [])
        if row["excess"]["p_holm"] is not None and row["excess"]["p_holm"] < ALPHA
    ]
    found = [
        f"{row['kind']}: {row['by']} {row['name']}, {row['mistakes']:,} of "
        f"{row['images']:,}"
        for row in rows
    ]
    if "mistakes" not in facts.evaluation:
        return ""
    more = "; ".join(found) or "in no subgroup after Holm's adjustment"
    return f"More frequent than in the rest are mistakes: {more}."


def software(facts: Facts) -> str:
    """Return name, version and licence of lentigo."""
    return f"lentigo {facts.version} (Apache-2.0)."


def unit(facts: Facts) -> str:
    """Return a sentence on the unit that intervals keep whole; empty for single images."""
    if facts.evaluation["unit"] == "image":
        return ""
    return f"Intervals keep whole {facts.evaluation['unit']}s together."


def _interval(known: Any) -> Interval:
    found = as_value(known)
    return found if found is not None else Interval(float("nan"))


ANSWERS = {
    function.__name__: function
    for function in (
        size, left_out, clusters, measures, performance, calibration, uncertainty,
        subgroups, skin, thresholds, confusion, events, protocol, difficulty, beside,
        utility, cautions, mistakes, software, unit,
    )
}  # fmt: skip
"""By key, the function that computes an answer from an evaluation alone."""
