"""Distillation: a network learns the softened probabilities of other, trained networks.

Hinton, Vinyals and Dean 2015 (arXiv:1503.02531): what a large model or an ensemble holds
for possible tells more of an image than its label, and a small network that learns it
comes near to the ensemble at the cost of one network. Beyer et al. 2022 (arXiv:2106.05237,
"A good teacher is patient and consistent") found that the teacher should see the very view
that the student sees, and for many epochs; `teacher_sees` "plain" is the cheaper way with a
probability for each image, computed once, which fell behind there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import interpolate, log_softmax, logsigmoid, softmax

from lentigo.config import TrainConfig
from lentigo.config.imaging import ImagingConfig
from lentigo.config.views import INPUT_VIEWS
from lentigo.errors import ConfigError
from lentigo.models.batch import Batch
from lentigo.models.classifier import MELANOMA, Answers, Classifier
from lentigo.models.losses import distillation_loss
from lentigo.models.torch_predictor import TorchPredictor
from lentigo.training.memory import as_many_as_fit
from lentigo.training.step import Loss
from lentigo.words import listed


@dataclass
class Teacher:
    """Trained networks whose mean prediction another network learns."""

    members: Sequence[TorchPredictor]
    """The trained networks; empty once `plain` holds their probabilities."""
    classes: tuple[str, ...]
    """Classes of the student in the order of its outputs; empty if it has one logit."""
    config: TrainConfig
    """Settings of the student's training."""
    view: tuple[str, ...]
    """The views whose channels are the images of the student."""
    context: Callable[[], AbstractContextManager[object]]
    """Gives the context that sets the precision, such as `Fabric.autocast`."""
    at_once: int | None = None
    """Most images that the networks look at at once; None is a whole batch."""
    plain: Tensor | None = None
    """With `teacher_sees` "plain" the probabilities of each training image, (N, K)."""

    def with_plain(self, batch: Batch) -> Batch:
        """Add what is known of the single images, before they are mixed: their `plain`."""
        if self.plain is None or batch.soft is not None:
            return batch
        soft = self.plain[batch.places.to(self.plain.device)]
        return replace(batch, soft=soft.to(batch.labels.device))

    def add_to(
        self,
        batch: Batch,
        loss: Loss,
        of_student: Callable[[Tensor], Tensor],
        *,
        at_once: int | None = None,
    ) -> tuple[Batch, Loss]:
        """Add the teacher's probabilities to a batch, and to its loss how far they are.

        Probabilities that the batch has already are kept; otherwise the networks look at
        its images. `of_student` returns the logits of K classes, (N, K), for the outputs
        of the student. The returned loss takes outputs, labels and probabilities. From here
        on the networks look at no more than `at_once` images at once, if it is given.
        """
        if at_once is not None:
            self.at_once = min(self.at_once or at_once, at_once)
        if batch.soft is None:
            batch = replace(batch, soft=self.probabilities(batch.images))
        return batch, partial(_both, loss, of_student, self.config)

    def probabilities(self, images: Tensor) -> Tensor:
        """Return the softened probabilities, (N, K), for images as the student has them.

        `images` are (N, C, H, W) `uint8` with the channels of `view`. Each network gets
        them in its own size, once and not mirrored, and does not know the patients. They
        look at no more than `at_once` images at once, and at fewer if the memory is full.
        """
        count = max(1, len(images))
        most = min(self.at_once or count, count)
        found, fits = as_many_as_fit(
            partial(self._looked, images), most, device=images.device
        )
        if fits < most:
            self.at_once = fits
        return found

    def _looked(self, images: Tensor, at_once: int) -> Tensor:
        pieces = torch.split(images, at_once)
        with torch.no_grad(), self.context():
            answers = [
                torch.cat([self._answers(piece, member) for piece in pieces])
                for member in self.members
            ]
        return self.softened(answers)

    def softened(self, answers: Sequence[Tensor]) -> Tensor:
        """Return the probabilities of K classes, (N, K), at the temperature.

        `answers` are those of each network, (N, 1 + D), see `Answers`. The prediction is
        that of a model folder without its calibration: the mean melanoma logit of all
        networks, and the mean log shares of the D other classes of those that have them.
        With a student of one logit, K is 2: not melanoma, melanoma.
        """
        shifted = [
            found[:, 0] - member.logit_shift
            for found, member in zip(answers, self.members, strict=True)
        ]
        melanoma = torch.stack(shifted).mean(dim=0)
        if not self.classes:
            logits = torch.stack([torch.zeros_like(melanoma), melanoma], dim=1)
            return softmax(logits / self.config.temperature, dim=1)
        shares = [
            found[:, [1 + member.diagnoses.index(name) for name in self._others]]
            for found, member in zip(answers, self.members, strict=True)
            if member.diagnoses
        ]
        among = log_softmax(torch.stack(shares).mean(dim=0), dim=1)
        logits = among + logsigmoid(-melanoma)[:, None]
        columns = dict(zip(self._others, logits.unbind(dim=1), strict=True))
        columns[MELANOMA] = logsigmoid(melanoma)
        ordered = torch.stack([columns[name] for name in self.classes], dim=1)
        return softmax(ordered / self.config.temperature, dim=1)

    @property
    def _others(self) -> list[str]:
        return [name for name in self.classes if name != MELANOMA]

    def _answers(self, images: Tensor, member: TorchPredictor) -> Tensor:
        """Return the answers of one network, (N, 1 + D), for images of the student."""
        mine = _of_size(self._channels(images, member), member.image_size)
        found: Tensor = Answers(member.network.eval())(mine)
        return found.float()

    def _channels(self, images: Tensor, member: TorchPredictor) -> Tensor:
        """Return the channels of `images` that a network takes."""
        if member.view == self.view:
            return images
        widths = [INPUT_VIEWS[name] for name in self.view]
        parts = dict(zip(self.view, torch.split(images, widths, dim=1), strict=True))
        return torch.cat([parts[name] for name in member.view], dim=1)


