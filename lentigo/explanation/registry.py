"""Table of the methods that draw a saliency map, by name. Light to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Method:
    """One method that draws a map of what a model used."""

    name: str
    summary: str
    """What the map shows, in a few words."""
    source: str
    """The publication of the method."""
    needs: Literal["nothing", "maps", "attention", "gradients"]
    """The part of the network that the method needs; all but `nothing` need torch."""
    looks: int
    """How often a network is computed, about, for a map with its checks; a gradient counts
    as three. Deletion and insertion are 30, and the map is drawn twice: of the network, and
    of the one with shuffled weights."""


METHODS = {
    method.name: method
    for method in (
        Method(
            name="occlusion",
            summary="by how much the logit falls where a patch is covered; any engine",
            source="Zeiler & Fergus 2014, arXiv:1311.2901",
            needs="nothing",
            looks=190,
        ),
        Method(
            name="grad_cam",
            summary="the last feature maps, weighted by their mean gradient",
            source="Selvaraju et al. 2017, arXiv:1610.02391",
            needs="maps",
            looks=40,
        ),
        Method(
            name="grad_cam_plus_plus",
            summary="the same with weights for each place",
            source="Chattopadhay et al. 2018, arXiv:1710.11063",
            needs="maps",
            looks=40,
        ),
        Method(
            name="integrated_gradients",
            summary="gradients along the way from a plain image, pixel by pixel",
            source="Sundararajan et al. 2017, arXiv:1703.01365",
            needs="gradients",
            looks=170,
        ),
        Method(
            name="attention_rollout",
            summary="where a ViT looked, whatever it answered",
            source="Abnar & Zuidema 2020, arXiv:2005.00928",
            needs="attention",
            looks=32,
        ),
    )
}
"""Each method by its name, which is also the name of its function."""
