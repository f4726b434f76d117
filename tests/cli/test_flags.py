"""The flags of each command, which scripts of others rely on."""

from __future__ import annotations

import pytest

from lentigo.cli import commands
from tests.cli.test_commands import COMMANDS

FLAGS = {
    "abcd": ["--json", "--mask", "--mm-per-pixel", "--out", "--where"],
    "ablate": [
        "--column", "--folds", "--images", "--json", "--map", "--out", "--patients",
        "--recipe", "--resume", "--seeds", "--set", "--switches", "--unknown",
        "--weights", "--where", "--write-map",
    ],
    "audit": [
        "--allow", "--by", "--column", "--images", "--json", "--keep",
        "--map", "--out", "--patients", "--pixels", "--seed", "--size",
        "--test", "--unknown", "--where", "--write-map",
    ],
    "audit-log": ["--end", "--json"],
    "calibrate": [
        "--column", "--cost-excision", "--cost-miss", "--device",
        "--images", "--json", "--map", "--out", "--patients", "--unknown",
        "--where", "--write-map",
    ],
    "card": ["--json"],
    "combine": [
        "--column", "--images", "--json", "--keep", "--map", "--out",
        "--patients", "--unknown", "--where", "--write-map",
    ],
    "compare": [
        "--column", "--group", "--json", "--map", "--margin", "--out", "--reference",
        "--repeats", "--seed", "--truth", "--unknown", "--where", "--write-map",
    ],
    "demo": ["--images", "--json", "--out", "--resume", "--set"],
    "drift": [
        "--engine", "--images", "--json", "--out", "--reference", "--reference-table",
        "--repeats", "--seed", "--table",
    ],
    "evaluate": [
        "--baselines", "--by", "--challenge", "--choose-on", "--choose-truth", "--column",
        "--deviate", "--group", "--json", "--map", "--model", "--out", "--prevalence",
        "--repeats", "--seed", "--threshold", "--truth", "--unknown", "--where",
        "--write-map",
    ],
    "change": [
        "--json", "--mask-after", "--mask-before", "--mm-per-pixel-after",
        "--mm-per-pixel-before", "--model", "--out",
    ],
    "duckling": [
        "--column", "--device", "--engine", "--figures", "--images", "--json", "--map",
        "--out", "--patients", "--unknown", "--where", "--write-map",
    ],
    "explain": ["--engine", "--json", "--mask", "--method", "--out", "--where"],
    "explore": [
        "--column", "--features", "--images", "--json", "--map", "--out",
        "--patients", "--test", "--unknown", "--where", "--write-map",
    ],
    "export": ["--images", "--int8", "--json", "--out"],
    "find-rate": [
        "--column", "--highest", "--images", "--json", "--lowest", "--map", "--out",
        "--patients", "--recipe", "--set", "--steps", "--unknown", "--weights", "--where",
        "--write-map",
    ],
    "grid": [
        "--batch", "--by", "--column", "--images", "--json", "--limit",
        "--map", "--out", "--patients", "--per-row", "--recipe", "--seed",
        "--set", "--sort", "--unknown", "--where", "--write-map",
    ],
    "list": ["--json"],
    "outline": ["--json", "--mask", "--out", "--size", "--where"],
    "lock": [
        "--by", "--column", "--group", "--json", "--keep", "--map", "--metric", "--model",
        "--out", "--prevalence", "--threshold", "--unknown", "--where", "--write-map",
    ],
    "power": [
        "--against", "--column", "--difference", "--group", "--json", "--map",
        "--power", "--threshold", "--truth", "--unknown", "--where", "--width",
        "--write-map",
    ],
    "predict": [
        "--also", "--batch-size", "--by", "--device", "--dicom-sr", "--engine", "--format",
        "--json", "--like", "--no-abstain", "--on", "--operating-point", "--out",
        "--prevalence", "--ray-address", "--resume", "--submission", "--views",
        "--where",
    ],
    "prepare": [
        "--column", "--fit", "--images", "--json", "--map", "--on", "--out",
        "--patients", "--ray-address", "--size", "--unknown", "--where", "--workers",
        "--write-map",
    ],
    "read": [
        "--column", "--encode", "--fill", "--images", "--json", "--map",
        "--melanoma", "--modality", "--out", "--part", "--patients",
        "--unknown", "--where", "--write-map",
    ],
    "readers": [
        "--call-from", "--column", "--group", "--json", "--map", "--out", "--predictions",
        "--repeats", "--seed", "--truth", "--unknown", "--where", "--write-map",
    ],
    "run": [
        "--column", "--config", "--cost-excision", "--cost-miss", "--folds",
        "--format", "--images", "--json", "--map", "--melanoma",
        "--modality", "--nested", "--on", "--out", "--part", "--patients",
        "--ray-address", "--recipe", "--refit", "--repeats", "--resume", "--scheme",
        "--set", "--unknown", "--watch", "--weights", "--where", "--write-map",
    ],
    "runs": ["--csv", "--json"],
    "serve": [
        "--audit-log", "--engine", "--host", "--keys", "--make-key", "--port", "--queue",
        "--set", "--tls-certificate", "--tls-key", "--workers",
    ],
    "similar": ["--count", "--engine", "--json", "--out", "--where"],
    "split": [
        "--balance", "--before", "--check", "--column", "--drop-leaks",
        "--duplicates", "--folds", "--json", "--map", "--out",
        "--patients", "--scheme", "--seed", "--table", "--time",
        "--unknown", "--where", "--write-map",
    ],
    "stress": [
        "--batch-size", "--column", "--device", "--engine", "--images", "--json", "--map",
        "--mask", "--only", "--operating-point", "--out", "--patients", "--reference",
        "--resume", "--seed", "--unknown", "--views", "--where", "--write-map",
    ],
    "train": [
        "--column", "--config", "--cost-excision", "--cost-miss", "--devices",
        "--folds", "--images", "--json", "--map", "--nested", "--nodes",
        "--on", "--out", "--patients", "--ray-address", "--recipe", "--refit", "--repeats",
        "--resume", "--scheme",
        "--set", "--split", "--unknown", "--watch", "--weights", "--where", "--write-map",
    ],
    "tune": [
        "--column", "--hours", "--images", "--json", "--map", "--out", "--patients",
        "--pruner", "--recipe", "--resume", "--search", "--set", "--trials", "--unknown",
        "--weights", "--where", "--write-map",
    ],
    "view": ["--json", "--mask", "--out", "--sheet", "--size", "--view"],
    "watch": [
        "--dicom-sr", "--engine", "--format", "--model", "--once", "--operating-point",
        "--out", "--prevalence", "--seconds",
    ],
}  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_the_flags_are_those_that_are_promised(command: str) -> None:
    params = commands.load_command(command).params
    found = [flag for each in params for flag in each.opts if flag[0] == "-"]
    assert sorted(found) == FLAGS[command]


def test_no_flags_are_promised_of_a_command_that_is_none() -> None:
    assert sorted(FLAGS) == sorted(COMMANDS)
