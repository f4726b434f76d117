"""Whether the values of a search can be trained, asked before the first training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lentigo.config import Config, with_settings
from lentigo.config.sense import check_is_read, check_not_enlarged
from lentigo.errors import ConfigError, DatasetError, LentigoError, ModelError
from lentigo.tables import NotedTable
from lentigo.tuning.space import Dimension

REFUSALS = (ConfigError, DatasetError, ModelError)
"""Errors of settings that contradict each other, the table, or the network."""


def trial_settings(config: Config, values: Mapping[str, Any], table: NotedTable) -> Config:
    """Return the settings of a trial, `config` with `values`, if they can be trained.

    Raises one of `REFUSALS` where settings do not go together, and where the network cannot
    be built with them or the table lacks what they need.
    """
    from lentigo.training.run import check_can_train, settled

    found = settled(with_settings(config, values))
    check_not_enlarged(found)
    check_can_train(found, table)
    return found


def check_space(config: Config, space: Sequence[Dimension], table: NotedTable) -> None:
    """Check each end of a range and each choice before the first training.

    A value is refused if it can be trained neither with the other settings of `config` nor
    with any single value of another searched setting, such as LoRA where the backbone is
    searched, too. Trials whose values contradict each other in another way are found when
    their turn comes. A setting that no network reads is refused, too.

    Raises `ConfigError`, with the name of the searched setting.
    """
    for each in space:
        others = [(own.name, v) for own in space if own is not each for v in own.ends()]
        for value in each.ends():
            refused: LentigoError | None = None
            for settings in _with_others({each.name: value}, others):
                try:
                    own = trial_settings(config, settings, table)
                    check_is_read(own, {each.name})
                except REFUSALS as error:
                    refused = refused or error
                else:
                    break
            else:
                raise ConfigError(
                    f"--search {each.name}: the value {value} cannot be trained. {refused}"
                ) from refused


def _with_others(
    own: dict[str, Any], others: Sequence[tuple[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield `own` alone, then with each value of another setting."""
    yield own
    for name, value in others:
        yield {**own, name: value}
