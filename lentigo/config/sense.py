"""Settings that make no sense together, refused before a training and not at birth.

So the settings of a run that was trained with them can still be read.
"""

from __future__ import annotations

from collections.abc import Collection

from lentigo.config.run import Config
from lentigo.errors import ConfigError
from lentigo.words import counted, listed


def check_makes_sense(config: Config) -> None:
    """Raise `ConfigError` if settings of a network are of no use, or change each other."""
    for own in config.of_members():
        _check_samples(own)
        _check_margin(own)
        _check_backbone_learns(own)
        _check_logistic(own)


def useless(config: Config) -> str:
    """Return a sentence on the settings that were changed and that nothing reads; else "".

    A setting is told where it has another value than the default in a network of `config`,
    and none of its networks reads it.
    """
    told = [
        f"{name} ({why})" for name, why in read_by_none(config).items()
        if any(_is_changed(own, name) for own in config.of_members())
    ]  # fmt: skip
    return f"Nothing reads {listed(told)}." if told else ""


def check_is_read(config: Config, names: Collection[str]) -> None:
    """Raise `ConfigError` if no network of `config` reads any of the settings `names`."""
    unread = read_by_none(config)
    if names and all(name in unread for name in names):
        told = listed([f"{name} ({unread[name]})" for name in sorted(names)])
        raise ConfigError(f"Nothing reads {told}, so nothing changes by it.")


def read_by_none(config: Config) -> dict[str, str]:
    """Return the settings that no network of `config` reads, each with the reason."""
    first, *others = (_unread(own) for own in config.of_members())
    return {name: why for name, why in first.items() if all(name in own for own in others)}


def _unread(config: Config) -> dict[str, str]:
    """Return the settings of one network that are not read, each with the reason."""
    training, model = config.training, config.model
    if training.method == "logistic":
        reason = "training.method is logistic"
        return {f"training.{name}": reason for name in _OF_A_GRADIENT}
    cases = (
        (training.loss != "focal", f"training.loss is {training.loss}", ("focus",)),
        (training.loss != "auc_margin", f"training.loss is {training.loss}", ("margin",)),
        (training.balance == "none", "training.balance is none", ("balance_power",)),
        (training.target == "melanoma", "training.target is melanoma", ("rare_diagnosis",)),
        (not training.frozen_epochs, "training.frozen_epochs is 0", ("frozen_views",)),
        (not training.swa, "training.swa is 0", ("swa_rate",)),
        (
            training.schedule != "exponential",
            f"training.schedule is {training.schedule}", ("decay_epochs",),
        ),
        (
            training.schedule != "cosine",
            f"training.schedule is {training.schedule}", ("warmup",),
        ),
        (
            training.teacher is None,
            "training.teacher is none", ("teacher_weight", "temperature", "teacher_sees"),
        ),
        (
            training.frozen_epochs == training.epochs,
            "the backbone is frozen in all epochs", ("backbone_rate",),
        ),
    )  # fmt: skip
    found = {
        f"training.{name}": why for unused, why, names in cases if unused for name in names
    }
    if not model.lora_rank:
        found["model.lora_alpha"] = "model.lora_rank is 0"
    if model.metadata == "none":
        found["model.metadata_dropout"] = "model.metadata is none"
    return found


_OF_A_GRADIENT = (
    "epochs", "frozen_epochs", "epoch_images", "micro_batch", "optimizer",
    "learning_rate", "backbone_rate", "weight_decay", "schedule", "decay_epochs",
    "warmup", "imbalance", "focus", "margin", "balance_power", "rare_diagnosis",
    "frozen_views", "average", "swa_rate", "patience", "monitor", "teacher_weight",
    "temperature", "teacher_sees",
)  # fmt: skip
"""Settings of the training by gradients; a logistic head on frozen features has none."""


def _is_changed(config: Config, name: str) -> bool:
    section, _, field = name.partition(".")
    settings = getattr(config, section)
    value = getattr(settings, field)
    if field in {"epochs", "frozen_epochs"}:  # a head that is fitted once is 1 epoch
        return bool(value > 1)
    return bool(value != type(settings).model_fields[field].get_default())


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


def _check_backbone_learns(config: Config) -> None:
    """Raise `ConfigError` for settings of a backbone that learns, if it never does."""
    training = config.training
    if training.method == "logistic":
        return
    learning = training.epochs - training.frozen_epochs
    asked = {
        f"model.lora_rank {config.model.lora_rank}": config.model.lora_rank > 0,
        f"training.layer_decay {training.layer_decay:g}": training.layer_decay < 1,
        f"training.progressive {training.progressive:g}": training.progressive < 1,
    }
    told = [name for name, there in asked.items() if there]
    if learning == 0 and told:
        raise ConfigError(
            f"{' and '.join(told)} is for a backbone that learns, and in all "
            f"{counted(training.epochs, 'epoch')} it is frozen "
            f"(training.frozen_epochs {training.frozen_epochs}): give fewer frozen epochs, "
            "or leave it out."
        )
    if learning == 1 and training.progressive < 1:
        raise ConfigError(
            f"training.progressive {training.progressive:g} lets images grow over the "
            "epochs in which the backbone learns, and there is only one, which has the "
            "whole side: give more epochs, or leave it out."
        )


def _check_logistic(config: Config) -> None:
    """Raise `ConfigError` for ingredients that a logistic head on features has not."""
    training, model = config.training, config.model
    asked = {
        "model.dropout": model.dropout > 0,
        "training.swa": training.swa > 0,
        "training.progressive": training.progressive < 1,
        "training.label_smoothing": training.label_smoothing > 0,
    }
    told = [name for name, there in asked.items() if there]
    if training.method == "logistic" and told:
        raise ConfigError(
            f"training.method logistic has no use for {' and '.join(told)}: it fits the "
            "head once, on features of whole images. Leave it out, or take "
            "training.method=gradient."
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
