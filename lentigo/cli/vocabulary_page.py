"""`python -m lentigo.cli.vocabulary_page FILE`: write docs/vocabulary.md from its table."""

from __future__ import annotations

import sys
from pathlib import Path

from lentigo.datasets.reading.diagnoses import vocabulary_page
from lentigo.files import write_text

if __name__ == "__main__":
    write_text(Path(sys.argv[1]), vocabulary_page())
