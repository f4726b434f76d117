"""The `Predictor` of a torch network: the answers of the network for squares."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch

from lentigo.imaging.decoding.square import Fit
from lentigo.models.backend import Images, Logits, Looked, Preparation, spread_of
from lentigo.models.batch import Batch
from lentigo.models.classifier import Answers
from lentigo.models.device import device_called
from lentigo.models.forward import looked_at, predict_logits
from lentigo.models.metadata import Metadata, MetadataEncoding
from lentigo.models.network import Classifier
from lentigo.models.network_view import network_views
from lentigo.models.outputs import AnswersAndFeatures
from lentigo.models.schema import Member


@dataclass(frozen=True, kw_only=True)
class TorchPredictor:
    """A torch network with the settings of its input; see `Predictor`."""

    network: Classifier
    store_size: int
    """Side, in pixels, of the square to which an image file is resized first."""
    fit: Fit
    """How a rectangular image becomes square; see `ImagingConfig.fit`."""
    max_pixels: int
    """An image file with more pixels (width · height) is not decoded."""
    image_size: int
    """Side, in pixels, to which the square is resized as input of the network."""
    view: tuple[str, ...]
    """The views whose channels are the network's input; see `ImagingConfig.view`."""
    looks: int
    """Default number of looks (see `network_view.LOOKS`) whose mean is the answer."""
    logit_shift: float
    """Number to subtract from the network's logit so that it means a probability."""

    @classmethod
    def of(cls, network: Classifier, member: Member) -> TorchPredictor:
        """Return `network` with the settings of its input that `member` describes."""
        imaging = member.input.imaging()
        return cls(
            network=network,
            store_size=imaging.size,
            fit=imaging.fit,
            max_pixels=imaging.max_pixels,
            image_size=member.input.size,
            view=tuple(imaging.view),
            looks=member.input.views,
            logit_shift=member.logit_shift,
        )

    @property
    def engine(self) -> str:
        """The name of the engine, "torch"."""
        return "torch"

    @property
    def preparation(self) -> Preparation:
        """The settings by which a file becomes the square that `answers` takes."""
        return Preparation(self.store_size, self.fit, self.max_pixels)

    def use(self, device: str) -> None:
        """Move the network to `device`; raise `ConfigError` if there is no such device."""
        self.network.to(device_called(device))

    @property
    def diagnoses(self) -> tuple[str, ...]:
        """The D diagnoses besides melanoma in `answers`."""
        return self.network.others

    @property
    def metadata(self) -> MetadataEncoding | None:
        """The encoding of age, sex and site; None if the network does not take them."""
        return self.network.metadata

    def answers(
        self,
        squares: Images,
        *,
        looks: int | None = None,
        metadata: Metadata | None = None,
    ) -> Logits:
        """Return the network's answers for N squares; see `Predictor.answers`."""
        images = self._images(squares)
        nothing = torch.zeros(len(images))
        answers, _ = predict_logits(
            Answers(self.network),
            [Batch(images, nothing, nothing, *self._beside(metadata))],
            looks=looks or self.looks,
            context=nullcontext(),
        )
        found = np.array(answers.cpu().double().numpy().T)
        found[0] -= self.logit_shift
        return found

    def looked(
        self,
        squares: Images,
        *,
        looks: int | None = None,
        metadata: Metadata | None = None,
    ) -> Looked:
        """Return the answers together with the features; see `Predictor.looked`."""
        images = self._images(squares)
        seen = AnswersAndFeatures(self.network.eval())
        beside = self._beside(metadata)
        with torch.inference_mode():
            views = looked_at(images, looks or self.looks)
            first, *more = (seen(each, *beside) for each in views)
            said = torch.stack([each[0].float() for each in (first, *more)])
        answers = np.array(said.mean(dim=0).cpu().double().numpy().T)
        answers[0] -= self.logit_shift
        return Looked(
            answers=answers,
            features=first[2].cpu().numpy(),
            energy=first[1].cpu().double().numpy(),
            spread=spread_of(said[:, :, 0].cpu().double().numpy()),
            early=first[3].cpu().numpy() if first[3].shape[1] else None,
            each_look=torch.stack([each[2].float() for each in (first, *more)])
            .cpu()
            .numpy(),
        )

    def _beside(self, metadata: Metadata | None) -> tuple[torch.Tensor, ...]:
        if metadata is None or self.network.metadata is None:
            return ()
        return (torch.from_numpy(metadata).to(self.network.mean.device),)

    def _images(self, squares: Images) -> torch.Tensor:
        views = network_views(squares, self.image_size, view=self.view)
        images = torch.from_numpy(views).contiguous(memory_format=torch.channels_last)
        return images.to(self.network.mean.device)
