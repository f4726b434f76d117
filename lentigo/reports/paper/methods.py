"""Write the methods paragraph of a manuscript, with its references."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lentigo.evaluation.choosing_elsewhere import JUDGED_HERE
from lentigo.reports.numbers import as_value
from lentigo.reports.paper.facts import Facts, scored_with
from lentigo.reports.paper.wording import OPEN_PART, unit_of_intervals
from lentigo.words import listed

SOURCES = {
    "newcombe": "Newcombe RG. Stat Med 2006;25:559-573. doi:10.1002/sim.2324",
    "obuchowski": "Obuchowski NA. Biometrics 1997;53:567-578. doi:10.2307/2533958",
    "korn": "Korn EL, Graubard BI. Survey Methodology 1998;24:193-201",
    "zou": "Zou GY, Donner A. Stat Med 2008;27:1693-1702. doi:10.1002/sim.3095",
    "vickers": "Vickers AJ, Elkin EB. Med Decis Making 2006;26:565-574. "
    "doi:10.1177/0272989X06295361",
    "holm": "Holm S. Scand J Stat 1979;6:65-70. https://www.jstor.org/stable/4615733",
    "saerens": "Saerens M et al. Neural Comput 2002;14:21-41. "
    "doi:10.1162/089976602753284446",
    "dimitriadis": "Dimitriadis T et al. PNAS 2021;118:e2016191118. "
    "doi:10.1073/pnas.2016191118",
    "nadeau": "Nadeau C, Bengio Y. Mach Learn 2003;52:239-281. doi:10.1023/A:1024068626366",
    "bates": "Bates S, Hastie T, Tibshirani R. J Am Stat Assoc 2024;119:1434-1445. "
    "doi:10.1080/01621459.2023.2197686",
    "delong": "DeLong ER et al. Biometrics 1988;44:837-845. doi:10.2307/2531595",
    "kurtansky": "Kurtansky NR et al. Sci Data 2024;11:884. doi:10.1038/s41597-024-03743-w",
    "hall": "Hall P. J R Stat Soc B 1992;54:221-228. "
    "doi:10.1111/j.2517-6161.1992.tb01873.x",
    "cox": "Cox DR. Biometrika 1958;45:562-565. doi:10.1093/biomet/45.3-4.562",
    "learn_then_test": "Angelopoulos AN et al. 2021. arXiv:2110.01052",
}
"""The references that the paragraph may cite, by a short name."""


GUARANTEED = "guaranteed_sensitivity"
"""The kind of operating points whose sensitivity is reached with a stated confidence."""


def methods(facts: Facts) -> str:
    """Return the methods paragraph and its numbered references as Markdown."""
    known = facts.evaluation
    parts = ("data", "partition", "separation", "training")
    said = [_known(facts.run[key]) for key in parts if key in facts.run]
    said += [
        f"Evaluation rests on {facts.answer('size')}",
        _known(facts.answer("left_out")),
        *_on_intervals(facts),
        *_on_calibration(known),
        *_on_folds(facts),
        _known(facts.answer("thresholds")),
        *_on_thresholds(known),
        *_on_parts(known),
    ]
    if known.get("locked"):
        said.append(_known(facts.answer("protocol")))
    said.append(facts.run.get("software") or scored_with(facts))
    return _cited(" ".join(filter(None, said)))


def _on_thresholds(known: Mapping[str, Any]) -> Iterator[str]:
    points = known.get("operating_points") or []
    if any(point["kind"] == GUARANTEED for point in points):
        own = any(JUDGED_HERE in str(point["chosen_on"]) for point in points)
        but = "; that guarantee is for further images, not for those that set them"
        yield (
            "Guaranteed thresholds were set by exact tests {learn_then_test}"
            f"{but if own else ''}."
        )
    if known.get("consequences"):
        yield "Net benefit is that of decision curve analysis {vickers}."
    if prevalence := known.get("prevalence"):
        yield (
            "For calls, PPV and NPV the probabilities were moved to a share of melanoma of "
            f"{prevalence['asked_for']:.3g} by their log-odds {{saerens}}."
        )


def _on_parts(known: Mapping[str, Any]) -> Iterator[str]:
    """Yield sentences on subgroups, other diagnoses, official scores and baselines."""
    if known.get("subgroups"):
        yield (
            f"Subgroups were formed by {', '.join(known['subgroups'])}; p-values of their "
            "differences to all other images were adjusted for all of them {holm}."
        )
    if known.get("difficulty"):
        yield "All melanomas were also judged against each other diagnosis alone."
    if challenges := [each["challenge"] for each in known.get("official", [])]:
        yield (
            f"Scores of {listed(challenges)} follow the rules of the organisers' program."
        )
    cheap = [
        str(each["name"]).removesuffix(" only")
        for each in known.get("beside", [])
        if _has(each, "auc")
    ]
    if cheap:
        yield (
            f"Beside the model, logistic regressions on {listed(cheap)} alone were "
            "cross-validated by whole groups."
        )


def _known(answer: str) -> str:
    """Return an answer without what it leaves to the author."""
    return answer.partition(OPEN_PART)[0].rstrip()


def _on_intervals(facts: Facts) -> list[str]:
    known = facts.evaluation
    unit = unit_of_intervals(known)
    if known["unit"] == "image":
        unit += ", since no patient or lesion was named"
    said = [f"All intervals are at 95 %. They {unit}."]
    if _has(known, "auc"):
        said.append(
            "The interval of the AUC follows Newcombe's method 5 {newcombe} with the "
            "variance of clustered images {obuchowski}."
        )
    said.append(
        "Intervals of shares are Wilson's for the effective number of images {korn}; those "
        "of sums of shares add the distances to the bounds as squares {zou}."
    )
    if _has(known, "partial_auc_80"):
        said.append("The partial AUC is that above 80 % sensitivity {kurtansky}.")
    if _has(known, "auc_delong"):
        said.append("DeLong's interval {delong} stands beside that of the AUC.")
    said.append(
        f"Where whole groups were resampled it was {int(known['repeats']):,} times (seed "
        f"{known['seed']})."
    )
    return said


def _has(known: Mapping[str, Any], name: str) -> bool:
    """Tell whether an evaluation has the metric `name`, and it is defined."""
    value = as_value(known.get(name))
    return value is not None and value.is_defined


def _on_calibration(known: Mapping[str, Any]) -> list[str]:
    said = []
    if _has(known, "brier"):
        said.append(
            "Intervals of the Brier score and the log loss are corrected for skewness "
            "{hall}."
        )
    if known.get("brier_parts"):
        said.append(
            "The Brier score was divided by isotonic regression without bins {dimitriadis}."
        )
    if _has(known, "calibration_slope"):
        robust = ", their variance robust to likeness within groups"
        said.append(
            "Calibration intercept and slope are those of a logistic regression of the "
            "truth on the logit of the probability {cox}"
            f"{'' if known['unit'] == 'image' else robust}."
        )
    if _has(known, "calibration_error"):
        said.append(
            "The calibration error is the mean distance of promised and observed share "
            "over tenths of the images, less what chance adds."
        )
    return said


def _on_folds(facts: Facts) -> list[str]:
    said = []
    if facts.evaluation.get("by_repeat"):
        said.append(
            "The interval of the mean AUC over all folds of all repeats counts that their "
            "models share images {nadeau}."
        )
    elif _has(facts.evaluation.get("by_fold") or {}, "mean_interval"):
        said.append(
            "The mean AUC of the folds stands beside that of all images, with an interval "
            "that counts what their models share {nadeau}."
        )
    if facts.evaluation.get("nested"):
        said.append("Intervals of mean losses come from nested cross-validation {bates}.")
    return said


def _cited(text: str) -> str:
    """Replace each `{name}` of `SOURCES` in a text by a number such as [1], and list them.

    Returns the whole Markdown page; sources are numbered in the order of first mention.
    """
    order: list[str] = []
    for name in sorted(SOURCES, key=lambda each: text.find(f"{{{each}}}")):
        if f"{{{name}}}" in text:
            order.append(name)
    for number, name in enumerate(order, start=1):
        text = text.replace(f"{{{name}}}", f"[{number}]")
    listed = [f"{number}. {SOURCES[name]}" for number, name in enumerate(order, start=1)]
    return "\n".join(["# Methods", "", text, "", "## Sources", "", *listed, ""])
