"""Images written out in other views."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lentigo.errors import (
    ConfigError,
    DatasetNotFoundError,
    ImageError,
    RunError,
    UnknownNameError,
)
from lentigo.imaging.views.color import gray
from lentigo.reports.images.views import write_views


def photo(path: Path, *, seed: int = 0, size: tuple[int, int] = (40, 30)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def written(out: Path) -> list[str]:
    return sorted(path.name for path in out.iterdir())


def test_each_view_is_a_picture_of_its_own(tmp_path: Path) -> None:
    path = photo(tmp_path / "one.png")
    out = tmp_path / "out"
    (viewed,) = write_views([path], out, views=["gray", "hsv-blur"], sheet=False)
    assert [file.name for file in viewed.files] == ["one.gray.png", "one.hsv_blur.png"]
    assert written(out) == ["one.gray.png", "one.hsv_blur.png"]
    shown = np.asarray(Image.open(out / "one.gray.png"))
    assert np.array_equal(shown, gray(np.asarray(Image.open(path))))


def test_the_sheet_shows_every_view_of_one_lesion(tmp_path: Path) -> None:
    mask = tmp_path / "mask.png"
    Image.fromarray(np.eye(30, 40, dtype=np.uint8)).save(mask)
    path = photo(tmp_path / "a $lesion$.png")
    (viewed,) = write_views([path], tmp_path / "out", views=["lab"], mask=mask)
    names = [file.name.removeprefix("a $lesion$.") for file in viewed.files]
    assert names == ["lab.png", "outline.png", "sheet.png"]
    assert size_of(viewed.files[-1])[0] > 1000


def test_the_longer_side_is_brought_down_and_never_up(tmp_path: Path) -> None:
    path = photo(tmp_path / "one.png", size=(400, 300))
    for size, wanted in ((100, (100, 75)), (1000, (400, 300)), (0, (400, 300))):
        out = tmp_path / str(size)
        (viewed,) = write_views([path], out, views=["rgb"], size=size, sheet=False)
        assert size_of(viewed.files[0]) == wanted


def test_two_images_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    for folder, seed in (("a", 1), ("b", 2), ("c", 3)):
        photo(tmp_path / folder / ("ONE.png" if folder == "c" else "one.png"), seed=seed)
    photo(tmp_path / "d" / "one-2.png", seed=4)
    folders = [tmp_path / folder for folder in "abcd"]
    viewed = write_views(folders, tmp_path / "out", views=["rgb"], sheet=False)
    names = [image.files[0].name for image in viewed]
    assert names == ["one.rgb.png", "one-2.rgb.png", "ONE-3.rgb.png", "one-2-2.rgb.png"]
    for image in viewed:
        assert np.array_equal(
            np.asarray(Image.open(image.files[0])), np.asarray(Image.open(image.path))
        )


def test_nothing_is_overwritten_and_nothing_half_written(tmp_path: Path) -> None:
    photo(tmp_path / "in" / "a.png")
    photo(tmp_path / "in" / "b.png")
    out = tmp_path / "out"
    out.mkdir()
    (out / "b.gray.png").write_text("mine")
    with pytest.raises(RunError, match=r"b\.gray\.png would be overwritten"):
        write_views([tmp_path / "in"], out, views=["gray"], sheet=False)
    assert written(out) == ["b.gray.png"]
    assert (out / "b.gray.png").read_text() == "mine"


def test_a_broken_image_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_text("no image")
    good = photo(tmp_path / "good.png")
    viewed = write_views([broken, good], tmp_path / "out", views=["rgb"], sheet=False)
    assert "broken.jpg" in viewed[0].reason
    assert not viewed[0].files
    assert len(viewed[1].files) == 1


def test_what_cannot_be_done_is_said_before_anything_is_written(tmp_path: Path) -> None:
    path = photo(tmp_path / "one.png")
    out = tmp_path / "out"
    with pytest.raises(UnknownNameError, match="Did you mean clahe"):
        write_views([path], out, views=["clae"])
    with pytest.raises(ConfigError, match="--mask"):
        write_views([path], out, views=["outline"])
    with pytest.raises(ConfigError, match="No view"):
        write_views([path], out, views=[])
    with pytest.raises(ConfigError, match="belongs to one image"):
        write_views([path, photo(tmp_path / "two.png")], out, mask=path)
    with pytest.raises(ImageError, match=r"nowhere\.png"):
        write_views([path], out, mask=tmp_path / "nowhere.png")
    with pytest.raises(DatasetNotFoundError):
        write_views([tmp_path / "nowhere"], out)
    assert not out.exists()


def test_a_mask_of_another_picture_is_the_reason(tmp_path: Path) -> None:
    path, mask = photo(tmp_path / "a.png"), photo(tmp_path / "m.png", size=(40, 40))
    (viewed,) = write_views([path], tmp_path / "out", views=["rgb"], mask=mask)
    assert "proportions differ" in viewed.reason


def test_what_a_killed_command_left_is_cleared_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One file was written, one not yet; another of the folder is the user's own."""
    photo(tmp_path / "in" / "a.png")
    photo(tmp_path / "in" / "b.png")
    out = tmp_path / "out"
    code = (
        "import os, sys; from pathlib import Path\n"
        "from lentigo.reports.images import views\n"
        "write, seen = views._view_one, []\n"
        "def stop(*a, **k):\n"
        "    if seen: os._exit(137)\n"
        "    seen.append(1); return write(*a, **k)\n"
        "views._view_one = stop\n"
        "views.write_views([sys.argv[1]], Path(sys.argv[2]), views=['gray'], sheet=False)"
    )
    given = [sys.executable, "-c", code, str(tmp_path / "in"), str(out)]
    assert subprocess.run(given, check=False).returncode == 137
    (out / "notes.gray.png").write_text("mine")
    with caplog.at_level("INFO"):
        write_views([tmp_path / "in"], out, views=["rgb"], sheet=False)
    assert written(out) == ["a.rgb.png", "b.rgb.png", "notes.gray.png"]
    assert "holds what a command left that was killed (a.gray.png)" in caplog.text


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_that_is_no_utf8_is_viewed(tmp_path: Path) -> None:
    photo(tmp_path / "a.png").rename(tmp_path / os.fsdecode(b"b\xff.png"))
    write_views([tmp_path], tmp_path / "out", views=["gray"], sheet=False)
    names = [os.fsencode(path.name) for path in (tmp_path / "out").iterdir()]
    assert names == [b"b\xff.gray.png"]
