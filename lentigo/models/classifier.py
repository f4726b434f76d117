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
"""The class whose logit is the answer."""


class Classifier(nn.Module):
    """Dermoscopy image in, logit of melanoma out: (N, C, H, W) `uint8` to (N,).

    C is 3 (RGB) unless the network was made for another view of the image.

    The scaling that the backbone's weights expect is part of the network, so that nobody
    can feed it in the wrong range. The head is dense(`hidden`, ReLU) → dense(1), or just
    dense(1) when `hidden` is 0. One that was told to `tell_apart` K classes ends in
    dense(K), and its logit of melanoma is read off them. One with a `metadata` encoding
    also takes what is known of the patient, (N, M), and fuses it with the pooled features.
    """

    mean: Tensor
    std: Tensor
    prior_shift: Tensor
    """Of K classes: what balanced sampling added to the score of each, (K,)."""

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
        """How what is known of a patient becomes numbers; None where it is not taken."""
        return self.fusion.encoding if self.fusion is not None else None

    def head_parameters(self) -> list[nn.Parameter]:
        """All weights but those of the backbone."""
        fusion = [] if self.fusion is None else list(self.fusion.parameters())
        return [*fusion, *self.head.parameters()]

    @property
    def channels(self) -> int:
        """How many channels an image has."""
        return self.mean.shape[1]

    @property
    def output(self) -> nn.Linear:
        """The last layer, whose bias can be started at the prior."""
        last = self.head[-1]
        if not isinstance(last, nn.Linear):
            raise TypeError(
                f"The head ends in {type(last).__name__}, not in a dense layer."
            )
        return last

    def tell_apart(self, classes: Sequence[str]) -> None:
        """Give the network one output for each of `classes`, melanoma among them."""
        if MELANOMA not in classes or len(classes) < 2:
            raise ValueError(f"The classes {classes} are not melanoma and others.")
        self.classes = tuple(classes)
        self.head[-1] = nn.Linear(self.output.in_features, len(classes))
        self.register_buffer("prior_shift", torch.zeros(len(classes)))

    def scaled(self, images: Tensor) -> Tensor:
        """Return `uint8` images in the range that the backbone was made for."""
        return (images.to(self.mean.dtype) / 255 - self.mean) / self.std

    def features(self, images: Tensor) -> Tensor:
        """The pooled features, (N, C, H, W) `uint8` to (N, F)."""
        pooled: Tensor = self.backbone(self.scaled(images))
        return pooled

    def scores_of(self, features: Tensor, metadata: Tensor | None = None) -> Tensor:
        """What the last layer gives of pooled features, (N, F) to (N, 1) or (N, K).

        `metadata` is what is known of the patients, (N, M); by default nothing.
        """
        if self.fusion is not None:
            features = self.fusion(features, metadata)
        given: Tensor = self.head(features)
        return given

    def scores(self, images: Tensor, metadata: Tensor | None = None) -> Tensor:
        """What the last layer gives of each image, (N, 1), or (N, K) of K classes."""
        return self.scores_of(self.features(images), metadata)

    def class_logits(self, scores: Tensor) -> Tensor:
        """The logits of K classes, (N, K), without the shift of balanced sampling.

        Their softmax is the probability of each class as common as it was in training.
        """
        return scores.float() - self.prior_shift

    def melanoma(self, scores: Tensor) -> Tensor:
        """The logit of melanoma of what the last layer gave, (N,).

        Of K classes it is log p - log(1 - p) of the softmax's p for melanoma: its score
        minus the logarithm of the summed exponentials of all others.
        """
        if not self.classes:
            return scores.squeeze(-1)
        logits = self.class_logits(scores)
        place = self.classes.index(MELANOMA)
        return logits[:, place] - _log_sum_exp(self._of_others(logits))

    @property
    def others(self) -> tuple[str, ...]:
        """The classes beside melanoma; none where the network gives one logit."""
        return tuple(name for name in self.classes if name != MELANOMA)

    def log_shares(self, scores: Tensor) -> Tensor:
        """The log of the share of each of the `others` among what is no melanoma.

        (N, K) to (N, K - 1); their exponentials sum to one.
        """
        others = self._of_others(self.class_logits(scores))
        return others - _log_sum_exp(others)[:, None]

    def energy(self, scores: Tensor) -> Tensor:
        """Minus the log of the summed exponentials of K classes, (N, K) to (N,)."""
        return -_log_sum_exp(self.class_logits(scores))

    def _of_others(self, logits: Tensor) -> Tensor:
        place = self.classes.index(MELANOMA)
        return torch.cat([logits[:, :place], logits[:, place + 1 :]], dim=1)

    def forward(self, images: Tensor, metadata: Tensor | None = None) -> Tensor:
        """The logit of melanoma of each image, (N,)."""
        return self.melanoma(self.scores(images, metadata))


