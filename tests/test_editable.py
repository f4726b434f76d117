"""An editable install looks for modules in the source alone, not in the working folder.

Where a package lacks its `__init__.py`, setuptools puts a name without a folder in front on
the path (`__editable__ … __path_hook__`). Python looks for such a name in the working
folder: a folder of images that held one ran code at each start.
"""

from __future__ import annotations

import tomllib
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]


def test_no_folder_is_a_package_without_saying_so() -> None:
    assert SETTINGS["packages"]["find"] == {"include": ["lentigo*"], "namespaces": False}


def test_every_folder_with_code_is_a_package_and_every_other_file_is_installed() -> None:
    folder = ROOT / "lentigo"
    ours = [
        path
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    code = [path for path in ours if path.suffix == ".py"]
    assert len(code) > 300
    assert not [path for path in code if not (path.parent / "__init__.py").is_file()]
    data = {path.relative_to(folder).as_posix() for path in ours} - {
        path.relative_to(folder).as_posix() for path in code
    }
    kept = SETTINGS["package-data"]["lentigo"]
    assert not [name for name in data if not any(fnmatch(name, each) for each in kept)]
