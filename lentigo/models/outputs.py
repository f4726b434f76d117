"""A network with all outputs that a prediction needs, from one pass."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lentigo.models.classifier import Classifier
from lentigo.models.early import features_and_early


class AnswersAndFeatures(nn.Module):
    """The network `model` with answers, energy, features and early features as outputs.

    They are the output of `Answers`, (N, 1 + D), the energy, (N,), which is NaN for a
    network with a single logit, the F pooled features of the image, (N, F), which do not
    depend on metadata, and its early features, (N, E).
    """

    def __init__(self, model: Classifier) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, images: Tensor, metadata: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the outputs of each image."""
        features, early = features_and_early(self.model, images)
        scores = self.model.scores_of(features, metadata)
        logit = self.model.melanoma(scores)
        if not self.model.classes:
            nothing = torch.full_like(logit, torch.nan)
            return logit[:, None], nothing, features.float(), early
        said = torch.cat([logit[:, None], self.model.log_shares(scores)], dim=1)
        return said, self.model.energy(scores), features.float(), early


class Outputs(nn.Module):
    """The network `model` with the outputs of its ONNX file.

    These are the melanoma logit (N,), log shares (N, D), features (N, F), energy (N,) and
    early features (N, E); a network with a single logit has neither log shares nor energy,
    and one without early features leaves those out.
    """

    def __init__(self, model: Classifier) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, metadata: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the outputs of each image."""
        features, early = features_and_early(self.model, images)
        scores = self.model.scores_of(features, metadata)
        last = (early,) if early.shape[1] else ()
        if not self.model.classes:
            return (self.model.melanoma(scores), features, *last)
        shares, energy = self.model.log_shares(scores), self.model.energy(scores)
        return (self.model.melanoma(scores), shares, features, energy, *last)
