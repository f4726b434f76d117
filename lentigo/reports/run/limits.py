"""What the numbers of a run do not show, in sentences for its page."""

from __future__ import annotations

from lentigo.config import BY_SOURCE
from lentigo.reports.run.run_folder import RunFolder
from lentigo.words import counted


def limits(run: RunFolder) -> list[str]:
    """Return the sentences on what a run does not show."""
    found = [
        "An interval says how far the number would move with other groups from the same "
        "archives. It does not cover another training, another split, or another clinic.",
        _same_archive(run),
        "The labels are those of the archive. Where a diagnosis was not confirmed by "
        "histology, model and judgement share its errors.",
        "Positive and negative predictive values hold for the share of melanomas in this "
        "table, which is rarely that of a practice.",
    ]
    other = int((run.table["malignant"] & ~run.table["melanoma"]).sum())
    if other:
        found.append(
            f"The question is melanoma or not. {counted(other, 'image')} of other cancers "
            "of the skin count as not melanoma."
        )
    nameless = int(run.table["patient_id"].isna().sum())
    if nameless == len(run.table):
        found.append(
            "The table names no patients, so a group is a lesion (or an image): two "
            "lesions of one person may still fall on both sides of the split."
        )
    elif nameless:
        found.append(
            f"Of {counted(nameless, 'image')} the table names no patient, so that their "
            "group is a lesion (or an image): two lesions of one person may still fall on "
            "both sides of the split."
        )
    if knows_best(run):
        found.append(
            "These lesions are drawn by a program. The number shows that the pipeline "
            "works and says nothing about real skin."
        )
    return found


def _same_archive(run: RunFolder) -> str:
    """Say what the test says of other archives, cameras and clinics."""
    if run.config.split.scheme == BY_SOURCE:
        return (
            "Each data set was judged by a model that learnt from the others alone. How "
            "well a model does in a clinic that none of them is from is not measured here."
        )
    return (
        "The images that judged the model come from the same archive as those it learned "
        "from. How well it does on another camera, another clinic or another population "
        "is not measured here; it is usually worse."
    )


def knows_best(run: RunFolder) -> bool:
    """Tell whether the images are drawn, so that the best reachable AUC is known."""
    return run.evaluation.get("best_reachable_auc") is not None