def check_can_teach(
    members: Sequence[TorchPredictor],
    config: TrainConfig,
    *,
    classes: Sequence[str],
    imaging: ImagingConfig,
) -> None:
    """Raise `ConfigError` if networks cannot teach one with these classes and images.

    The images of both have to become square in the same way (`ImagingConfig.fit`). A
    student that tells diagnoses apart needs a network with the same diagnoses, and none
    with others. With `teacher_sees` "augmented" the teacher takes views that the student
    has, and only RGB images can be brought to its size.
    """
    known = [each.diagnoses for each in members if each.diagnoses]
    others = {name for name in classes if name != MELANOMA}
    if classes and (not known or any(set(names) != others for names in known)):
        theirs = sorted({name for names in known for name in names})
        raise ConfigError(
            "The teacher tells other diagnoses apart than this network: melanoma"
            f"{' and ' + listed(theirs) if theirs else ' or not'}, and not melanoma and "
            f"{listed(sorted(others))}. Train both with the same training.target and "
            "training.rare_diagnosis, or this one with training.target=melanoma."
        )
    fits = {each.fit for each in members}
    if fits != {imaging.fit}:
        raise ConfigError(
            "The teacher learnt from images that became square by "
            f"imaging.fit={' and '.join(sorted(fits))}, and those of this network "
            f"become so by imaging.fit={imaging.fit}, in which lesions have another shape. "
            "Train both with the same imaging.fit."
        )
    if config.teacher_sees == "plain":
        return
    view = imaging.view
    sizes = {each.image_size for each in members}
    same_size = sizes == {config.image_size} and config.progressive == 1
    for member in members:
        sees = set(member.view) <= set(view) and (same_size or member.view == ("rgb",))
        if not sees:
            raise ConfigError(
                f"The teacher takes {' + '.join(member.view)} at {member.image_size} px "
                "and cannot see the augmented images of this network "
                f"({' + '.join(view)} at {config.image_size} px): give "
                "--set training.teacher_sees=plain."
            )


def _both(
    loss: Loss,
    of_student: Callable[[Tensor], Tensor],
    config: TrainConfig,
    given: Tensor,
    labels: Tensor,
    soft: Tensor,
) -> Tensor:
    """Return the weighted mean of the loss of the labels and that of the teacher.

    `given` are the network's outputs for N images, once for each dropout mask; `of_student`
    turns them into logits of K classes; `soft`, (N, K), are the teacher's probabilities.
    """
    weight, samples = config.teacher_weight, len(given) // len(soft)
    taught = distillation_loss(
        of_student(given), soft.repeat(samples, 1), temperature=config.temperature
    )
    return weight * taught + (1 - weight) * loss(given, labels)


def _of_size(images: Tensor, side: int) -> Tensor:
    """Return images, (N, C, H, W) `uint8`, with `side` × `side` pixels."""
    if images.shape[-1] == side:
        return images
    resized = interpolate(
        images.float(), size=(side, side), mode="bilinear", antialias=True
    )
    return resized.round().clamp(0, 255).to(torch.uint8)


def class_logits_of(model: Classifier, shift: float, outputs: Tensor) -> Tensor:
    """Return the logits of K classes, (N, K), for outputs of a network in training.

    Their softmax is a probability at the shares of the training images. K is 2 for a
    network with one logit, from which `shift` is subtracted.
    """
    return model.class_logits(outputs) if model.classes else of_one_logit(outputs, shift)


def of_one_logit(logits: Tensor, shift: float) -> Tensor:
    """Return melanoma logits, (N,), as those of not melanoma and melanoma, (N, 2).

    `shift` is subtracted first, so that the logits mean probabilities as the teacher's do.
    """
    melanoma = logits.float() - shift
    return torch.stack([torch.zeros_like(melanoma), melanoma], dim=1)
