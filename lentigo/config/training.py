"""Settings of the training."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from lentigo.config.settings import Settings

BALANCING = frozenset({"class_weights", "oversample"})
"""Values of `imbalance` that give both classes the same weight; they exclude `balance`."""


def views_of(flips: object) -> int:
    """Return the `views` that `flip_predictions` of earlier versions means: 1 or 2.

    Raises `ValueError` if it is neither true nor false.
    """
    if not isinstance(flips, bool):
        raise ValueError("flip_predictions is true or false; better give views, 1 or 2")
    return 2 if flips else 1


class TrainConfig(Settings):
    """How the network is trained."""

    method: Literal["gradient", "logistic"] = "gradient"
    """`gradient` trains by back-propagation; `logistic` only fits a logistic head on the
    features of the frozen backbone."""
    image_size: int = Field(default=256, ge=32, le=1024)
    """Side of the square that the network receives, in pixels."""
    epochs: int = Field(default=5, ge=1, le=100_000)
    """Most epochs of training, the `frozen_epochs` included."""
    frozen_epochs: int = Field(default=0, ge=0)
    """Epochs at the start in which only the head learns, while the backbone is frozen."""
    frozen_views: int = Field(default=0, ge=0, le=1000)
    """Number of augmented versions of each image in the `frozen_epochs`. They are drawn
    once, and the epochs use them in turn; the backbone computes each version once, and an
    epoch whose version is known costs the head alone. With 0 each epoch draws a new
    version, which varies most, and computes the backbone again."""
    frozen_stages: int = Field(default=0, ge=0, le=1000)
    """Keep the stem of the backbone and this many of its first stages frozen; 0 trains all
    of it. The batch statistics of frozen stages stay, too, and no gradient is computed for
    them. On a CPU, ONNX Runtime computes them if the training has images enough."""
    target: Literal["melanoma", "diagnosis"] = "melanoma"
    """What the network predicts: melanoma or not, or the diagnosis; the probability of
    melanoma is then the sum over its diagnoses. With `diagnosis`, images whose melanoma
    label is unknown are used, too."""
    rare_diagnosis: float = Field(default=0.005, ge=0, lt=0.5)
    """A diagnosis with a smaller share of the training images than this is no class of its
    own: it counts as the diagnosis above it in the vocabulary, or as `other`."""
    epoch_images: int | None = Field(default=None, ge=2, le=10**9)
    """Images per epoch, if the training set has more: each epoch then takes the next part
    of a shuffled set, which is shuffled anew when all images were drawn. By default, and in
    a smaller set, an epoch draws each image once."""
    batch_size: int = Field(default=32, ge=2, le=65_536)
    """Images per step, on all devices together."""
    micro_batch: int | None = Field(default=None, ge=2, le=65_536)
    """Compute the gradient of at most this many images of a batch at once on each device,
    and add the gradients up; by default of all images, and of half as many where the memory
    does not suffice. Batch normalisation then uses this many images."""
    optimizer: Literal["adam", "adamw", "sgd"] = "adamw"
    """Name of the optimiser."""
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
    """How the training compensates for the rarity of melanoma: start the output bias at its
    share (`bias`), give both classes the same total weight in the loss (`class_weights`),
    or draw both equally often (`oversample`). The shift of the output by the last two is
    corrected afterwards."""
    balance: Literal["none", "class", "archive", "class_and_archive"] = "none"
    """Draw more often the images of rare classes of the target (`class`), of small archives
    (`archive`), or of rare classes within each archive (`class_and_archive`). The shift of
    the output by this is corrected afterwards."""
    balance_power: float = Field(default=0.5, gt=0, le=1)
    """Strength of `balance`: a class of n images is drawn in proportion to n to the power
    of (1 - this). 1 draws all classes equally often, 0.5 is the square-root rule."""
    loss: Literal["cross_entropy", "focal", "logit_adjusted", "auc_margin"] = (
        "cross_entropy"
    )
    """The loss function. `focal` gives less weight to images that are already predicted
    well; `logit_adjusted` adds the logarithm of each class's share to its logit in
    training; `auc_margin` separates melanoma from the other lesions of each batch, for the
    target melanoma only, on one device without `micro_batch`, and its output is a
    probability only after calibration."""
    focus: float = Field(default=2.0, ge=0, le=20)
    """Exponent of `focal`: a loss is weighted by (1 - p) to this power, p being the
    predicted probability of the true class."""
    margin: float = Field(default=1.0, gt=0, le=1)
    """By how much `auc_margin` wants the mean probability of melanomas to exceed that of
    other lesions."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=0.5)
    """How far a label is moved from 0 or 1 towards the share of its class."""
    mixup: float = Field(default=0.0, ge=0, le=10)
    """Mix each image of a batch with another one, and their losses in the same ratio, which
    is drawn from a beta distribution with this parameter; 0 mixes none."""
    cutmix: float = Field(default=0.0, ge=0, le=10)
    """Replace a rectangle of each image by that of another one, and mix their losses by
    area, which is drawn from a beta distribution with this parameter; 0 replaces none. If
    `mixup` is given, too, each batch uses one of the two."""
    teacher: Path | None = None
    """A run folder whose networks teach this one (distillation): beside the labels it
    learns the probabilities that they give. A fold is taught by the teacher's fold that was
    trained without its validation and held-out groups; any other teacher is refused."""
    teacher_weight: float = Field(default=0.5, gt=0, le=1)
    """Share of the loss that the teacher's probabilities have; the labels have the rest."""
    temperature: float = Field(default=2.0, ge=1, le=100)
    """Number by which the logits of teacher and network are divided before they are
    compared; a higher one tells more of the classes that the teacher holds for unlikely."""
    teacher_sees: Literal["augmented", "plain"] = "augmented"
    """The teacher's images: the very ones that the network is shown (`augmented`), which
    costs a pass of the teacher for each, or each training image once, unchanged and at the
    teacher's own size, before the first epoch (`plain`)."""
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    """Learning rate of each layer of the backbone, as a share of that of the next layer
    towards the output."""
    average: float = Field(default=0.0, ge=0, lt=1)
    """Decay of an exponential moving average of the weights; the averaged weights are then
    evaluated and stored. 0 means no average."""
    swa: float = Field(default=0.0, ge=0, lt=1)
    """Share of the epochs, at the end, whose weights are averaged (stochastic weight
    averaging); from the first of these epochs on, the averaged weights are evaluated. 0
    averages none."""
    swa_rate: float = Field(default=0.5, gt=0, le=1)
    """Learning rate in the epochs of `swa`, as a share of the highest rate; `cosine` falls
    to it."""
    progressive: float = Field(default=1.0, gt=0, le=1)
    """Side of the images when the training of the backbone begins, as a share of
    `image_size`; it grows in four steps of equally many epochs to the whole. 1 uses the
    whole side from the start."""
    patience: int = Field(default=0, ge=0)
    """Stop when the validation result (`monitor`) has not improved for this many epochs,
    counted from the first epoch of `swa`, and from the first whole image of `progressive`;
    0 never stops early."""
    monitor: Literal["auc", "loss"] = "auc"
    """The measure on the validation images by which the best epoch is chosen."""
    views: Literal[1, 2, 8] = 2
    """Average the predictions for this many versions of an image: 2 adds the mirror image,
    8 also the rotations of both by quarter turns (a lesion has no up). With 8, the best
    epoch is chosen with only 2 versions if validation would take too long."""
    index: Literal["hashed", "named", "none"] = "hashed"
    """Store features of the training images in the model folder, but no images, so that the
    model can recognise images that resemble none of them (out-of-distribution): with salted
    digests of the image ids (`hashed`), or with the ids themselves (`named`)."""
    watch: Literal["none", "tensorboard", "mlflow"] = "none"
    """Write the numbers of each epoch also for TensorBoard (to the folder `tensorboard` of
    the run) or MLflow (to its SQLite file `mlflow.db`)."""
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Kind of device that computes the training."""
    devices: int = Field(default=1, ge=1, le=1024)
    """Number of devices on each machine."""
    nodes: int = Field(default=1, ge=1, le=10_000)
    """Number of machines; start the same command on each with torchrun."""
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    """Numeric precision; `auto` tries a few steps and uses the faster one."""
    compile: Literal["auto", "always", "never"] = "auto"
    """Compile the training steps (`torch.compile`), which takes from seconds to minutes
    and can make each step faster; `auto` measures it on a GPU and compiles where the
    training ends earlier, and never compiles on a CPU, where it gained nothing."""
    workers: int | None = Field(default=None, ge=0, le=1024)
    """Processes of each device that prepare batches; by default none on a CPU, and on a GPU
    its share of the cores, at most 8."""

    @model_validator(mode="before")
    @classmethod
    def _flips_are_two_views(cls, given: Any) -> Any:
        """Accept `flip_predictions`, the name of `views` in earlier versions."""
        if not isinstance(given, dict) or "flip_predictions" not in given:
            return given
        kept = {name: v for name, v in given.items() if name != "flip_predictions"}
        views = views_of(given["flip_predictions"])
        if kept.setdefault("views", views) != views:
            raise ValueError(
                f"flip_predictions means views {views}, and views is {kept['views']}; give "
                "views alone"
            )
        return kept

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
            "teacher": None,
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
            "teacher": None,
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
