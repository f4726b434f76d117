"""Write the methods paragraph of a manuscript, with its references."""

from __future__ import annotations

from lentigo.evaluation.choosing_elsewhere import JUDGED_HERE
from lentigo.reports.paper.facts import Facts, scored_with
from lentigo.reports.paper.wording import OPEN_PART, unit_of_intervals

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
    "learn_then_test": "Angelopoulos AN et al. 2021. arXiv:2110.01052",
}
"""The references that the paragraph may cite, by a short name."""


GUARANTEED = "guaranteed_sensitivity"
"""The kind of operating points whose sensitivity is reached with a stated confidence."""


def methods(facts: Facts) -> str:
    """Return the methods paragraph and its numbered references as Markdown."""
    known = facts.evaluation
    said = [
        _known(facts.run[key])
        for key in ("data", "partition", "separation", "training")
        if key in facts.run
    ]
    said += [
        f"Evaluation rests on {facts.answer('size')}",
        _known(facts.answer("left_out")),
    ]
    said += [*_on_intervals(facts), *_on_folds(facts)]
    if known.get("brier_parts"):
        said.append(
            "The Brier score was divided by isotonic regression without bins {dimitriadis}."
        )
    said.append(_known(facts.answer("thresholds")))
    points = known.get("operating_points") or []
    if any(point["kind"] == GUARANTEED for point in points):
        own = any(JUDGED_HERE in str(point["chosen_on"]) for point in points)
        but = "; that guarantee is for further images, not for those that set them"
        said.append(
            "Guaranteed thresholds were set by exact tests {learn_then_test}"
            f"{but if own else ''}."
        )
    if "threshold_at_sensitivity_95" in known:
        said.append(
            "Figures at 95 % sensitivity are at a threshold that the judged images chose."
        )
    if known.get("consequences"):
        said.append("Net benefit is that of decision curve analysis {vickers}.")
    if prevalence := known.get("prevalence"):
        said.append(
            "Probabilities were moved to a share of melanoma of "
            f"{prevalence['asked_for']:.3g} by their log-odds {{saerens}}."
        )
    if known.get("subgroups"):
        said.append(
            f"Subgroups were formed by {', '.join(known['subgroups'])}; p-values of their "
            "differences to all other images were adjusted for all of them {holm}."
        )
    if known.get("locked"):
        said.append(_known(facts.answer("protocol")))
    said.append(facts.run.get("software") or scored_with(facts))
    return _cited(" ".join(filter(None, said)))


def _known(answer: str) -> str:
    """Return an answer without what it leaves to the author."""
    return answer.partition(OPEN_PART)[0].rstrip()


def _on_intervals(facts: Facts) -> list[str]:
    known = facts.evaluation
    unit = unit_of_intervals(known)
    if known["unit"] == "image":
        unit += ", since no patient or lesion was named"
    return [
        f"All intervals are at 95 %. They {unit}. The interval of the AUC follows "
        "Newcombe's method 5 {newcombe} with the variance of clustered images "
        "{obuchowski}; those of shares are Wilson's for the effective number of images "
        "{korn}; those of sums of shares add the distances to the bounds as squares "
        f"{{zou}}. Where whole groups were resampled it was {int(known['repeats']):,} "
        f"times (seed {known['seed']})."
    ]


def _on_folds(facts: Facts) -> list[str]:
    said = []
    if facts.evaluation.get("by_repeat"):
        said.append(
            "The interval of the mean AUC over all folds of all repeats counts that their "
            "models share images {nadeau}."
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
