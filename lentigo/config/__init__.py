"""Frozen, typed settings of every stage, checked when they are created; one file per stage.

A run is described by one `Config`. `lentigo.recipes` holds named ones; `--set a.b=c` on the
command line and `with_settings` in Python change single fields; `config.yaml` in a run
folder holds the settings with which the run was made.
"""

from lentigo.config.audit import AuditConfig
from lentigo.config.augment import AugmentConfig
from lentigo.config.evaluation import EvaluationConfig, ScoringConfig
from lentigo.config.grid import MOST_PER_ROW, GridConfig
from lentigo.config.imaging import ImagingConfig
from lentigo.config.model import ModelConfig
from lentigo.config.rates import RatesConfig
from lentigo.config.run import (
    Config,
    build_config,
    check_watch,
    flat_settings,
    parse_settings,
    read_config,
    with_settings,
)
from lentigo.config.split import (
    BALANCED,
    BY_SOURCE,
    SCHEME_SETTINGS,
    SplitConfig,
    SplitPlan,
    check_balance,
)
from lentigo.config.training import TrainConfig
from lentigo.config.views import INPUT_VIEWS

__all__ = [
    "BALANCED",
    "BY_SOURCE",
    "INPUT_VIEWS",
    "MOST_PER_ROW",
    "SCHEME_SETTINGS",
    "AuditConfig",
    "AugmentConfig",
    "Config",
    "EvaluationConfig",
    "GridConfig",
    "ImagingConfig",
    "ModelConfig",
    "RatesConfig",
    "ScoringConfig",
    "SplitConfig",
    "SplitPlan",
    "TrainConfig",
    "build_config",
    "check_balance",
    "check_watch",
    "flat_settings",
    "parse_settings",
    "read_config",
    "with_settings",
]
