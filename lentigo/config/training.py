"""Settings of the training."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from lentigo.config.settings import Settings

BALANCING = frozenset({"class_weights", "oversample"})
"""Answers to rarity that treat both classes alike, which leaves no room for `balance`."""


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
    frozen_views: int = Field(default=0, ge=0, le=1000)
    """In how many varied views each image is seen in the `frozen_epochs`: so many are drawn
    once for each image, and the epochs take them in turn. The backbone looks at each view
    once, and an epoch whose view is known costs the head alone. 0 draws a new view in each
    epoch, which varies most, and the backbone looks again."""
    frozen_stages: int = Field(default=0, ge=0, le=1000)
    """Keep the stem of the backbone and so many of its first stages as they are; 0 lets
    all of it learn. Their batch statistics stay, too, and no gradient is computed there."""
    target: Literal["melanoma", "diagnosis"] = "melanoma"
    """What is learnt: melanoma or not, or the diagnosis, off which melanoma is read. Of a
    diagnosis images take part whose melanoma is not known."""
    rare_diagnosis: float = Field(default=0.005, ge=0, lt=0.5)
    """Diagnoses that fewer of the training images have than this share are no class of
    their own: they count to the class above them, or to `other`."""
    epoch_images: int | None = Field(default=None, ge=2, le=10**9)
    """Draw at most so many images an epoch (in passes over the whole set); by default, and
    in a smaller set, each one once."""
    batch_size: int = Field(default=32, ge=2, le=65_536)
    """Images a step, over all devices together."""
    micro_batch: int | None = Field(default=None, ge=2, le=65_536)
    """Compute the gradient of at most so many images of a batch at once, on each device,
    and add up; by default of all of them, and of half where the memory does not hold them.
    Batch normalisation then sees so many images."""
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
    balance: Literal["none", "class", "archive", "class_and_archive"] = "none"
    """Draw images of rare classes (of the target), of small archives, or of rare classes of
    each archive more often. The shift that this puts into the output is taken out again."""
    balance_power: float = Field(default=0.5, gt=0, le=1)
    """How far that goes: what n images have is drawn in proportion to n to the power of one
    minus this. 1 draws all alike, 0.5 is the square-root rule."""
    loss: Literal["cross_entropy", "focal", "logit_adjusted", "auc_margin"] = (
        "cross_entropy"
    )
    """What is made small. `focal` counts images that are right already for less;
    `logit_adjusted` adds the logarithm of each class's share while learning; `auc_margin`
    parts melanoma from the rest in each batch, of melanoma or not alone, and what it
    answers is a probability only after calibration."""
    focus: float = Field(default=2.0, ge=0, le=20)
    """How much less `focal` counts what is right: by (1 - p) to this power."""
    margin: float = Field(default=1.0, gt=0, le=1)
    """How far `auc_margin` wants the mean probability of melanomas above the others'."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=0.5)
    """How far a label is pulled from 0 or 1."""
    mixup: float = Field(default=0.0, ge=0, le=10)
    """Mix each image of a batch with another one, and their losses alike, by a share that
    is drawn from a beta distribution of this parameter; 0 mixes none."""
    cutmix: float = Field(default=0.0, ge=0, le=10)
    """The same with a rectangle of the other image in its place. Where both are given, each
    batch takes one of them."""
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    """Learning rate of each layer of the backbone as a share of that of the layer above."""
    average: float = Field(default=0.0, ge=0, lt=1)
    """Decay of a moving average of the weights, which is then what is judged and kept;
    0 keeps none."""
    swa: float = Field(default=0.0, ge=0, lt=1)
    """Share of the epochs, at the end, whose weights are averaged (stochastic weight
    averaging); from the first of them on the mean is what is judged. 0 averages none."""
    swa_rate: float = Field(default=0.5, gt=0, le=1)
    """Learning rate in these epochs, as a share of the highest; `cosine` falls to it."""
    progressive: float = Field(default=1.0, gt=0, le=1)
    """Side of the images when the backbone begins to learn, as a share of `image_size`: in
    four steps of as many epochs it grows to the whole. 1 is the whole from the start."""
    patience: int = Field(default=0, ge=0)
    """Stop when the validation AUC has not risen for so many epochs; 0 never stops."""
    monitor: Literal["auc", "loss"] = "auc"
    """What on the validation images says which epoch is the best one."""
    views: Literal[1, 2, 8] = 2
    """Judge the mean over so many views of an image: 2 with its mirror image, 8 also turned
    (a lesion has no up). The best epoch is chosen by fewer where 8 would take too long."""
    index: Literal["hashed", "named", "none"] = "hashed"
    """Keep features of the training images in the model folder, without images, so that it
    can say what looks like nothing it learnt from: with salted digests of the image ids, or
    with the ids themselves (`named`)."""
    watch: Literal["none", "tensorboard", "mlflow"] = "none"
    """Write the numbers of each epoch also for TensorBoard (to the folder `tensorboard` of
    the run) or MLflow (to its SQLite file `mlflow.db`)."""
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

    @model_validator(mode="before")
    @classmethod
    def _flips_are_two_views(cls, given: Any) -> Any:
        """Read `flip_predictions`, as settings called it before `views`."""
        if not isinstance(given, dict) or "flip_predictions" not in given:
            return given
        flip = given["flip_predictions"]
        if not isinstance(flip, bool):
            raise ValueError("flip_predictions is true or false; better give views, 1 or 2")
        kept = {name: v for name, v in given.items() if name != "flip_predictions"}
        return {**kept, "views": 2 if flip else 1}

    @model_validator(mode="after")
    def _one_answer_to_rarity(self) -> Self:
        if self.imbalance not in BALANCING:
            return self
        for name, plain in (("balance", "none"), ("target", "melanoma")):
            if getattr(self, name) != plain:
                raise ValueError(
                    f"{name} {getattr(self, name)} and imbalance {self.imbalance} do not "
                    "go together; give imbalance bias, and balance for what is drawn"
                )
        return self

    @model_validator(mode="after")
    def _logistic_draws_nothing(self) -> Self:
        changed: dict[str, object] = {
            "balance": "none",
            "target": "melanoma",
            "frozen_stages": 0,
            "loss": "cross_entropy",
            "mixup": 0.0,
            "cutmix": 0.0,
            "layer_decay": 1.0,
        }
        other = [name for name, plain in changed.items() if getattr(self, name) != plain]
        if self.method == "logistic" and other:
            raise ValueError(f"method logistic has no use for {' and '.join(other)}")
        return self

    @model_validator(mode="after")
    def _margin_of_melanoma_alone(self) -> Self:
        if self.loss != "auc_margin":
            return self
        plain: dict[str, object] = {
            "target": "melanoma",
            "label_smoothing": 0.0,
            "mixup": 0.0,
            "cutmix": 0.0,
        }
        other = [name for name, value in plain.items() if getattr(self, name) != value]
        if self.imbalance == "class_weights":
            other.append("imbalance class_weights")
        if other:
            raise ValueError(
                f"loss auc_margin does not go together with {' and '.join(other)}: it "
                "compares melanomas with the other lesions of a batch"
            )
        return self

    @model_validator(mode="after")
    def _features_are_not_mixed(self) -> Self:
        if self.frozen_epochs and self.frozen_views and (self.mixup or self.cutmix):
            raise ValueError(
                "frozen_views keeps the features of single images, which mixup and cutmix "
                "cannot mix; give frozen_views=0"
            )
        return self

    @model_validator(mode="after")
    def _one_average(self) -> Self:
        if self.swa and self.average:
            raise ValueError(
                "average and swa are two ways to average the weights; give one of them 0"
            )
        if self.swa and self.epochs - max(1, round(self.swa * self.epochs)) < 1:
            raise ValueError(
                f"swa {self.swa:g} averages all of the {self.epochs} epochs; give more "
                "epochs or a smaller share"
            )
        return self

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
