"""Folders full of modules that nobody asked for, each of which notes that it ran."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lentigo.imaging.sandbox import starter

NAMES = (
    "struct", "json", "pickle", "zlib", "signal", "tempfile", "ctypes", "colorsys",
    "numpy", "cv2", "PIL", "h5py", "pydicom", "torch", "matplotlib", "lentigo", "openjpeg",
    "sitecustomize", "usercustomize", "tabnanny", "multiprocessing", "concurrent",
)  # fmt: skip
VERSION = f"python{sys.version_info[0]}.{sys.version_info[1]}"


class Traps:
    """In the working folder, in `PYTHONPATH` and among the packages of the user."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._note = folder / "sprung.txt"
        self.here = folder / "here"
        users = folder / "base" / "lib" / VERSION / "site-packages"
        for place in (self.here, folder / "path", users):
            place.mkdir(parents=True)
            self.lay(place)
        starter.forget()  # one that began elsewhere saw none of them
        monkeypatch.chdir(self.here)
        monkeypatch.setenv("PYTHONPATH", f"{folder / 'path'}:")
        monkeypatch.setenv("PYTHONUSERBASE", str(folder / "base"))

    def lay(self, folder: Path) -> None:
        """Every name once as a file and once as a package."""
        for name in NAMES:
            code = f"open({str(self._note)!r}, 'a').write({str(folder / name)!r} + '\\n')\n"
            (folder / f"{name}.py").write_text(code)
            (folder / name).mkdir()
            (folder / name / "__init__.py").write_text(code)

    @property
    def sprung(self) -> list[str]:
        """What ran."""
        return self._note.read_text().split("\n") if self._note.exists() else []

    def catch_an_ordinary_python(self) -> bool:
        """Whether one that is started here falls into them; they are set again."""
        code = [sys.executable, "-c", "import json"]
        subprocess.run(code, capture_output=True, check=False)
        fell = bool(self.sprung)
        self._note.unlink(missing_ok=True)
        return fell
