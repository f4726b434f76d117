"""Settings of the training."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from lentigo.config.settings import Settings


class TrainConfig(Settings):
    """How the network learns."""

    method: Literal["gradient", "logistic"] = "gradient"
    """`gradient` trains by back-propagation; `logistic` fits only a logistic head on the
    features of the untouched backbone."""
    image_size: int = Field(default=256, ge=32, le=1024)
    """Side of the square that the network sees, in pixels."""
    epochs: int = Field(default=5, ge=1, le=100_000)
    """Most epochs of training, the frozen ones included."""
    frozen_epochs: int = Field(default=0, ge=0)
    """Epochs in which only the head learns."""
    epoch_images: int | None = Field(default=None, ge=2, le=10**9)
    """Draw at most so many images an epoch (in passes over the whole set); by default, and
    in a smaller set, each one once."""
    batch_size: int = Field(default=32, ge=2, le=65_536)
    """Images a step, over all devices together."""
    optimizer: Literal["adam", "adamw", "sgd"] = "adamw"
    """Kind of optimiser."""
    learning_rate: float = Field(default=1e-3, gt=0, le=10_000)
    """Highest learning rate of the head."""
    backbone_rate: float = Field(default=1.0, gt=0, le=1)
    """Learning rate of the backbone as a share of the head's."""
    weight_decay: float = Field(default=0.0, ge=0, le=100)
    """Decoupled weight decay (for `adamw`) or L2 penalty (for the others)."""
    schedule: Literal["constant", "exponential", "cosine"] = "cosine"
    """`exponential` divides the rate by ten every `decay_epochs`; `cosine` warms up and
    falls to zero at the last step."""
    decay_epochs: float = Field(default=20.0, ge=1e-3, le=1e6)
    """Epochs in which the exponential schedule divides the rate by ten."""
    warmup: float = Field(default=0.05, ge=0, lt=1)
    """Share of the steps in which the cosine schedule warms up."""
    imbalance: Literal["none", "bias", "class_weights", "oversample"] = "bias"
    """What is done about the rarity of melanoma: start the output bias at its share
    (`bias`), weigh the classes alike in the loss, or draw the classes alike. The shift
    that the last two put into the output is taken out again afterwards."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=0.5)
    """How far a label is pulled from 0 or 1."""
    average: float = Field(default=0.0, ge=0, lt=1)
    """Decay of a moving average of the weights, which is then what is judged and kept;
    0 keeps none."""
    patience: int = Field(default=0, ge=0)
    """Stop when the validation AUC has not risen for so many epochs; 0 never stops."""
    monitor: Literal["auc", "loss"] = "auc"
    """What on the validation images says which epoch is the best one."""
    flip_predictions: bool = True
    """Judge the mean over the image and its mirror image."""
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Kind of device."""
    devices: int = Field(default=1, ge=1, le=1024)
    """Devices on each node."""
    nodes: int = Field(default=1, ge=1, le=10_000)
    """Machines; start the same command on each with torchrun."""
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    """Arithmetic; `auto` tries a few steps and takes the faster one."""
    workers: int | None = Field(default=None, ge=0, le=1024)
    """Processes that prepare batches; by default none on a CPU, at most 8 on a GPU."""

    @model_validator(mode="after")
    def _frozen_within_epochs(self) -> Self:
        if self.frozen_epochs > self.epochs:
            raise ValueError(
                f"frozen_epochs is {self.frozen_epochs}, more than the {self.epochs} epochs"
            )
        if self.patience >= self.epochs:
            raise ValueError(
                f"patience {self.patience} can never stop a run of {self.epochs} epochs; "
                "give fewer, or 0 for no early stopping"
            )
        return self
