"""`lentigo explore`: every figure, its numbers, and what it says where there is nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from lentigo.errors import DatasetNotFoundError, LeakError, RunError, UnknownNameError
from lentigo.figures.cohort.draw_cohort import malignant
from lentigo.figures.cohort.draw_images import how_many
from lentigo.figures.cohort.draw_risk import shift
from lentigo.figures.cohort.draw_table import missing, patients, site_by_age
from lentigo.figures.cohort.drawn import Cohort, NotDrawnError
from lentigo.reports.explore import page as exploring
from lentigo.reports.explore.page import Exploration, explore
from tests.figures.tables import drawn_table


@pytest.fixture(scope="module")
def siim(
    shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Exploration, Path]:
    folder = shared / "data" / "siim2020"
    if not (folder / "train.csv").is_file():
        pytest.skip("the tables of SIIM-ISIC 2020 are not there")
    out = tmp_path_factory.mktemp("explore") / "siim"
    return explore(folder / "train.csv", out, test=folder / "test.csv"), out


def counts(path: Path, column: str, group: str | None = None) -> dict[str, int]:
    table = pd.read_csv(path, dtype={"value": str})
    rows = table[table["column"] == column]
    if group is not None:
        rows = rows[rows["group"] == group]
    return dict(zip(rows["value"], rows["images"].astype(int), strict=True))


def test_the_cohort_holds_the_published_counts(siim: tuple[Exploration, Path]) -> None:
    path = siim[1] / "cohort.csv"
    assert counts(path, "sex") == {"female": 15_981, "male": 17_080, "missing": 65}
    assert counts(path, "site") == {
        "torso": 16_845, "lower extremity": 8_417, "upper extremity": 4_983,
        "head/neck": 1_855, "palms/soles": 375, "oral/genital": 124, "missing": 527,
    }  # fmt: skip
    assert counts(path, "diagnosis") == {
        "nevus": 5_193, "melanoma": 584, "seborrheic keratosis": 135, "lentigo NOS": 44,
        "lichenoid keratosis": 37, "solar lentigo": 7, "cafe-au-lait macule": 1,
        "atypical melanocytic proliferation": 1, "missing": 27_124,
    }  # fmt: skip
    ages = counts(path, "age")
    assert ages.pop("missing") == 68
    assert sum(ages.values()) == 33_126 - 68
    assert (min(map(int, ages)), max(map(int, ages))) == (0, 90)


def test_melanomas_by_sex_and_site_are_the_published_ones(
    siim: tuple[Exploration, Path],
) -> None:
    by_class = counts(siim[1] / "sex_by_class.csv", "sex", "melanoma")
    assert by_class == {"female": 220, "male": 364, "missing": 0}
    assert counts(siim[1] / "malignant.csv", "site") == {
        "torso": 257, "lower extremity": 124, "upper extremity": 111, "head/neck": 74,
        "missing": 9, "palms/soles": 5, "oral/genital": 4,
    }  # fmt: skip


def test_the_test_set_holds_the_published_counts(siim: tuple[Exploration, Path]) -> None:
    path = siim[1] / "test_set.csv"
    assert counts(path, "sex") == {"female": 4_727, "male": 6_255, "missing": 0}
    assert counts(path, "site") == {
        "torso": 5_847, "lower extremity": 2_501, "upper extremity": 1_573,
        "head/neck": 576, "missing": 351, "palms/soles": 108, "oral/genital": 26,
    }  # fmt: skip


def test_every_file_of_the_index_is_there(siim: tuple[Exploration, Path]) -> None:
    index = json.loads((siim[1] / "index.json").read_text())
    page = (siim[1] / "index.html").read_text()
    assert "not a medical device" in page
    for figure in index["figures"]:
        endings = [name.rsplit(".", 1)[1] for name in figure["files"]]
        assert endings == ["svg", "png", "csv"]
        for name in figure["files"]:
            assert (siim[1] / name).stat().st_size > 0
            assert f'href="{name}"' in page
        assert figure["title"]


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(RunError, match="not empty"):
        explore(tmp_path / "none.csv", tmp_path)


def test_the_diagnosis_is_refused_as_a_leak(tmp_path: Path) -> None:
    with pytest.raises(LeakError, match=r"diagnosis .it says melanoma or something else"):
        explore(tmp_path / "none.csv", tmp_path / "out", features=["sex", "diagnosis"])


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match=r"none\.csv does not exist"):
        explore(tmp_path / "none.csv", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the figures that a test asks about: each takes half a second."""
    chosen = {"cohort", "missing", "shift", "sizes"}
    kinds = tuple(kind for kind in exploring.KINDS if kind.name in chosen)
    monkeypatch.setattr(exploring, "KINDS", kinds)


