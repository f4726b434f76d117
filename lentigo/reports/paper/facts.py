"""The facts of an evaluation, as sentences for a manuscript; nothing is made up."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from lentigo.datasets.reading.chosen import LEFT_OUT
from lentigo.evaluation.at_points import GIVEN
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.subgroup_difference import ALPHA
from lentigo.reports.numbers import as_value
from lentigo.reports.paper.patients import characteristics_of, not_known_of
from lentigo.reports.paper.wording import (
    OPEN_PART,
    among_them,
    called_from,
    figure_in_words,
    groups_of,
    metric_in_words,
    shown,
    shown_number,
    unit_of_intervals,
)
from lentigo.visible import visible
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
    figures: tuple[str, ...] = ()
    """Names of the figures that were drawn."""

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


def size(facts: Facts) -> str:
    """Return a sentence on the numbers of images, groups and melanomas evaluated."""
    known = facts.evaluation
    melanomas = counted(int(known["n_melanomas"]), "melanoma")
    images = counted(int(known["n_images"]), "image")
    if known["unit"] == "image":
        return f"{images}, {melanomas}."
    return f"{images} of {groups_of(known)}, {melanomas}."


def left_out(facts: Facts) -> str:
    """Return a sentence on how many images were left out, and for which reasons."""
    lost: Mapping[str, int] = facts.evaluation["left_out"]
    notes = map(str, facts.evaluation.get("notes") or ())
    chosen = [visible(note) for note in notes if note.endswith(LEFT_OUT)]
    if not lost:
        of = "these rows" if chosen else "either table"
        return " ".join([*chosen, f"No image of {of} was left out."])
    parts = [f"{number:,} {reason}" for reason, number in lost.items()]
    named = counted(int(facts.evaluation["n_named"]), "image")
    among = among_them(facts.evaluation.get("n_melanomas_left_out"))
    return " ".join([*chosen, f"Left out of {named}: {listed(parts)}{among}."])


def missing(facts: Facts) -> str:
    """Return which images were left out, what is not known of the others, and the rest."""
    known = not_known_of(facts.evaluation)
    if known:
        return f"{left_out(facts)} {known} {OPEN_PART} what was done about missing values."
    return (
        f"{left_out(facts)} {OPEN_PART} values missing in columns such as age, sex and "
        "site, and what was done about them."
    )


def characteristics(facts: Facts) -> str:
    """Return the numbers of images by age, sex and the like; empty if not judged so."""
    return characteristics_of(facts.evaluation)


def flow(facts: Facts) -> str:
    """Return the numbers of images, groups and melanomas judged, and of images left out."""
    return f"Judged: {size(facts)} {facts.answer('left_out')}"


def indeterminate(facts: Facts) -> str:
    """Return sentences on abstentions and missing labels; empty if there are none."""
    said = []
    if refused := facts.evaluation.get("refusals"):
        said.append(str(refused["sentence"]))
    lost: Mapping[str, int] = facts.evaluation["left_out"]
    unsure = [name for name in ("without a label", "without a probability") if name in lost]
    if unsure:
        said.append(f"Left out: {listed([f'{lost[name]:,} {name}' for name in unsure])}.")
    return " ".join(said)


def clusters(facts: Facts) -> str:
    """Return a sentence on the AUC of each archive; empty without several archives."""
    return _by("dataset", facts)


def folds(facts: Facts) -> str:
    """Return sentences on the AUC of each fold and repeat; empty without any."""
    said = [_by("fold", facts)]
    if repeated := facts.evaluation.get("by_repeat"):
        said.append(f"{repeated['sentence']} {repeated['why']}")
    if nested := facts.evaluation.get("nested"):
        said.append(f"{nested['sentence']} {nested['why']}")
    return " ".join(filter(None, said))


def _by(column: Literal["dataset", "fold"], facts: Facts) -> str:
    parts = (facts.evaluation.get(f"by_{column}") or {}).get("parts", [])
    each = [f"{visible(p['name'])} {shown(_interval(p['auc']))}" for p in parts]
    noun = "archive" if column == "dataset" else "fold"
    return f"AUC by {noun}: {'; '.join(each)}." if each else ""


def separation(facts: Facts) -> str:
    """Return whether groups have images in several folds; empty without named groups."""
    known = facts.evaluation
    by_fold = known.get("by_fold")
    if not by_fold or known["unit"] == "image" or "n_groups_in_several" not in by_fold:
        return ""
    several = int(by_fold["n_groups_in_several"])
    if several:
        return f"{several:,} of {groups_of(known)} have images in several folds."
    return (
        f"Of {groups_of(known)} none has images in two folds. {OPEN_PART} copies of one "
        "image, people of whom no id is known, and what each model had learnt from."
    )


def measures(facts: Facts) -> str:
    """Return a sentence with the names of all metrics with a value, and of all figures."""
    known = facts.evaluation
    found = {n: as_value(e) for n, e in known.items() if isinstance(e, Mapping)}
    metrics = [n for n, value in found.items() if value is not None and value.is_defined]
    said = ", ".join(map(metric_in_words, metrics)) or "no metric is defined"
    both = 0 < int(known["n_melanomas"]) < int(known["n_images"])
    figures = ", ".join(map(figure_in_words, facts.figures)) if both else ""
    drawn = f"; figures: {figures}" if figures else ""
    return f"{said}{drawn}."


def performance(facts: Facts) -> str:
    """Return sentences: AUC, average precision, calls, each fold, with intervals."""
    said = (
        f"AUC {shown(facts.number('auc'))}, average precision "
        f"{shown(facts.number('average_precision'))}. {_rates(facts)}"
    )
    return f"{said} {folds(facts)}".strip()


def performance_by_subgroup(facts: Facts) -> str:
    """Return `performance`, and the worst subgroups if any were judged."""
    return f"{performance(facts)} {subgroups(facts)}".strip()


def calls(facts: Facts) -> str:
    """Return the confusion matrix, and sensitivity and specificity with intervals."""
    return f"{confusion(facts)} {_rates(facts)}"


def _rates(facts: Facts) -> str:
    return (
        f"From a probability of {called_from(facts.evaluation)}: sensitivity "
        f"{shown(facts.number('sensitivity'))}, specificity "
        f"{shown(facts.number('specificity'))}."
    )


def calibration(facts: Facts) -> str:
    """Return a sentence on calibration intercept and slope, and the Brier score."""
    return (
        f"Intercept {shown(facts.number('calibration_intercept'))}, slope "
        f"{shown(facts.number('calibration_slope'))}, Brier score "
        f"{shown(facts.number('brier'))}."
    )


def uncertainty(facts: Facts) -> str:
    """Return a sentence on the unit of the intervals, and on resampling."""
    known = facts.evaluation
    return (
        f"95 % intervals {unit_of_intervals(known)}; "
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
    names = [name for name in found if _SKIN.search(name.lower())]
    if not names:
        return ""
    return f"Judged by {listed(names)}. {OPEN_PART} how it was determined."


_SKIN = re.compile(
    r"(?<![a-z])(fitzpatrick|fst|ita|monk|skin[^a-z]*(types?|tones?|colou?rs?))(?![a-z])"
)


def thresholds(facts: Facts) -> str:
    """Return a sentence on each threshold, and on which images it was chosen."""
    at = called_from(facts.evaluation)
    as_given = ", as given" if at == f"{facts.evaluation['threshold']:g}" else ""
    said = [f"Melanoma is called from a probability of {at} upwards{as_given}."]
    for point in facts.evaluation.get("operating_points", []):
        values = [f"{value:.4g}" for value in point["thresholds"].values()]
        named = f"{listed(values)} ({visible(str(point['name']))})"
        said.append(f"Also judged: {named}, chosen on {point['chosen_on']}.")
    if "threshold_at_sensitivity_95" in facts.evaluation:
        said.append(
            "The threshold of 95 % sensitivity was chosen on the judged images themselves."
        )
    return " ".join(said)


def confusion(facts: Facts) -> str:
    """Return a sentence with the counts of the confusion matrix at the threshold."""
    table = facts.evaluation["confusion"]
    return (
        f"From a probability of {called_from(facts.evaluation)}: "
        f"{counted(int(table['tp']), 'melanoma')} called, {int(table['fn']):,} missed; "
        f"{counted(int(table['fp']), 'other image')} called, {int(table['tn']):,} not."
    )


def events(facts: Facts) -> str:
    """Return the number of melanomas, and of the groups that have them, in words."""
    known = facts.evaluation
    melanomas = counted(int(known["n_melanomas"]), "melanoma")
    if known["unit"] == "image":
        return f"{melanomas}; of how many patients is not known."
    return f"{melanomas} of {groups_of({**known, 'n_groups': known['n_melanoma_groups']})}."


def protocol(facts: Facts) -> str:
    """Return sentences on the openings of a locked test set; empty for other images."""
    locked = facts.evaluation.get("locked")
    return " ".join(locked["sentences"]) if locked else ""


def diagnoses(facts: Facts) -> str:
    """Return the numbers of images of each other diagnosis; empty if they are not known."""
    found = facts.evaluation.get("difficulty")
    if not found:
        return ""
    each = [f"{visible(d['name'])} {int(d['n_images']):,}" for d in found["diagnoses"]]
    return f"Images that are not melanoma: {', '.join(each)}. {found['sentence']}"


def size_and_diagnoses(facts: Facts) -> str:
    """Return the numbers of images, groups, melanomas, and of other diagnoses if known."""
    told = facts.answer("diagnoses")
    return f"{size(facts)} {told or f'{OPEN_PART} diagnoses.'}"


def beside(facts: Facts) -> str:
    """Return a sentence on the AUC of each simple comparison model; empty without any."""
    found = facts.evaluation.get("beside") or []
    each = [
        f"{row['name']} {shown(auc)}"
        for row in found
        if (auc := as_value(row.get("auc"))) is not None and auc.is_defined
    ]
    return f"AUC of what is cheap: {'; '.join(each)}." if each else ""


def utility(facts: Facts) -> str:
    """Return the missed melanomas and false alarms of 1,000 lesions, in a sentence.

    They are those of the threshold as given, at the requested share of melanoma if there is
    one; empty if they are not known.
    """
    at_own = "prevalence" not in facts.evaluation
    for row in facts.evaluation.get("consequences", []):
        if row["name"] != GIVEN or row["at_judged_prevalence"] != at_own:
            continue
        if "missed_per_1000" not in row:
            return ""
        missed, alarms = row["missed_per_1000"], row["false_alarms_per_1000"]
        return (
            f"Of 1,000 lesions of which {100 * row['prevalence']:.3g} % are melanomas "
            f"{shown_number(_interval(missed))} melanomas are missed and "
            f"{shown_number(_interval(alarms))} are false alarms from a probability of "
            f"{called_from(facts.evaluation)}."
        )
    return ""


def cautions(facts: Facts) -> str:
    """Return the warnings of the headline (all but its first sentence), and on leaks."""
    said = [str(note) for note in facts.evaluation.get("headline", [])[1:]]
    by_fold = facts.evaluation.get("by_fold") or {}
    if by_fold.get("n_groups_in_several"):
        said.append(separation(facts))
    return " ".join(said)


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
    """Return what lentigo computed; the model's own software is not known without a run."""
    return f"{scored_with(facts)} {OPEN_PART} the model's own software."


def scored_with(facts: Facts) -> str:
    """Return a sentence: metrics and intervals are by lentigo, with version and licence."""
    return f"Metrics and intervals are by lentigo {facts.version} (Apache-2.0)."


def _interval(known: Any) -> Interval:
    found = as_value(known)
    return found if found is not None else Interval(float("nan"))


ANSWERS = {
    function.__name__: function
    for function in (
        size, left_out, missing, characteristics, flow, indeterminate, clusters,
        separation, measures,
        performance, performance_by_subgroup, calls, calibration, uncertainty, subgroups,
        skin, thresholds, confusion, events, protocol, diagnoses, size_and_diagnoses,
        beside, utility, cautions, mistakes, software, scored_with,
    )
}  # fmt: skip
"""By key, the function that computes an answer from an evaluation alone.

Of the model and of what it learnt from such an answer says nothing: that is known of a run
only."""
