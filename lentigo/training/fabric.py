"""Lightning Fabric for the devices and the precision of a run."""

from __future__ import annotations

import logging

from lightning_fabric import Fabric
from lightning_fabric.utilities.exceptions import MisconfigurationException

from lentigo.config import TrainConfig
from lentigo.errors import ConfigError
from lentigo.training.arithmetic import Arithmetic


def make_fabric(config: TrainConfig, arithmetic: Arithmetic) -> Fabric:
    """Return Lightning Fabric for the devices and the precision of a run.

    Raises `ConfigError` if the devices are not available, or if the batch size is not a
    multiple of their number.
    """
    if config.batch_size % (config.devices * config.nodes):
        raise ConfigError(
            f"batch_size {config.batch_size} cannot be shared evenly by "
            f"{config.devices * config.nodes} devices."
        )
    # Its notes are about its own classes, and its level is set when it is imported.
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    auto = config.accelerator == "auto"
    kind = (arithmetic.device if auto else None) or config.accelerator
    several = config.devices * config.nodes > 1
    try:
        return Fabric(
            accelerator=kind,
            devices=config.devices,
            num_nodes=config.nodes,
            strategy="ddp" if several else "auto",
            precision=arithmetic.precision,  # type: ignore[arg-type]
        )
    except (RuntimeError, ValueError, MisconfigurationException) as error:
        raise ConfigError(
            f"Cannot train on {config.devices} × {config.accelerator}: {error}"
        ) from error
