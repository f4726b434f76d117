"""Findings from image measures: artefacts tied to a label, and images of poor quality."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pandas as pd

from lentigo.audit.checks.artefact_ties import artefact_ties
from lentigo.audit.checks.finding import Finding
from lentigo.imaging.kind.unlike import NO_SKIN, NOT_DERMOSCOPIC, PAGE
from lentigo.imaging.quality.resolution import resolution
from lentigo.words import counted, some

STRONG_ODDS = 2.0
"""An odds ratio above this value, or below 1 / this value, is reported. Of the 14 odds
ratios against melanoma, of seven artefacts in ISIC 2017 and HAM10000, three are beyond
it and significant: stickers in ISIC 2017 (0.04), vignettes (2.2) and black frames (2.9)
in HAM10000. No other is significant."""
SIGNIFICANT = 0.01
"""Threshold of p after Holm: of tables without a true association, one in 100 gets a
warning."""

BLURRED = 0.22
"""Sharpness below which an image is reported. The least of ISIC 2017 is 0.33, of 2,000
images of HAM10000 0.22; blurred by a Gaussian of 2 pixels of 256, 95 % of both are below
0.18."""
TOO_DARK, TOO_BRIGHT = 0.35, 0.9
CLIPPED = 0.2
"""The largest share of black or of white pixels that is not reported; TOO_DARK and
TOO_BRIGHT bound the mean brightness. Of ISIC 2017 11 of 2,141 images are beyond (all
overexposed, very dark or under hair), of HAM10000 0 of 2,000."""
FEWEST_PIXELS = 200
"""Smallest side of a file in pixels. Networks take 224 pixels and more; HAM10000 at its
reduced 200 × 150 lies below this limit, the original 600 × 450 does not."""
BLANK, GRAIN = 0.01, 2.0
"""An image with a contrast below BLANK or a sharpness above GRAIN shows no picture. The
least contrast of 4,141 dermoscopies is 0.022, their greatest sharpness 1.6; pure noise
has 3.2 and more."""
UNEVEN_LIGHT = 15.0
"""Images that darken from the middle to one side by more units of L* than this are reported
(`uneven_light`): 1.0 % of ISIC 2017 and 0.6 % of 2,000 images of HAM10000 (most show a
large lesion near the image edge, or a finger), and 9 of 26 smartphone photographs."""


@dataclass(frozen=True)
class _Check:
    """One check of the image quality, and the words of its finding."""

    name: str
    what: str
    """What is wrong with the images, as the end of a sentence."""
    advice: str
    """A sentence on what to do with them."""
    offends: Callable[[pd.DataFrame], pd.Series[bool]]
    """From the measures of all images to True for each image that is reported."""
    shown: tuple[str, ...]
    """The measures that the finding lists for each image."""


_CHECKS = (
    _Check(
        "no-picture",
        f"of one colour or pure noise (contrast below {BLANK:g} or sharpness above "
        f"{GRAIN:g})",
        "Leave them out; nothing can be seen on them.",
        lambda each: (each["contrast"] < BLANK) | (each["sharpness"] > GRAIN),
        ("contrast", "sharpness"),
    ),
    _Check(
        "blurred",
        f"out of focus (sharpness below {BLURRED:g})",
        "Look at them; a lesion that cannot be seen cannot be learned from.",
        lambda each: each["sharpness"] < BLURRED,
        ("sharpness",),
    ),
    _Check(
        "badly-exposed",
        f"too dark, too bright or clipped (brightness outside {TOO_DARK:g}–{TOO_BRIGHT:g}, "
        f"or {CLIPPED * 100:.0f} % of the pixels at an end)",
        "Look at them; what is clipped is lost.",
        lambda each: (
            (
                ~each["brightness"].between(TOO_DARK, TOO_BRIGHT)
                | (each["too_dark"] > CLIPPED)
                | (each["too_bright"] > CLIPPED)
            )
            & each["brightness"].notna()
        ),
        ("brightness", "too_dark", "too_bright"),
    ),
    _Check(
        "not-skin",
        f"without the colours of skin (share below {NO_SKIN:g})",
        "Look at them; bluish light or a photograph of something else.",
        lambda each: each["skin"] < NO_SKIN,
        ("skin",),
    ),
    _Check(
        "not-dermoscopic",
        f"unlike dermoscopy (score below {NOT_DERMOSCOPIC:g})",
        "Look at them; most smartphone photographs of a lesion pass for dermoscopy.",
        lambda each: each["dermoscopic"] < NOT_DERMOSCOPIC,
        ("dermoscopic",),
    ),
    _Check(
        "uneven-light",
        f"lit from one side (uneven light above {UNEVEN_LIGHT:g} units of L*)",
        "Look at them; photographs without a dermatoscope, or large lesions at the border.",
        lambda each: each["uneven_light"] > UNEVEN_LIGHT,
        ("uneven_light",),
    ),
    _Check(
        "page",
        f"like a page of text or a drawing (score above {PAGE:g})",
        "Leave them out if they show no lesion.",
        lambda each: each["page"] > PAGE,
        ("page",),
    ),
)


def picture_findings(table: pd.DataFrame, measures: pd.DataFrame) -> list[Finding]:
    """Return findings on artefacts tied to melanoma or a diagnosis, and on image quality.

    `table` is a lesion table with `group_id`; `measures` is the result of `measure_images`
    for its images, in the same order and with the same index. An image that was not decoded
    (all measures NaN) is never reported for its measures. A check without an offending
    image gives no finding.
    """
    found: list[Finding] = []
    for label, ties in label_ties(table, measures).items():
        found += tie_findings(ties, label)
    return [*found, *quality_findings(table, measures)]


def label_ties(table: pd.DataFrame, measures: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the associations of artefacts with melanoma and with the diagnosis.

    The keys are "melanoma" and "diagnosis"; a label that is unknown in all rows is left
    out. The values are the tables of `artefact_ties`.
    """
    return {
        label: artefact_ties(measures, table[label], table["group_id"])
        for label in ("melanoma", "diagnosis")
        if table[label].notna().any()
    }


