"""Recipes: named runs. Each recipe is a function that returns a whole `Config`.

`lentigo list recipes` prints the first line of each docstring.
"""

from __future__ import annotations

from collections.abc import Callable

from lentigo.config import (
    AugmentConfig,
    Config,
    ImagingConfig,
    ModelConfig,
    TrainConfig,
)
from lentigo.errors import ConfigError, unknown_name


def seed() -> Config:
    """Xception as in the original student project, its errors corrected; a GPU is advised.

    The settings are those of the student project that lentigo grew from: 256 px, a head of
    dense(8, ReLU) and dense(1), Adam, binary cross-entropy, horizontal flips, an
    exponential learning rate, the best epoch by AUC, early stopping. While the backbone is
    frozen, its features are computed once for each image, mirrored or not, so that four of
    the five epochs cost seconds. Unlike in that project, the inputs are scaled as the
    weights expect, class imbalance changes only the output bias, early stopping can take
    effect, and all images of a patient are on one side of the split.
    """
    return Config(
        recipe="seed",
        imaging=ImagingConfig(size=256),
        model=ModelConfig(backbone="legacy_xception", hidden=8),
        training=TrainConfig(
            image_size=256,
            epochs=30,
            frozen_epochs=5,
            frozen_views=1,
            batch_size=32,
            optimizer="adam",
            learning_rate=1e-2,
            backbone_rate=0.01,
            schedule="exponential",
            decay_epochs=20,
            patience=10,
        ),
    )


def quick() -> Config:
    """The mean of two small networks, fine-tuned in about 35 minutes on two cores.

    An epoch draws 5,000 images at most, so the time does not grow with the archive. The
    first network learns the diagnosis from images of 224 px; those of the rare diagnoses of
    each archive are drawn more often, and the first three stages of its backbone stay
    frozen. The second learns melanoma or not from images of 160 px; both classes are drawn
    equally often, and all its layers are trained. Both take of age, sex and site what the
    table knows beside the image, and answer without. The results are in docs/results.md.
    """
    return Config(
        recipe="quick",
        imaging=ImagingConfig(size=256),
        model=ModelConfig(backbone="tf_efficientnet_lite0", dropout=0.2, metadata="auto"),
        augment=_DERMOSCOPY,
        training=TrainConfig(
            image_size=224,
            epochs=6,
            epoch_images=5_000,
            batch_size=32,
            optimizer="adamw",
            learning_rate=3e-4,
            target="diagnosis",
            balance="class_and_archive",
            frozen_stages=3,
            weight_decay=0.02,
            average=0.995,
            views=8,
        ),
        members=(
            {},
            {
                **_MELANOMA_IN_ALL_LAYERS,
                "training.image_size": 160,
                "training.epochs": 3,
            },
        ),
    )


def thorough() -> Config:
    """Three networks of two backbones at 224 px; with five folds, a night on two cores.

    Two learn the diagnosis as the first network of `quick` does; the third learns melanoma
    or not, and all its layers are trained. Networks with different backbones make errors on
    different images, so their mean is often better than the best of them (Hansen and
    Salamon 1990, doi:10.1109/34.58871). What it reached is in docs/results.md.
    """
    return quick().model_copy(
        update={
            "recipe": "thorough",
            "members": (
                {},
                {"model.backbone": "tf_efficientnet_lite2"},
                {**_MELANOMA_IN_ALL_LAYERS, "training.epochs": 4},
            ),
        }
    )


def frozen() -> Config:
    """The baseline of fine-tuning: a logistic head on a backbone that stays frozen."""
    return Config(
        recipe="frozen",
        imaging=ImagingConfig(size=224),
        model=ModelConfig(backbone="mobilenetv3_large_100"),
        augment=AugmentConfig(flip=False),
        training=TrainConfig(image_size=224, epochs=1, frozen_epochs=1, method="logistic"),
    )


def strong() -> Config:
    """A larger network, larger images, long training; hours on one GPU.

    ConvNeXt with weights from ImageNet-12k and ImageNet-1k, strong augmentation and a
    moving average of the weights, in the manner of the first places of the 2020 challenge
    (Ha et al. 2020, arXiv:2010.05351), which used eighteen models. Target, sampling,
    views and metadata are those of `quick`, where they were measured; this recipe was not.
    """
    return Config(
        recipe="strong",
        imaging=ImagingConfig(size=448),
        model=ModelConfig(
            backbone="convnext_tiny.in12k_ft_in1k", dropout=0.3, metadata="auto"
        ),
        augment=_DERMOSCOPY,
        training=TrainConfig(
            image_size=384,
            epochs=20,
            frozen_epochs=1,
            batch_size=64,
            optimizer="adamw",
            learning_rate=5e-4,
            backbone_rate=0.2,
            warmup=0.1,
            target="diagnosis",
            balance="class_and_archive",
            weight_decay=0.05,
            average=0.999,
            views=8,
        ),
    )


def demo() -> Config:
    """A tiny network from random weights on synthetic lesions; minutes on two cores."""
    return Config(
        recipe="demo",
        imaging=ImagingConfig(size=64),
        model=ModelConfig(backbone="resnet10t", pretrained=False),
        augment=AugmentConfig(flip=True, rotate=180, scale=0.1, shift=0.05),
        training=TrainConfig(
            image_size=64,
            epochs=20,
            batch_size=64,
            optimizer="adamw",
            learning_rate=2e-3,
            weight_decay=0.05,
            average=0.99,
        ),
    )


_DERMOSCOPY = AugmentConfig(
    flip=True,
    rotate=180,
    scale=0.2,
    stretch=0.2,
    shift=0.05,
    brightness=0.15,
    contrast=0.15,
    saturation=0.15,
    hue=4,
)

_MELANOMA_IN_ALL_LAYERS = {
    "training.target": "melanoma",
    "training.balance": "none",
    "training.imbalance": "oversample",
    "training.frozen_stages": 0,
}

RECIPES: dict[str, Callable[[], Config]] = {
    function.__name__: function
    for function in (seed, quick, thorough, frozen, strong, demo)
}


def recipe_or(config: Config | None) -> Config:
    """Return `config`; the recipe `quick` if it is None.

    Raises `ConfigError` for anything else, such as the name of a recipe.
    """
    if config is None:
        return quick()
    if isinstance(config, Config):
        return config
    raise ConfigError(
        f"The settings are a {type(config).__name__}, not a lentigo.Config; "
        "lentigo.recipe('quick') returns one."
    )


def recipe(name: str) -> Config:
    """Return the `Config` of the recipe `name`.

    Raises `UnknownNameError`, with the nearest names, where there is no such recipe.
    """
    if name not in RECIPES:
        raise unknown_name("recipe", name, RECIPES)
    return RECIPES[name]()