class Answers(nn.Module):
    """The same network with all that it knows: the `answers` of a `Predictor`, (N, 1 + D).

    Of a network that gives one logit these are (N, 1).
    """

    def __init__(self, model: Classifier) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, metadata: Tensor | None = None) -> Tensor:
        """The logit of melanoma, then the log shares of the D other classes."""
        scores = self.model.scores(images, metadata)
        parts = [self.model.melanoma(scores)[:, None]]
        if self.model.classes:
            parts.append(self.model.log_shares(scores))
        return torch.cat(parts, dim=1)


class Seen(nn.Module):
    """The same network with what is behind its answers, (N, 1 + D + 1 + F).

    First what `Answers` gives, then the energy (NaN of one logit), then the features, which
    are those of the image alone, whatever is known of the patient.
    """

    def __init__(self, model: Classifier) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, metadata: Tensor | None = None) -> Tensor:
        """All of it, for each image."""
        features = self.model.features(images)
        scores = self.model.scores_of(features, metadata)
        parts = [self.model.melanoma(scores)[:, None]]
        energy = torch.full_like(parts[0], torch.nan)
        if self.model.classes:
            parts.append(self.model.log_shares(scores))
            energy = self.model.energy(scores)[:, None]
        return torch.cat([*parts, energy, features.float()], dim=1)


class Outputs(nn.Module):
    """The same network as it is exported; of one logit only that and the features.

    Logit of melanoma (N,), log shares (N, D), features (N, F) and energy (N,).
    """

    def __init__(self, model: Classifier) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, metadata: Tensor | None = None) -> tuple[Tensor, ...]:
        """All of them for each image."""
        features = self.model.features(images)
        scores = self.model.scores_of(features, metadata)
        if not self.model.classes:
            return self.model.melanoma(scores), features
        shares, energy = self.model.log_shares(scores), self.model.energy(scores)
        return self.model.melanoma(scores), shares, features, energy


class Head(nn.Module):
    """The head of a network as it is taught: pooled features, (N, F), to what it gives.

    That is given once for each of S drawn dropouts: (S · N,) or (S · N, K), sample by
    sample. The loss over all of them is the mean of the samples' losses (Inoue 2019,
    arXiv:1905.09788).
    """

    def __init__(
        self, model: Classifier, *, scores: bool = False, samples: int = 1
    ) -> None:
        """Give the `scores` of all classes, (…, K), or the logit of melanoma."""
        super().__init__()
        self.model, self.scores, self.samples = model, scores, samples

    def forward(self, features: Tensor, metadata: Tensor | None = None) -> Tensor:
        """Return scores or logits of `features`."""
        drawn = [self.model.scores_of(features, metadata) for _ in range(self.samples)]
        found = torch.cat(drawn)
        return found if self.scores else self.model.melanoma(found)


class Taught(Head):
    """The whole network as it is taught: images, (N, C, H, W) `uint8`, to what it gives.

    The backbone looks at each image once, however many dropouts are drawn.
    """

    def forward(self, images: Tensor, metadata: Tensor | None = None) -> Tensor:
        """Return scores or logits of `images`."""
        return super().forward(self.model.features(images), metadata)


def as_channels(values: Scaling) -> Tensor:
    """Return a number a channel in the shape that scales images, (1, C, 1, 1)."""
    return torch.tensor(values, dtype=torch.float32).view(1, -1, 1, 1)


def _log_sum_exp(logits: Tensor) -> Tensor:
    # In steps that each engine knows; torch's own asks what is infinite, too.
    highest = logits.amax(dim=1)
    return highest + (logits - highest[:, None]).exp().sum(dim=1).log()