@pytest.mark.usefixtures("few", "no_chinese_font")
def test_names_of_a_table_stay_its_own_and_boxes_are_told(tmp_path: Path) -> None:
    lines = ["image,patient,site,target"]
    lines += [f"I{n},P{n},謎龘,{n % 2}" for n in range(4)]
    lines += [f"J{n},P{n},balcony,0" for n in range(3)]
    (tmp_path / "t.csv").write_text("\n".join(lines), encoding="utf-8")
    found = explore(tmp_path / "t.csv", tmp_path / "out")
    sites = counts(tmp_path / "out" / "cohort.csv", "site")
    assert sites == {"謎龘": 4, "balcony": 3, "missing": 0}
    assert any("name 1 is 謎龘" in note for note in found.notes)
    assert not any("site is missing where" in note for note in found.notes)


@pytest.mark.usefixtures("few")
def test_what_cannot_be_drawn_is_listed_with_the_reason(tmp_path: Path) -> None:
    bare = drawn_table(20)[["image_id", "melanoma"]]
    explore(bare, tmp_path / "out")
    index = json.loads((tmp_path / "out" / "index.json").read_text())
    left_out = {item["name"]: item["reason"] for item in index["left_out"]}
    assert set(left_out) == {"missing", "shift", "sizes"}
    assert "no image file" in left_out["sizes"]
    assert left_out["shift"] in (tmp_path / "out" / "index.html").read_text()


@pytest.mark.usefixtures("few")
def test_several_sets_are_compared_and_told_apart_by_name(tmp_path: Path) -> None:
    tables = [drawn_table(60, seed=1), drawn_table(90, seed=2)]
    found = explore(tables, tmp_path / "out")
    data = pd.read_csv(tmp_path / "out" / "cohort.csv")
    sexes = data[data["column"] == "sex"].groupby("dataset")["images"].sum()
    assert sexes.to_dict() == {"drawn": 60, "drawn (2)": 90}
    names = [picture.name for picture in found.pictures]
    assert names == [
        "cohort", "missing-1-drawn", "missing-2-drawn-2", "sizes-1-drawn",
        "sizes-2-drawn-2", "shift",
    ]  # fmt: skip


def test_the_test_set_is_compared_beside_several_sets() -> None:
    sets = [drawn_table(40, seed=k).assign(dataset=f"set {k}") for k in (1, 2)]
    plate = shift(Cohort(pd.concat(sets, ignore_index=True), test=drawn_table(30)))
    assert plate.data["set"].unique().tolist() == ["set 2", "test"]
    assert "size" in set(plate.data["column"])


def test_a_feature_that_is_no_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"called 'sexx'.*Did you mean sex"):
        explore(drawn_table(20), tmp_path / "out", features=["sexx"])
    assert not (tmp_path / "out").exists()


def test_titles_count_images_and_beside_them_lesions() -> None:
    table = drawn_table(20, melanomas=0).assign(
        melanoma=[True] * 3 + [False] * 17,
        malignant=[True] * 4 + [False] * 16,
        lesion_id=["A", "A", "B", "C"] + ["D"] * 16,
    )
    plate = malignant(Cohort(table))
    assert plate.title.startswith("4 images of malignant lesions (3 lesions)")
    assert "3 images are of melanomas" in plate.sentence


def test_site_by_age_needs_an_image_with_both() -> None:
    table = drawn_table(20)
    first = pd.Series(range(20)) < 10
    apart = table.assign(age=table["age"].where(first), site=table["site"].mask(first))
    with pytest.raises(NotDrawnError, match="both an anatomical site and an age"):
        site_by_age(Cohort(apart))


def test_a_column_that_is_missing_everywhere_is_named() -> None:
    table = drawn_table(20).drop(columns="patient_id")
    plate = missing(Cohort(table))
    assert "patient" in plate.title
    assert "patient" in plate.sentence


def test_no_patient_with_several_melanomas_is_not_spoken_of() -> None:
    table = drawn_table(20, melanomas=0)
    one = table.assign(melanoma=[True] + [False] * 19)
    assert "two or more" not in patients(Cohort(one)).title
    same = table.assign(melanoma=[True] * 2 + [False] * 18, patient_id=["P"] * 20)
    assert "two or more" not in patients(Cohort(same.head(1))).title
    assert "1 of them have two or more" in patients(Cohort(same.assign(
        patient_id=["P"] * 2 + ["Q"] * 18))).title  # fmt: skip


def testhow_many_were_read_tells_that_melanomas_are_more_frequent() -> None:
    table = pd.DataFrame({"melanoma": [True] * 2 + [False] * 8})
    assert how_many(table, table) == "10 of 10 images"
    said = how_many(table.head(4), table)
    assert said.startswith("4 of 10 images (all 2 of melanomas are among them")
