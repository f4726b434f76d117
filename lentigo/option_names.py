"""The Python parameter names of the command-line options that error messages name."""

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
"""Options that have another name in Python. All others only change their hyphens:
`--per-row` is `per_row`."""

OF_OTHERS = frozenset({"--head", "--user"})
"""Options of other programs, such as pip and Ray."""

_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")


def named_in(message: str) -> list[str]:
    """Return the options that a message names, each once, in the order of the message."""
    return list(dict.fromkeys(_OPTION.findall(message)))


def in_python(message: str) -> str:
    """Return a sentence that gives the Python name of each option in `message`, or ""."""
    ours = [each for each in named_in(message) if each not in OF_OTHERS]
    known = [
        f"{each} is {IN_PYTHON.get(each, each[2:].replace('-', '_') + '=…')}"
        for each in ours
    ]
    return f"In Python, {'; '.join(known)}." if known else ""
