"""The network: dermoscopy image in, logit of melanoma out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lentigo.models.fusion import Fusion
from lentigo.models.metadata import MetadataEncoding

Scaling = tuple[float, ...]
"""A mean or standard deviation of each channel."""

MELANOMA = "melanoma"
"""The class whose logit is the output of the network."""


class Classifier(nn.Module):
    """Dermoscopy image in, logit of melanoma out: (N, C, H, W) `uint8` to (N,).

    C is 3 (RGB) unless the network was made for another view of the image.

    The network itself scales the images by `mean` and `std`, as the backbone's weights
    expect, so that no caller can use a wrong range. The head is dense(`hidden`, ReLU) →
    dense(1), or just dense(1) if `hidden` is 0. After `tell_apart` with K classes the head
    ends in dense(K), and the melanoma logit is computed from the K scores. A network with a
    `metadata` encoding also takes age, sex and site of the patient as numbers, (N, M), and
    fuses them with the pooled features.
    """

    mean: Tensor
    std: Tensor
    prior_shift: Tensor
    """Shift of K scores by sampling and loss, to subtract, (K,); after `tell_apart`."""

    def __init__(
        self,
        backbone: nn.Module,
        *,
        mean: Scaling,
        std: Scaling,
        hidden: int,
        dropout: float,
        features: int,
        metadata: MetadataEncoding | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.classes: tuple[str, ...] = ()
        self.register_buffer("mean", as_channels(mean), persistent=False)
        self.register_buffer("std", as_channels(std), persistent=False)
        self.fusion = Fusion(metadata, features=features) if metadata else None
        fused = self.fusion.width if self.fusion is not None else features
        layers: list[nn.Module] = [nn.Dropout(dropout)]
        if hidden:
            layers += [nn.Linear(fused, hidden), nn.ReLU()]
        layers += [nn.Linear(hidden or fused, 1)]
        self.head = nn.Sequential(*layers)

    @property
    def metadata(self) -> MetadataEncoding | None:
        """The encoding of age, sex and site; None if the network takes only the image."""
        return self.fusion.encoding if self.fusion is not None else None

    def head_parameters(self) -> list[nn.Parameter]:
        """All weights except those of the backbone: of the fusion, if any, and the head."""
        fusion = [] if self.fusion is None else list(self.fusion.parameters())
        return [*fusion, *self.head.parameters()]

    @property
    def channels(self) -> int:
        """Number of channels of an image."""
        return self.mean.shape[1]

    @property
    def output(self) -> nn.Linear:
        """The last dense layer of the head; its bias can be initialised to the prior."""
        last = self.head[-1]
        if not isinstance(last, nn.Linear):
            raise TypeError(
                f"The head ends in {type(last).__name__}, not in a dense layer."
            )
        return last

    def tell_apart(self, classes: Sequence[str]) -> None:
        """Replace the last layer by one with an output for each of `classes`.

        Raises `ValueError` if melanoma is not among the classes, or there is only one.
        """
        if MELANOMA not in classes or len(classes) < 2:
            raise ValueError(f"The classes {classes} are not melanoma and others.")
        self.classes = tuple(classes)
        self.head[-1] = nn.Linear(self.output.in_features, len(classes))
        self.register_buffer("prior_shift", torch.zeros(len(classes)))

    def scaled(self, images: Tensor) -> Tensor:
        """Return `uint8` images as floats, scaled by `mean` and `std` for the backbone."""
        return (images.to(self.mean.dtype) / 255 - self.mean) / self.std

    def features(self, images: Tensor) -> Tensor:
        """The pooled features, (N, C, H, W) `uint8` to (N, F)."""
        pooled: Tensor = self.backbone(self.scaled(images))
        return pooled

    def scores_of(self, features: Tensor, metadata: Tensor | None = None) -> Tensor:
        """Return the outputs of the last layer for pooled features, (N, F) to (N, 1 or K).

        `metadata`, (N, M), is the encoded age, sex and site; by default all are unknown.
        """
        if self.fusion is not None:
            features = self.fusion(features, metadata)
        given: Tensor = self.head(features)
        return given

    def scores(self, images: Tensor, metadata: Tensor | None = None) -> Tensor:
        """Return the outputs of the last layer for N images: (N, 1), or (N, K) scores."""
        return self.scores_of(self.features(images), metadata)

    def class_logits(self, scores: Tensor) -> Tensor:
        """Return the logits of K classes, (N, K): the scores minus `prior_shift`.

        Their softmax is the probability of each class at its share in the training images.
        """
        return scores.float() - self.prior_shift

    def melanoma(self, scores: Tensor) -> Tensor:
        """Return the melanoma logits, (N,), computed from the outputs of the last layer.

        For K classes it is log p - log(1 - p), where p is the softmax probability of
        melanoma: its logit minus the log of the summed exponentials of all other logits.
        """
        if not self.classes:
            return scores.squeeze(-1)
        logits = self.class_logits(scores)
        place = self.classes.index(MELANOMA)
        return logits[:, place] - _log_sum_exp(self._of_others(logits))

    @property
    def others(self) -> tuple[str, ...]:
        """The classes other than melanoma; empty if the network has a single logit."""
        return tuple(name for name in self.classes if name != MELANOMA)

    def log_shares(self, scores: Tensor) -> Tensor:
        """Return the log share of each of the `others` among lesions that are not melanoma.

        From scores, (N, K), to (N, K - 1); in each row the exponentials sum to 1.
        """
        others = self._of_others(self.class_logits(scores))
        return others - _log_sum_exp(others)[:, None]

    def energy(self, scores: Tensor) -> Tensor:
        """Return minus the log of the summed exponentials of K logits, (N, K) to (N,)."""
        return -_log_sum_exp(self.class_logits(scores))

    def _of_others(self, logits: Tensor) -> Tensor:
        place = self.classes.index(MELANOMA)
        return torch.cat([logits[:, :place], logits[:, place + 1 :]], dim=1)

    def forward(self, images: Tensor, metadata: Tensor | None = None) -> Tensor:
        """Return the melanoma logit of each of N images, (N,)."""
        return self.melanoma(self.scores(images, metadata))


class Answers(nn.Module):
    """The network `model` with all its answers as output, (N, 1 + D); see `Predictor`.

    For a network with a single logit the output is (N, 1).
    """

    def __init__(self, model: Classifier) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, metadata: Tensor | None = None) -> Tensor:
        """Return the melanoma logit, then the log shares of the D other classes."""
        scores = self.model.scores(images, metadata)
        parts = [self.model.melanoma(scores)[:, None]]
        if self.model.classes:
            parts.append(self.model.log_shares(scores))
        return torch.cat(parts, dim=1)


class Head(nn.Module):
    """The head of a network in training: pooled features, (N, F), to logits or scores.

    There is one output for each of S dropout masks (`samples`): (S · N,) or (S · N, K), all
    images of the first mask first. The mean loss over all outputs is the multi-sample
    dropout loss (Inoue 2019, arXiv:1905.09788).
    """

    def __init__(
        self, model: Classifier, *, scores: bool = False, samples: int = 1
    ) -> None:
        """With `scores` the outputs are those of all K classes, else melanoma logits."""
        super().__init__()
        self.model, self.scores, self.samples = model, scores, samples

    def forward(self, features: Tensor, metadata: Tensor | None = None) -> Tensor:
        """Return scores or logits of `features`."""
        drawn = [self.model.scores_of(features, metadata) for _ in range(self.samples)]
        found = torch.cat(drawn)
        return found if self.scores else self.model.melanoma(found)


class Taught(Head):
    """The whole network in training: images, (N, C, H, W) `uint8`, to outputs of `Head`.

    The backbone processes each image once, whatever the number of dropout masks.
    """

    def forward(self, images: Tensor, metadata: Tensor | None = None) -> Tensor:
        """Return scores or logits of `images`."""
        return super().forward(self.model.features(images), metadata)


def as_channels(values: Scaling) -> Tensor:
    """Return C numbers, one for each channel, as a tensor (1, C, 1, 1) to scale images."""
    return torch.tensor(values, dtype=torch.float32).view(1, -1, 1, 1)


def _log_sum_exp(logits: Tensor) -> Tensor:
    # In steps that each engine knows; torch's own asks what is infinite, too.
    highest = logits.amax(dim=1)
    return highest + (logits - highest[:, None]).exp().sum(dim=1).log()
