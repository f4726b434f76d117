from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from lentigo.config import GridConfig
from lentigo.errors import ConfigError, DatasetError, RunError, UnknownNameError
from lentigo.figures.style import FAINT, MELANOMA, OTHER_LESION
from lentigo.output import PAGE, check_file
from lentigo.reports.images.grid import (
    chosen_rows,
    draw_grid,
    read_images,
)
from tests.cohorts import disc, draw_cohort
from tests.dicoms import dicom


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """40 discs, of which 10 are melanomas: 0, 1, 8, 9 …"""
    return draw_cohort(tmp_path_factory.mktemp("discs"), images=40)


def words(grid: object) -> list[str]:
    return [text.get_text() for text in grid.figure.texts]  # type: ignore[attr-defined]


def test_a_page_says_how_many_of_how_many(cohort: pd.DataFrame) -> None:
    grid = draw_grid(cohort, GridConfig(limit=6, per_row=6))
    assert len(grid.image_ids) == len(grid.figure.axes) == 6
    assert grid.notes[0].startswith("6 of 40 images shown, drawn at random (seed 0)")
    again = draw_grid(cohort, GridConfig(limit=6, per_row=6))
    other = draw_grid(cohort, GridConfig(limit=6, per_row=6, seed=1))
    assert grid.image_ids == again.image_ids != other.image_ids


def test_a_caption_holds_what_is_known(cohort: pd.DataFrame) -> None:
    table = cohort.head(2).assign(age=[45.0, np.nan], site=pd.array([None, "torso"]))
    said = words(draw_grid(table, GridConfig(sort="image_id", per_row=2)))
    for line in ("L000", "patient P000", "site\u00a0?, female, 45\u00a0years", "melanoma",
                 "torso, female, age\u00a0?"):  # fmt: skip
        assert line in said
    unknown = words(draw_grid(table.assign(sex=None, site=None), GridConfig(per_row=2)))
    assert "45\u00a0years" in unknown  # what no row knows takes no place


def test_frames_have_the_colors_of_the_classes(cohort: pd.DataFrame) -> None:
    table = cohort.iloc[[0, 2, 4]].copy()
    table.loc[4, "melanoma"] = pd.NA
    grid = draw_grid(table, GridConfig(sort="image_id"))
    frames = [to_hex(ax.spines["left"].get_edgecolor()) for ax in grid.figure.axes]
    assert frames == [color.lower() for color in (MELANOMA, OTHER_LESION, FAINT)]
    assert "Frames: blue: not melanoma; red: melanoma; grey: not labelled." in grid.notes[0]


def test_not_melanoma_stands_beside_melanoma(cohort: pd.DataFrame) -> None:
    grid = draw_grid(cohort, GridConfig(by="melanoma", per_row=4, limit=8))
    assert {"Not melanoma: 4 of 30", "Melanoma: 4 of 10"} <= set(words(grid))
    left = [ax for ax in grid.figure.axes if ax.get_position().x0 < 0.5]
    assert len(left) == 4
    assert {to_hex(ax.spines["top"].get_edgecolor()) for ax in left} == {
        OTHER_LESION.lower()
    }


def test_rows_are_chosen_and_sorted(cohort: pd.DataFrame) -> None:
    grid = draw_grid(cohort, GridConfig(where="melanoma", sort="-image_id", limit=2))
    assert grid.image_ids == ("L033", "L032")
    assert grid.of == 10
    assert (
        "2 of 10 images shown, where melanoma, by image_id, largest first" in grid.notes[0]
    )


def test_a_file_that_cannot_be_shown_says_why(cohort: pd.DataFrame, tmp_path: Path) -> None:
    table = cohort.head(4).copy()
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    table.loc[0, "path"] = pd.NA
    table.loc[1, "path"] = str(tmp_path / "gone.png")
    table.loc[2, "path"] = str(tmp_path / "broken.jpg")
    grid = draw_grid(table, GridConfig(sort="image_id"))
    assert list(grid.failed) == ["L000", "L001", "L002"]
    assert grid.failed["L001"] == "gone.png does not exist."
    assert "3 cannot be shown" in grid.notes[0]
    assert any(text.startswith("No file of this") for text in words(grid))
    assert [len(ax.images) for ax in grid.figure.axes] == [0, 0, 0, 1]


def test_dicom_is_shown_in_its_colors(tmp_path: Path) -> None:
    values = disc(np.random.default_rng(0), dark=True)
    (tmp_path / "lesion.dcm").write_bytes(dicom(values, "RGB"))
    (tmp_path / "m.csv").write_text("image,label\nlesion,1\n")
    table = read_images(tmp_path / "m.csv").table
    assert table["path"].tolist() == [str(tmp_path / "lesion.dcm")]
    grid = draw_grid(table, GridConfig(per_row=1))
    assert np.array_equal(np.asarray(grid.figure.axes[0].images[0].get_array()), values)


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_page_is_written_in_three_formats(
    cohort: pd.DataFrame, tmp_path: Path, suffix: str
) -> None:
    grid = draw_grid(cohort, GridConfig(limit=2))
    path = grid.save(tmp_path / f"page{suffix}")
    start = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[suffix]
    assert path.read_bytes().startswith(start)
    with pytest.raises(ConfigError, match=r"\.png, \.svg or \.pdf"):
        grid.save(tmp_path / "page.gif")


def test_what_cannot_be_drawn_is_refused(cohort: pd.DataFrame) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean melanoma"):
        draw_grid(cohort, GridConfig(by="melanom"))
    with pytest.raises(UnknownNameError, match="Did you mean age"):
        draw_grid(cohort, GridConfig(sort="-ages"))
    with pytest.raises(ConfigError, match="patient_id has 20 values"):
        draw_grid(cohort, GridConfig(by="patient_id"))
    with pytest.raises(DatasetError, match="None of the 40 rows has an image file"):
        draw_grid(cohort.assign(path=None))
    with pytest.raises(ConfigError, match=r"per_row: .* \(got 0\)"):
        GridConfig(per_row=0)
    with pytest.raises(ConfigError, match=r"limit: .* \(got 0\)"):
        GridConfig(limit=0)
    with pytest.raises(ConfigError, match="melanoma has 2 values, but at most 1 image may"):
        draw_grid(cohort, GridConfig(by="melanoma", limit=1))


def test_values_that_are_nearly_alike_have_blocks_of_their_own(
    cohort: pd.DataFrame,
) -> None:
    table = cohort.head(3).assign(dose=[0.5, 0.12345678, 0.12345679])
    chosen = chosen_rows(table, GridConfig(by="dose"))
    assert list(chosen) == [
        "dose 0.12345678: 1 of 1", "dose 0.12345679: 1 of 1", "dose 0.5: 1 of 1"
    ]  # fmt: skip


def test_a_page_overwrites_nothing(cohort: pd.DataFrame, tmp_path: Path) -> None:
    grid = draw_grid(cohort, GridConfig(limit=1))
    page = grid.save(tmp_path / "new" / "page.png")
    before = page.read_bytes()
    with pytest.raises(RunError, match=r"page\.png is there already; give another place"):
        grid.save(page)
    assert page.read_bytes() == before
    with pytest.raises(RunError, match=r"page\.png is a file; give a folder"):
        check_file(page / "other.png", PAGE, new=True)
