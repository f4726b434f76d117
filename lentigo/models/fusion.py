"""Fuse age, sex and site of the patient with the features of the image in a network."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lentigo.models.metadata import MetadataEncoding

UNITS = 32
"""Units of the dense layer that reads the encoded age, sex and site: about twice as many as
its inputs."""


class Fusion(nn.Module):
    """Fuse pooled features, (N, F), with encoded facts of the patients, (N, M), to (N, G).

    The facts pass a dense layer (32 units, ReLU). `late` appends its output to the
    features, so that G is F + 32, as the winners of SIIM-ISIC 2020 did (Ha et al. 2020,
    arXiv:2010.05351). `film` computes from it a scale γ and a shift β of each feature f,
    f · (1 + γ) + β, so that G is F (feature-wise linear modulation, Perez et al. 2018,
    doi:10.1609/aaai.v32i1.11671). γ and β start at zero, so that the network starts as one
    that takes only the image.
    """

    def __init__(self, encoding: MetadataEncoding, *, features: int) -> None:
        super().__init__()
        self.encoding = encoding
        self.features = features
        self.inner = nn.Sequential(nn.Linear(encoding.width, UNITS), nn.ReLU())
        self.modulation: nn.Linear | None = None
        if encoding.fusion == "film":
            self.modulation = nn.Linear(UNITS, 2 * features)
            nn.init.zeros_(self.modulation.weight)
            nn.init.zeros_(self.modulation.bias)

    @property
    def width(self) -> int:
        """Number of features after the fusion, G."""
        return self.features + added_features(self.encoding)

    def forward(self, features: Tensor, metadata: Tensor | None = None) -> Tensor:
        """Fuse `features`, (N, F), with `metadata`, (N, M): the result is (N, G).

        Without `metadata`, age, sex and site of all N patients are taken as unknown.
        """
        if metadata is None:
            unknown = torch.tensor(self.encoding.unknown, device=features.device)
            metadata = unknown.expand(len(features), -1)
        known = self.inner(metadata)
        if self.modulation is None:
            return torch.cat([features, known.to(features.dtype)], dim=1)
        scale, shift = self.modulation(known).chunk(2, dim=1)
        modulated: Tensor = features * (1 + scale) + shift
        return modulated


def added_features(encoding: MetadataEncoding | None) -> int:
    """Return the number of features that the fusion appends: 32 for `late`, else 0."""
    late = encoding is not None and encoding.fusion == "late"
    return UNITS if late else 0
