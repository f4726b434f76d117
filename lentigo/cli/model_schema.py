"""`python -m lentigo.cli.model_schema FILE`: the JSON Schema of `model.json`."""

from __future__ import annotations

import sys
from pathlib import Path

from lentigo.files import write_text
from lentigo.json_files import to_json
from lentigo.models.schema import Description


def schema_text() -> str:
    """Return the JSON Schema (2020-12) of a model folder's description."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Description.model_json_schema(),
    }
    return to_json(schema) + "\n"


if __name__ == "__main__":
    write_text(Path(sys.argv[1]), schema_text())
