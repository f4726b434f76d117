"""No process of ours runs what lies about: modules beside the images, or in PYTHONPATH."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import lentigo
from lentigo import isolated
from lentigo.config import ImagingConfig
from lentigo.datasets.synthetic import draw_dataset
from lentigo.errors import RunError
from lentigo.imaging.quality.measure import measure_images
from lentigo.imaging.sandbox.reader import GuardedReader
from lentigo.imaging.store.build import build_store
from lentigo.models.batch import Batch
from lentigo.training.data import Draw, Examples, in_order, load
from tests.pictures import draw
from tests.traps import Traps

LENTIGO = Path(sys.executable).with_name("lentigo")


@pytest.fixture
def traps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Traps:
    traps = Traps(tmp_path, monkeypatch)
    assert traps.catch_an_ordinary_python()
    return traps


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Start `code` as a process of ours and wait."""
    return subprocess.run(
        isolated.command(code),
        env=isolated.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_predict_decodes_springs_no_trap(traps: Traps) -> None:
    table = draw(traps.here, 3)
    with GuardedReader() as reader:
        sizes = [reader.read_square(Path(path), size=32)[0].shape for path in table["path"]]
    assert sizes == [(32, 32, 3)] * 3
    assert traps.sprung == []


def test_what_prepare_train_and_audit_decode_springs_no_trap(traps: Traps) -> None:
    table = draw(traps.here, 12)
    store = build_store(table, Path("store"), config=ImagingConfig(size=32, workers=2))
    assert len(store.failed) == 0
    assert traps.sprung == []


def test_what_audit_measures_springs_no_trap(traps: Traps) -> None:
    images = np.random.default_rng(0).integers(0, 255, (66, 32, 32, 3), dtype=np.uint8)
    assert len(measure_images(images, workers=2)) == 66
    assert traps.sprung == []


def test_what_demo_draws_springs_no_trap(traps: Traps) -> None:
    assert len(draw_dataset(traps.here / "set", images=64, size=64, workers=2)) == 64
    assert traps.sprung == []


def test_the_loader_of_train_imports_nothing_from_outside(traps: Traps) -> None:
    class Importing(Examples):
        def __getitems__(self, draws: list[Draw]) -> Batch:
            import tabnanny  # noqa: F401 (a module that nothing needs)

            return super().__getitems__(draws)

    images = np.zeros((2, 32, 32, 3), np.uint8)
    examples = Importing(images, np.arange(2), np.zeros(2, np.float32), size=32)
    sys.path.insert(0, "")
    try:
        batches = in_order(2, batch_size=1)
        read = list(load(examples, batches, workers=1, device=torch.device("cpu")))
    finally:
        sys.path.remove("")
    assert len(read) == 2
    assert os.environ["PYTHONPATH"].endswith("path:")
    assert traps.sprung == []


def test_the_process_has_the_very_lentigo_that_started_it(traps: Traps) -> None:
    done = run(
        "import sys, lentigo.imaging.decoding.image as image; "
        "print(image.__file__); print(sys.path)"
    )
    file, path = done.stdout.splitlines()
    assert file == str(Path(lentigo.__file__).parent / "imaging" / "decoding" / "image.py")
    for outside in ("''", str(traps.here), "path'", str(Path(lentigo.__file__).parents[1])):
        assert f"{outside}'," not in path


def test_a_lentigo_among_the_users_packages_finds_its_libraries_last(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "lentigo").mkdir()
    (tmp_path / "lentigo" / "__init__.py").touch()
    monkeypatch.setattr(isolated, "_PACKAGE", tmp_path / "lentigo")
    monkeypatch.setattr("site.getusersitepackages", lambda: str(tmp_path))
    done = run("import sys, lentigo; print(lentigo.__file__, sys.path[-1])")
    assert done.stdout.split() == [str(tmp_path / "lentigo" / "__init__.py"), str(tmp_path)]


def test_a_library_that_lies_outside_is_an_error_of_one_line() -> None:
    done = run("import nothing_of_the_kind")
    error = isolated.could_not_start(done.stderr)
    assert isinstance(error, RunError)
    assert "No module named 'nothing_of_the_kind'" in str(error)
    assert "virtual environment" in str(error)
    assert isolated.could_not_start("KeyError: 'a bug'") is None


def test_the_command_itself_imports_nothing_from_the_working_folder(
    traps: Traps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Takes five seconds, for it is the whole command, which draws with matplotlib."""
    draw(traps.here, 1)
    (traps.here / "matplotlibrc").write_bytes(b"text.usetex: True \xff")
    (traps.here / ".numba_config.yaml").write_text("{cache_dir: [")
    monkeypatch.delenv("PYTHONPATH")  # what stands there, Python runs before any of ours
    command = [str(LENTIGO), "view", ".", "--view", "rgb", "--out", "views"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, traps.sprung) == (0, []), done.stderr


def test_settings_in_the_working_folder_are_not_read(traps: Traps) -> None:
    (traps.here / "matplotlibrc").write_text("text.usetex: True\n")
    (traps.here / ".numba_config.yaml").write_text("cache_dir: pickles\n")
    done = run(
        "from lentigo import isolated\n"
        "isolated.keep_out_the_surroundings()\n"
        "import matplotlib, numba\n"
        "numba.core.config.reload_config()\n"
        "print(matplotlib.rcParams['text.usetex'], [numba.config.CACHE_DIR])"
    )
    assert done.stdout.split() == ["False", "['']"], done.stderr


def test_no_spelling_of_the_working_folder_stays_a_place_to_import_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(os.environ):  # restored at the end
        if name.startswith("PYTHON"):
            monkeypatch.setenv(name, os.environ[name])
    (tmp_path / "here").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    away = [str(tmp_path), str(tmp_path / "gone")]
    here = ["", ".", str(tmp_path / "here"), str(tmp_path / "link")]
    monkeypatch.setattr(sys, "path", [*here, *away, *sys.path])
    with isolated.surroundings_kept_out():
        isolated.keep_out_the_surroundings()
        assert sys.path[:2] == away
        assert not {*here} & {*sys.path}
