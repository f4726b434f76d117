"""Settings that make no sense together, refused before a training and not at birth.

So the settings of a run that was trained with them can still be read.
"""

from __future__ import annotations

from lentigo.config.run import Config
from lentigo.errors import ConfigError


def check_makes_sense(config: Config) -> None:
    """Raise `ConfigError` if settings of a network are of no use, or change each other."""
    for own in config.of_members():
        _check_samples(own)
        _check_margin(own)


def check_not_enlarged(config: Config) -> None:
    """Raise `ConfigError` where images would be enlarged, which says nothing of their size.

    It is for comparisons of settings, whose images are all stored at one size.
    """
    if told := enlarged(config):
        raise ConfigError(told)


def enlarged(config: Config) -> str:
    """Return a sentence if a network gets larger images than are stored; else ""."""
    sizes = [own.training.image_size for own in config.of_members()]
    stored = config.imaging.size
    if max(sizes) <= stored:
        return ""
    return (
        f"training.image_size {max(sizes)} is above imaging.size {stored}: the images are "
        f"stored at {stored} px and only enlarged. Give imaging.size={max(sizes)} or more."
    )


def _check_samples(config: Config) -> None:
    model = config.model
    if model.dropout_samples > 1 and not model.dropout:
        raise ConfigError(
            f"model.dropout_samples {model.dropout_samples} draws dropout several times, "
            "and model.dropout is 0: give both, or neither."
        )


def _check_margin(config: Config) -> None:
    training = config.training
    cuts = {
        "training.micro_batch": training.micro_batch is not None,
        "several devices": training.devices * training.nodes > 1,
    }
    told = [name for name, there in cuts.items() if there]
    if training.loss == "auc_margin" and told:
        raise ConfigError(
            "training.loss auc_margin compares all images of a batch with each other, and "
            f"{' and '.join(told)} would cut the batch: leave {told[0]} out, or take "
            "another loss."
        )
