"""Let a network take what is known of the patient beside the features of the image."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lentigo.models.metadata import MetadataEncoding

UNITS = 32
"""Units of the dense layer that reads age, sex and site: twice the numbers there are."""


class Fusion(nn.Module):
    """Pooled features, (N, F), and what is known of the patients, (N, M), to (N, G).

    `late` puts dense(32, ReLU) of the patient beside the features, so that G is F + 32, as
    the winners of SIIM-ISIC 2020 did (Ha et al. 2020, arXiv:2010.05351). `film` makes of it
    a scale and a shift of each feature, f · (1 + γ) + β with G = F (feature-wise linear
    modulation, Perez et al. 2018, doi:10.1609/aaai.v32i1.11671); both begin at zero, so
    that the network begins as one of the image alone.
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
        """How many features come out, G."""
        return self.features + added_features(self.encoding)

    def forward(self, features: Tensor, metadata: Tensor | None = None) -> Tensor:
        """Return the features of image and patient; by default of an unknown patient."""
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
    """Count the features that the head takes beside those of the image."""
    late = encoding is not None and encoding.fusion == "late"
    return UNITS if late else 0
