"""Which settings the members of a soup share, since only then their weights have a mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SAME_IN_A_SOUP = frozenset(
    {
        "imaging.view",
        *(
            f"model.{name}"
            for name in (
                "backbone", "pretrained", "weights", "backbone_args", "mean", "std",
                "pooling", "hidden", "dropout", "dropout_samples", "lora_rank",
                "lora_alpha", "metadata", "metadata_dropout",
            )
        ),
        *(
            f"training.{name}"
            for name in (
                "method", "image_size", "views", "target", "rare_diagnosis",
                "imbalance", "balance", "balance_power", "loss", "focus", "margin",
            )
        ),
    }
)  # fmt: skip
"""Settings that say what a network is, what it sees, or what its logits mean: which classes
there are, how sampling and loss shift the logits, and whether they are log-odds at all."""

FREE_IN_A_SOUP = frozenset(
    {
        *(
            f"augment.{name}"
            for name in (
                "flip", "rotate", "scale", "stretch", "shift", "brightness", "contrast",
                "saturation", "hue", "blur", "erase", "hair", "ruler", "constancy",
            )
        ),
        *(
            f"training.{name}"
            for name in (
                "epochs", "frozen_epochs", "frozen_views", "frozen_stages",
                "epoch_images", "batch_size", "micro_batch", "optimizer",
                "learning_rate", "backbone_rate", "weight_decay", "schedule",
                "decay_epochs", "warmup", "label_smoothing", "mixup", "cutmix",
                "teacher_weight", "temperature", "teacher_sees", "layer_decay",
                "average", "swa", "swa_rate", "progressive", "patience", "monitor",
                "index",
            )
        ),
    }
)  # fmt: skip
"""Settings in which the members of a soup may differ: how the same weights are learnt, as
in Wortsman et al. 2022 (arXiv:2203.05482, appendix J: rate, decay, epochs, augmentation,
mixup and label smoothing). None of them moves the mean of the probabilities."""


def differing(members: Sequence[Mapping[str, Any]]) -> str:
    """Return the first setting, by its whole name, that keeps members from a soup.

    `members` are the settings of each by their whole names; each member has a seed of its
    own. A setting that is in neither of the two lists has to be the same, too. Returns ""
    where the weights have a mean.
    """
    first = members[0]
    for name in first:
        free = name in FREE_IN_A_SOUP or name == "seed"
        if not free and any(tree[name] != first[name] for tree in members):
            return name
    return ""
