"""A drawn set on disk: the same bytes every time, resumable, refused where it would mix."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lentigo import elsewhere
from lentigo.datasets.synthetic import best_reachable_auc, draw_dataset, read
from lentigo.datasets.synthetic.cohort import NOTE
from lentigo.errors import (
    ColumnError,
    ConfigError,
    DatasetError,
    DatasetNotFoundError,
    RunError,
)
from lentigo.files import digest


def _bytes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("drawn") / "set"
    draw_dataset(folder, images=70, size=64, seed=2, workers=1)
    return folder


def test_the_folder_holds_pictures_table_and_settings(drawn: Path) -> None:
    table = read(drawn).table
    assert len(table) == 70
    assert sorted(path.name for path in drawn.iterdir()) == [
        "images", "metadata.csv", "synthetic.json",
    ]  # fmt: skip
    first = Path(table["path"].iloc[0])
    assert first == drawn / "images" / "SYN_0000001.jpg"
    with Image.open(first) as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (64, 64), "RGB")
    assert (table["width"] == 64).all()
    settings = json.loads((drawn / "synthetic.json").read_text())
    assert settings["best_reachable_auc"] == pytest.approx(best_reachable_auc(table))
    assert (settings["seed"], settings["size"], settings["images"]) == (2, 64, 70)


def test_bytes_do_not_depend_on_the_number_of_workers(drawn: Path, tmp_path: Path) -> None:
    draw_dataset(tmp_path / "again", images=70, size=64, seed=2, workers=2)
    assert _bytes(tmp_path / "again") == _bytes(drawn)


def test_a_script_without_main_guard_may_use_workers(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from lentigo.datasets.synthetic import draw_dataset\n"
        f"table = draw_dataset({str(tmp_path / 'set')!r}, images=64, size=64, workers=2)\n"
        "print(len(table))\n"
    )
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("64", "")


def test_pictures_that_are_there_are_kept_and_halves_drawn_again(tmp_path: Path) -> None:
    draw_dataset(tmp_path, images=6, size=64)
    before = _bytes(tmp_path)
    pictures = sorted((tmp_path / "images").iterdir())
    pictures[0].unlink()
    pictures[1].write_bytes(pictures[1].read_bytes()[:500])
    kept = pictures[2].stat().st_mtime_ns
    draw_dataset(tmp_path, images=6, size=64)
    assert _bytes(tmp_path) == before
    assert pictures[2].stat().st_mtime_ns == kept


def test_a_set_can_grow_but_not_shrink(tmp_path: Path) -> None:
    draw_dataset(tmp_path / "grown", images=4, size=64)
    draw_dataset(tmp_path / "grown", images=9, size=64)
    draw_dataset(tmp_path / "whole", images=9, size=64)
    assert _bytes(tmp_path / "grown") == _bytes(tmp_path / "whole")
    with pytest.raises(DatasetError, match="9 images"):
        draw_dataset(tmp_path / "grown", images=4, size=64)


@pytest.mark.parametrize("other", [{"seed": 1}, {"size": 65}])
def test_another_set_is_not_mixed_in(tmp_path: Path, other: dict[str, int]) -> None:
    draw_dataset(tmp_path, images=2, size=64)
    with pytest.raises(DatasetError, match="another drawn set"):
        draw_dataset(tmp_path, images=2, **{"size": 64, **other})


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"holiday\.jpg"):
        draw_dataset(tmp_path, images=2, size=64)


def test_damaged_settings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "synthetic.json").write_text("{")
    with pytest.raises(DatasetError, match=r"synthetic\.json cannot be read"):
        draw_dataset(tmp_path, images=2, size=64)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="Cannot write"):
        draw_dataset(tmp_path / "file" / "set", images=2, size=64)


@pytest.mark.parametrize(
    "wrong", [{"size": 32}, {"size": 2000}, {"images": 0}, {"workers": -1}]
)
def test_senseless_settings_leave_no_trace(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        draw_dataset(tmp_path / "set", **{"images": 2, "size": 64, **wrong})
    assert not (tmp_path / "set").exists()


def test_a_killed_worker_is_told_and_the_rest_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elsewhere, "_PROGRAM", "import os; os.kill(os.getpid(), 9)")
    with pytest.raises(RunError, match="Call draw_dataset again"):
        draw_dataset(tmp_path, images=64, size=64, workers=2)
    monkeypatch.undo()
    with pytest.raises(DatasetNotFoundError, match="broken off"):
        read(tmp_path)


def test_a_missing_picture_keeps_its_row(tmp_path: Path) -> None:
    draw_dataset(tmp_path, images=3, size=64)
    (tmp_path / "images" / "SYN_0000002.jpg").unlink()
    found = read(tmp_path)
    assert found.table["path"].isna().tolist() == [False, True, False]
    assert found.notes == (NOTE, "1 of 3 images are not there: SYN_0000002.jpg.")


def test_reading_what_is_no_drawn_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match=r"metadata\.csv"):
        read(tmp_path)
    pd.DataFrame({"image_id": ["a"], "path": ["a.jpg"]}).to_csv(tmp_path / "metadata.csv")
    with pytest.raises(ColumnError, match="true_probability"):
        read(tmp_path)


def test_repeated_photographs_differ_in_their_pixels(drawn: Path) -> None:
    table = read(drawn).table
    repeated = table[table["lesion_id"].duplicated(keep=False)]
    pair = repeated.groupby("lesion_id").head(2).head(2)
    first, second = (np.asarray(Image.open(path)) for path in pair["path"])
    assert not np.array_equal(first, second)


def test_importing_the_package_stays_light() -> None:
    code = (
        "import sys, lentigo.datasets.synthetic\n"
        "print([name for name in ('cv2', 'pandas', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
