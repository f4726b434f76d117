"""Child processes that import only this package and the libraries installed with it.

Python also looks for modules in the folder in which it is started, in `PYTHONPATH`, and in
the user's own site-packages. A folder of images may hold a `struct.py`, and the user who
unpacked it did not ask for that file to run.
"""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager, suppress
from importlib import import_module
from pathlib import Path

from lentigo.errors import RunError

_PACKAGE = Path(__file__).resolve().parent

_BEGINNING = """\
import sys
from importlib.util import module_from_spec, spec_from_file_location
sys.path += {last!a}
_found = spec_from_file_location("lentigo", {first!a})
sys.modules["lentigo"] = module_from_spec(_found)
_found.loader.exec_module(sys.modules["lentigo"])
"""
"""First lines of the child's program, which load this package from its path. The folder
around the package is not searched for modules: the user may work there, with any files
beside it."""

_AT_THE_START = os.environ.get("PYTHONPATH", "")

_SETTINGS = {"matplotlib": "matplotlibrc", "numba": ".numba_config.yaml"}
"""Libraries that read settings from a file in the working folder. The file of numba can
name a folder of pickles to be loaded."""


def command(code: str, *arguments: str) -> list[str]:
    """Return the command that runs `code` in an isolated Python with this package."""
    beginning = _BEGINNING.format(first=str(_PACKAGE / "__init__.py"), last=_last())
    flags = ["-I", "-X", f"utf8={sys.flags.utf8_mode}"]
    if sys.dont_write_bytecode:
        flags.append("-B")
    return [sys.executable, *flags, "-c", beginning + code, *arguments]


def environment(**more: str) -> dict[str, str]:
    """Return the environment variables for an isolated process.

    They are those of this process without the variables that direct Python (PYTHON…), plus
    the variables `more`, and one that forbids HDF5 to load libraries named in a file.
    """
    kept = {name: value for name, value in os.environ.items() if not _directs(name)}
    # An HDF5 file can name a filter, which HDF5 loads as a library; this forbids it.
    return {**kept, "HDF5_PLUGIN_PRELOAD": "::", **more}


def could_not_start(remarks: str) -> RunError | None:
    """Return the error for a process that ended because it lacks a library, else None.

    `remarks` is what the process wrote to standard error.
    """
    last = remarks.rstrip().rpartition("\n")[2]
    if not last.startswith(("ModuleNotFoundError: ", "ImportError: ")):
        return None
    return RunError(
        f"A process of lentigo could not start: {last.partition(': ')[2]}. Such processes "
        "take libraries neither from PYTHONPATH nor from those that a user installed for "
        "themselves (pip install --user). Install lentigo and what it needs in a virtual "
        "environment."
    )


def keep_out_the_surroundings() -> None:
    """Let this process and its children import nothing from the working folder.

    Nor do they read settings of libraries from it. Call this first, in a process that runs
    only lentigo.
    """
    sys.path[:] = [place for place in sys.path if not _is_working_folder(place)]
    _put_into_environment()
    for library, settings in _SETTINGS.items():
        if os.path.lexists(settings):
            with suppress(ImportError), chdir(_PACKAGE):
                import_module(library)
    if numba := sys.modules.get("numba"):
        # numba reads the file again at each compilation; it skips what is no file.
        numba.core.config._config_fname = os.devnull


@contextmanager
def surroundings_kept_out() -> Iterator[None]:
    """Isolate processes that other libraries start in this block, by their environment.

    The environment of this process is restored at the end.
    """
    before = dict(os.environ)
    _put_into_environment()
    try:
        yield
    finally:
        for name in [name for name in os.environ if _directs(name)]:
            del os.environ[name]
        os.environ.update({n: value for n, value in before.items() if _directs(n)})


def forget_the_surroundings(*_: object) -> None:
    """Remove from `sys.path` the working folder, `PYTHONPATH` and the user's site-packages.

    To be called in a process that another library started. Folders from which lentigo,
    numpy or torch were imported stay in `sys.path`.
    """
    given = os.pathsep.join([_AT_THE_START, os.environ.get("PYTHONPATH", "")])
    places = [*given.split(os.pathsep), site.getusersitepackages()]
    outside = {os.path.realpath(place) for place in places if place}
    in_use = {str(_PACKAGE.parent), _home("numpy"), _home("torch")}
    sys.path[:] = [
        place
        for place in sys.path
        if not _is_working_folder(place)
        and ((real := os.path.realpath(place)) not in outside or real in in_use)
    ]


def _put_into_environment() -> None:
    for name in [name for name in os.environ if _directs(name)]:
        if name in {"PYTHONPATH", "PYTHONUSERBASE", "PYTHONHOME", "PYTHONSTARTUP"}:
            del os.environ[name]
    os.environ["PYTHONSAFEPATH"] = "1"
    if not _last():
        os.environ["PYTHONNOUSERSITE"] = "1"


def _last() -> list[str]:
    """Return the folders to be searched for libraries after all others.

    This is the user's own site-packages if lentigo itself is installed there (`pip install
    --user`), for its libraries lie in the same folder; since it comes last, no file in it
    can replace a module of Python. Otherwise the list is empty.
    """
    home = str(_PACKAGE.parent)
    own = site.getusersitepackages()
    return [home] if os.path.realpath(own) == home else []


def _home(library: str) -> str:
    """Return the folder from which `library` was imported; empty if it was not."""
    file = getattr(sys.modules.get(library), "__file__", None)
    return str(Path(file).resolve().parents[1]) if file else ""


def _directs(name: str) -> bool:
    return name.upper().startswith("PYTHON")


def _is_working_folder(place: str) -> bool:
    if not os.path.isabs(place):  # noqa: PTH117 (an empty string is the working folder)
        return True
    with suppress(OSError):
        return os.path.samefile(place, ".")  # noqa: PTH121
    return False
