"""Measure patient context where it was planted, and how often chance alone keeps it.

    python -P benchmarks/context.py --draws 400

Each draw has 300 patients with four lesions, one in eight a melanoma. What is seen of a
lesion is N(0, 1), of a melanoma N(2, 1), and the calibrated logit of that is given. In
"planted" each patient adds N(0, 1.5) to all of the own lesions; in "chance" a patient's
lesions tell nothing of each other. In "copies" there is no such effect either, but a
patient has two lesions with two photographs each, to each of which N(0, 1) is added: with
the ids of the lesions, and without, when each photograph counts as a lesion. The AUC is
that of 300 new patients.
"""

from __future__ import annotations

import argparse

import numpy as np

from lentigo.evaluation.discrimination import auc
from lentigo.inference.calibrate import Labelled
from lentigo.inference.context import ERRORS, Fitted, fit_context
from lentigo.models.context import People

PATIENTS, LESIONS, SHARE = 300, 4, 0.125


def drawn(
    rng: np.random.Generator, *, spread: float, photographs: int = 1
) -> tuple[Labelled, People]:
    """Return labelled images with calibrated logits, and their patients and lesions."""
    who = np.repeat(np.arange(PATIENTS), LESIONS // photographs)
    truth = rng.random(len(who)) < SHARE
    seen = 2 * truth + rng.normal(0, 1, len(who)) + rng.normal(0, spread, PATIENTS)[who]
    lesion = np.repeat(np.arange(len(who)), photographs)
    apart = 1.0 if photographs > 1 else 0.0
    looks = seen[lesion] + rng.normal(0, apart, len(lesion))
    logits = (2 * looks - 2) / (1 + spread**2 + apart**2) - np.log(1 / SHARE - 1)
    return Labelled(truth[lesion], logits, who[lesion]), People(who[lesion], lesion)


def gained(rng: np.random.Generator) -> tuple[Fitted, float, float]:
    """Return a context fitted where it was planted, and the AUC without and with it."""
    found = fit_context(*drawn(rng, spread=1.5), fitted_on="drawn")
    images, people = drawn(rng, spread=1.5)
    plain = float(auc(images.truth, images.logits))
    if found.context is None:
        return found, plain, plain
    logits = found.context.apply(images.logits, people)
    return found, plain, float(auc(images.truth, logits))


def kept_by_one(found: Fitted) -> bool:
    """Tell whether one standard error would have been enough."""
    gain = found.gain
    return gain is not None and gain.value > (gain.high - gain.value) / 1.959964


def main() -> None:
    """Print the share of draws that keep a context, and the AUC where it was planted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=400)
    draws = parser.parse_args().draws
    print(f"{draws} draws; kept by {ERRORS:g} standard errors (by one)")
    rng = np.random.default_rng(0)
    few = [gained(rng) for _ in range(max(draws // 10, 1))]
    plain, given = (np.mean([each[k] for each in few]) for k in (1, 2))
    low, high = np.quantile([each[2] - each[1] for each in few], [0.025, 0.975])
    told = sum(each[0].context is not None for each in few)
    print(
        f"planted: {told} of {len(few)}; AUC {plain:.3f} without and {given:.3f} with, "
        f"difference {given - plain:+.3f} (middle 95 % of draws {low:+.3f} to {high:+.3f})"
    )
    shown(draws, "chance", [fit(rng, photographs=1) for _ in range(draws)])
    few_draws = max(draws // 10, 1)
    pairs = [fit(rng, photographs=2) for _ in range(few_draws)]
    shown(few_draws, "copies with lesion ids", pairs)
    pairs = [fit(rng, photographs=2, ids=False) for _ in range(few_draws)]
    shown(few_draws, "copies without lesion ids", pairs)


def fit(rng: np.random.Generator, *, photographs: int, ids: bool = True) -> Fitted:
    """Return a context fitted where a patient's lesions tell nothing of each other."""
    images, people = drawn(rng, spread=0.0, photographs=photographs)
    if not ids:
        people = People(people.patient, np.arange(len(people.lesion)))
    return fit_context(images, people, fitted_on="drawn")


def shown(draws: int, name: str, found: list[Fitted]) -> None:
    """Print how many draws kept a context."""
    kept = sum(each.context is not None for each in found)
    print(f"{name}: {kept} of {draws} ({sum(map(kept_by_one, found))})")


if __name__ == "__main__":
    main()
