"""`python -m lentigo.cli.evaluation_schema FILE`: the JSON Schema of `evaluation.json`."""

from __future__ import annotations

import sys
from pathlib import Path

from lentigo.evaluation.json_schema import evaluation_schema
from lentigo.files import write_text
from lentigo.json_files import to_json


def schema_text() -> str:
    """Return the JSON Schema (2020-12) of `evaluation.json` as text."""
    return to_json(evaluation_schema()) + "\n"


if __name__ == "__main__":
    write_text(Path(sys.argv[1]), schema_text())
