"""The Python names of the command-line options that a message names."""

from __future__ import annotations

import re

IN_PYTHON = {
    "--column": "columns={'melanoma': 'target'}",
    "--images": "image_dir=… (images=… of AuditConfig)",
    "--map": "map={'WORD': 'melanoma'}",
    "--resume": "resume=True",
    "--set": "the setting of that name in Config",
    "--unknown": "unknown='missing'",
    "--weights": "weights of ModelConfig",
    "--where": "lentigo.where.where(table, …)",
}
"""Options that Python does not simply call alike: `--per-row` is per_row there."""

OF_OTHERS = frozenset({"--head", "--user"})
"""Options of other programs, such as pip and Ray."""

_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")


def named_in(message: str) -> list[str]:
    """The options that a message names, once each, in their order."""
    return list(dict.fromkeys(_OPTION.findall(message)))


def in_python(message: str) -> str:
    """A sentence on what the options in `message` are in Python; nothing without any."""
    ours = [each for each in named_in(message) if each not in OF_OTHERS]
    known = [
        f"{each} is {IN_PYTHON.get(each, each[2:].replace('-', '_') + '=…')}"
        for each in ours
    ]
    return f"In Python, {'; '.join(known)}." if known else ""
