"""The networks that timm has, by name."""

from __future__ import annotations

import timm


def backbones() -> dict[str, str]:
    """Name every backbone; behind one without weights a word says so."""
    with_weights = set(timm.list_models(pretrained=True, include_tags=False))
    named = {name.partition(".")[0] for name in with_weights}
    return {
        name: "" if name in named else "(timm has no weights for it)"
        for name in timm.list_models()
    }
