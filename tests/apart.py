"""Python in a process of its own, which a test may kill."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def run_apart(code: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
    """Run some Python in a process of its own, with what is tested here at hand."""
    names = "from lentigo.files import write_text, written_beside\n"
    names += "from lentigo.output import alone, new_folder\n"
    code = f"import os, sys\nfrom pathlib import Path\n{names}{code}"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)
