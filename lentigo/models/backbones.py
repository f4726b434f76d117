"""The names of the backbones in timm."""

from __future__ import annotations

import timm


def backbones() -> dict[str, str]:
    """Return the names of all backbones, each with a note if timm has no weights, or ""."""
    with_weights = set(timm.list_models(pretrained=True, include_tags=False))
    named = {name.partition(".")[0] for name in with_weights}
    return {
        name: "" if name in named else "(timm has no weights for it)"
        for name in timm.list_models()
    }