def quality_findings(table: pd.DataFrame, measures: pd.DataFrame) -> list[Finding]:
    """Return a finding per quality check that some images fail; see `picture_findings`."""
    found = [_finding(check, table, measures) for check in _CHECKS]
    return [each for each in [*found, _low_resolution(table)] if each is not None]


def tie_findings(ties: pd.DataFrame, label: str) -> list[Finding]:
    """Return one warning on all artefacts associated with a class of `label`, if any.

    An association counts if its odds ratio is beyond `STRONG_ODDS`, its `p_holm` is below
    `SIGNIFICANT`, and 0.5 is outside the interval of its AUC: Fisher's test takes 30 images
    of one hairy patient for 30 answers, the interval for one.
    """
    strong = (ties["odds_ratio"] > STRONG_ODDS) | (ties["odds_ratio"] < 1 / STRONG_ODDS)
    of_groups = (ties["auc_low"] > 0.5) | (ties["auc_high"] < 0.5)
    told = strong & of_groups & (ties["p_holm"] < SIGNIFICANT)
    rows = ties[told].sort_values("p", kind="stable")
    if rows.empty:
        return []
    message = (
        f"{counted(len(rows), 'tie')} between an artefact and {label}: "
        f"{some([_sentence(row) for row in rows.to_dict('records')])}. A network may learn "
        "the artefact instead of the lesion: report scores without these images, or crop "
        f"and mask them. (Odds beyond {STRONG_ODDS:g} or 1/{STRONG_ODDS:g}, p after Holm "
        f"below {SIGNIFICANT:g}, AUC by groups off 0.5.)"
    )
    return [Finding(check="artefact-tie", severity="warning", message=message, rows=rows)]


def odds_text(odds: float, *, digits: int) -> str:
    """Return an odds ratio with so many digits and no exponent: "0.028", "610"."""
    rounded = float(f"{odds:.{digits}g}")
    if rounded >= 10**digits:
        return f"{rounded:,.0f}"
    return f"{Decimal(f'{odds:.{digits}g}'):f}"


def _sentence(row: dict[Any, Any]) -> str:
    odds = (
        f"odds ratio {odds_text(row['odds_ratio'], digits=2)} "
        f"({odds_text(row['odds_low'], digits=2)}–{odds_text(row['odds_high'], digits=2)}"
    )
    odds += ", 1/2 added for a count of 0)" if row["corrected"] else ")"
    return (
        f"{row['artefact']} on {row['with_in_class']:,} of {row['in_class']:,} "
        f"{row['class']} and {row['with_others']:,} of {row['others']:,} others ({odds})"
    )


def _finding(check: _Check, table: pd.DataFrame, measures: pd.DataFrame) -> Finding | None:
    offends = check.offends(measures)
    return _of_images(
        table,
        measures.loc[offends, list(check.shown)],
        check.name,
        (check.what, check.advice),
    )


def _low_resolution(table: pd.DataFrame) -> Finding | None:
    sizes = resolution(table)
    small = sizes[sizes["smallest_side"] < FEWEST_PIXELS]
    what = f"of low resolution (smallest side below {FEWEST_PIXELS} pixels)"
    return _of_images(
        table, small, "low-resolution", (what, "Get the originals if there are any.")
    )


def _of_images(
    table: pd.DataFrame, rows: pd.DataFrame, name: str, words: Sequence[str]
) -> Finding | None:
    """Return a warning of the check `name` on the images in `rows`; None if there are none.

    `words` are the problem and the advice, two parts of the message.
    """
    if rows.empty:
        return None
    ids = table.loc[rows.index, "image_id"]
    what, advice = words
    if len(rows) == 1:
        advice = advice.replace("Look at them", "Look at it").replace(
            "Leave them out", "Leave it out"
        )
    these = f"{counted(len(rows), 'image')} {'is' if len(rows) == 1 else 'are'}"
    return Finding(
        check=name,
        severity="warning",
        message=f"{these} {what}: {some(ids.tolist())}. {advice}",
        rows=pd.concat([ids, rows], axis=1),
    )
