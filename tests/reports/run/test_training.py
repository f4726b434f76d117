"""The network and its training in words."""

from __future__ import annotations

from lentigo.recipes import recipe
from lentigo.reports.run.training import sentence


def test_outputs_and_frozen_stages_are_told_as_they_are() -> None:
    quick = sentence(recipe("quick"))
    assert "with one linear output for each diagnosis" in quick
    assert "melanoma is read off them" in quick
    assert "its stem and 3 first stages left as they were" in quick
    assert quick.startswith("The answer is the mean over 2 networks")
    second = quick.partition("member-1")[2]
    assert "diagnosis" not in second
    assert "stages" not in second
    demo = sentence(recipe("demo"))
    assert "diagnosis" not in demo
    assert "stages" not in demo


def test_networks_are_called_calibrated_only_if_they_were() -> None:
    """A run of few validation images said so here, and the opposite two rows below."""

    def told(*methods: str) -> str:
        return sentence(recipe("quick"), {"calibration": {"methods": methods}})

    assert "each calibrated on the validation images of its fold (" in told("beta", "platt")
    assert "fold, except for 1 of 2 (" in told("beta", "spread")
    assert "calibrated on the" not in told("none", "none")
    assert "none of them calibrated" in told("none", "none")
    assert "brought to one spread" in told("spread", "spread")
    assert "each calibrated" in sentence(recipe("quick"), {})
