"""Tables audited together: what their rows are called, and on which side they are."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from lentigo.audit.gather import gather, is_divided
from lentigo.config import AuditConfig
from lentigo.errors import (
    ColumnError,
    ConfigError,
    DatasetError,
    DatasetNotFoundError,
)
from lentigo.tables import check_table


def table(
    *names: str, dataset: str | None = "here", **columns: list[object]
) -> pd.DataFrame:
    rows = pd.DataFrame({"image_id": names, "dataset": dataset, **columns})
    return check_table(rows, source="test")


def test_one_table_keeps_the_names_of_its_images() -> None:
    found = gather([table("a", "b")]).table
    assert found["image_id"].tolist() == ["a", "b"]
    assert not is_divided(found)


def test_a_folder_with_neither_table_nor_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match="holds no table and no image"):
        gather([tmp_path])


def test_tables_of_two_data_sets_are_named_by_data_set() -> None:
    found = gather([table("a", dataset="one"), table("a", dataset="two")]).table
    assert found["image_id"].tolist() == ["one:a", "two:a"]


def test_two_tables_of_one_data_set_are_named_by_table() -> None:
    found = gather([table("a", "b")], test=table("b")).table
    assert found["image_id"].tolist() == ["table 1:a", "table 1:b", "table 2:b"]
    assert found["own_id"].tolist() == ["a", "b", "b"]
    assert found["side"].tolist() == ["train", "train", "test"]
    assert found["dataset"].tolist() == ["here"] * 3


def test_groups_that_two_tables_just_count_are_told_apart() -> None:
    learnt = table("a", "b", "c", group_id=["0", "0", "1"])
    found = gather([learnt], test=table("d", "e", group_id=["0", "1"]))
    assert found.table["group_id"].tolist() == [
        "table 1:0", "table 1:0", "table 1:1", "table 2:0", "table 2:1",
    ]  # fmt: skip
    assert found.notes[-1].startswith(
        "Groups 0 to 1 of table 1 and table 2 are taken for different ones"
    )


@pytest.mark.parametrize(
    ("groups", "also"),
    [
        (["P1", "P2"], {}),
        (["001", "002"], {}),
        (["1", "2"], {"patient_id": ["Ada", "Bo"]}),
        (["1", "2"], {"lesion_id": ["x", None]}),
    ],
    ids=["letters", "zeros", "shared patients", "shared lesion"],
)
def test_groups_that_may_mean_the_same_in_two_tables_are_not_told_apart(
    groups: list[object], also: dict[str, list[object]]
) -> None:
    learnt = table("a", "b", dataset="here", group_id=groups, **also)
    found = gather([learnt], test=table("c", "d", dataset="here", group_id=groups, **also))
    assert found.table["group_id"].tolist() == groups * 2
    assert not found.notes


def test_an_image_in_both_tables_says_that_their_groups_are_the_same() -> None:
    learnt = table("a", "b", group_id=["1", "2"])
    found = gather([learnt], test=table("c", "a", group_id=["2", "1"]))
    assert found.table["group_id"].tolist() == ["1", "2", "2", "1"]


def test_names_of_groups_mean_the_same_in_two_tables_of_one_data_set() -> None:
    learnt = table("a", "b", group_id=["Ada", "7"])
    found = gather([learnt], test=table("c", "d", group_id=["Ada", "9"])).table
    assert found["group_id"].tolist() == ["Ada", "7", "Ada", "9"]


def test_a_part_says_on_which_side_an_image_is() -> None:
    parts = table("a", "b", "c", part=["training", "validation", None])
    assert gather([parts]).table["side"].fillna("none").tolist() == [
        "train", "validation", "none",
    ]  # fmt: skip


def test_a_column_of_one_value_divides_nothing_and_the_next_is_asked() -> None:
    both = table("a", "b", part=["all", "all"], fold=[0, 1])
    assert gather([both]).table["side"].tolist() == ["0", "1"]


@pytest.mark.parametrize(
    ("name", "values", "sides"),
    [
        ("stage", ["none", "IB"], 0),
        ("stage", [1, 2], 0),
        ("part", ["arm", "back"], 0),
        ("stage", ["training", "final"], 2),
        ("set", [1, 2], 2),
        ("split", ["A", "B"], 2),
    ],
)
def test_the_stage_of_a_tumour_and_a_part_of_the_body_divide_nothing(
    tmp_path: Path, name: str, values: list[object], sides: int
) -> None:
    frame = pd.DataFrame({"image_id": ["a", "b"], "melanoma": [0, 1], name: values})
    frame.to_csv(tmp_path / "t.csv", index=False)
    for given in (tmp_path / "t.csv", check_table(frame, source="test")):
        found = gather([given])
        assert found.table["side"].nunique() == sides
        said = [note for note in found.notes if f"--by {name}" in note]
        assert len(said) == (0 if sides else 1)


def test_the_column_that_divides_can_be_named() -> None:
    both = table("a", "b", part=["x", "y"], clinic=["Bern", "Wien"])
    assert gather([both], config=AuditConfig(by="clinic")).table["side"].tolist() == [
        "Bern",
        "Wien",
    ]
    with pytest.raises(ColumnError, match=r"hospital, .* is not there\."):
        gather([both], config=AuditConfig(by="hospital"))
    with pytest.raises(ColumnError, match=r"fold, .* is not there, or has no value"):
        gather([both], config=AuditConfig(by="fold"))


def test_what_is_left_out_is_on_no_side() -> None:
    assert not is_divided(
        gather([table("a", "b", "c", split=["train", "excluded", -1])]).table
    )
    assert is_divided(
        gather([table("a", "b", "c", split=["train", "excluded", "val"])]).table
    )


def test_folds_of_a_csv_divide_it_whatever_they_are_called(tmp_path: Path) -> None:
    for name in ("fold", "kfold"):
        (tmp_path / "t.csv").write_text(f"image,target,{name}\na,0,0\nb,1,1\n")
        found = gather([tmp_path / "t.csv"]).table
        assert found["side"].tolist() == ["0", "1"]
    (tmp_path / "t.csv").write_text("image,target,fold\na,0,0\nb,1,1\n")
    assert gather([tmp_path / "t.csv"], config=AuditConfig(by="fold")).table[
        "side"
    ].tolist() == [
        "0",
        "1",
    ]


def test_the_data_sets_that_a_csv_names_are_kept(tmp_path: Path) -> None:
    lines = "image,target,patient_id,dataset\na,0,7,A\nb,1,7,B\n"
    (tmp_path / "t.csv").write_text(lines)
    assert gather([tmp_path / "t.csv"]).table["dataset"].tolist() == ["A", "B"]


def test_unrelated_csvs_of_one_folder_are_two_data_sets(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.csv").write_text("image,patient_id,target\na,7,1\nb,8,0\n")
    found = gather([tmp_path / "one.csv", tmp_path / "two.csv"]).table
    assert found["dataset"].tolist() == ["one", "one", "two", "two"]
    assert found["image_id"].tolist() == ["one:a", "one:b", "two:a", "two:b"]


def test_ids_of_the_isic_archive_are_known_whatever_stands_in_front() -> None:
    whole, part = table("ISIC_0000001", dataset="x"), table("ISIC_0000001", dataset="x")
    found = gather([whole, table("ISIC_0000001", dataset="y")], test=part).table
    assert found["isic_id"].tolist() == ["ISIC_0000001"] * 3
    assert found["image_id"].is_unique


def test_csv_tables_of_one_folder_count_their_patients_together(tmp_path: Path) -> None:
    for name in ("train", "test"):
        lines = f"image,patient_id,target,camera\n{name}-1,7,1,X\n{name}-2,8,0,Y\n"
        (tmp_path / f"{name}.csv").write_text(lines)
    found = gather([tmp_path / "train.csv"], test=tmp_path / "test.csv").table
    assert found["dataset"].unique().tolist() == [tmp_path.name]
    assert found["camera"].tolist() == ["X", "Y", "X", "Y"]
    assert "target" not in found, "the label itself is no column that gives it away"
    assert found["table"].tolist() == ["train", "train", "test", "test"]


def test_a_csv_keeps_the_sizes_that_it_states(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("image,target,width,height\na,0,600,450\nb,1,,\n")
    found = gather([tmp_path / "t.csv"]).table
    assert found["width"].fillna(0).tolist() == [600, 0]


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ConfigError, match="no table to audit"):
        gather([])
    with pytest.raises(ConfigError, match="only a test set"):
        gather([], test=table("a"))
    with pytest.raises(ConfigError, match="both say"):
        gather([table("a")], test=table("b"), config=AuditConfig(by="part"))


def photographs(folder: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 40), (200, 150, 10 * number)).save(folder / name)
    return folder


def test_photographs_without_a_table_are_called_by_their_files(tmp_path: Path) -> None:
    read = gather([photographs(tmp_path / "mine", "a.jpg", "b.PNG", "deeper/c.jpg")])
    found = read.table
    assert found["image_id"].tolist() == ["a", "b", "c"]
    assert found["path"].notna().all()
    assert found["dataset"].tolist() == ["mine"] * 3
    assert found["melanoma"].isna().all()
    assert "holds no table that we know: 3 images" in read.notes[0]


def test_folders_that_are_no_classes_are_photographs(tmp_path: Path) -> None:
    found = gather([photographs(tmp_path / "years", "2020/a.jpg", "2021/a.jpg")]).table
    assert found["image_id"].tolist() == ["2020/a", "2021/a"]
    assert found["melanoma"].isna().all()


def test_folders_that_are_classes_still_tell_the_label(tmp_path: Path) -> None:
    found = gather([photographs(tmp_path / "two", "melanoma/a.jpg", "nevus/b.jpg")]).table
    assert found["melanoma"].tolist() == [True, False]


def test_a_folder_of_nothing_and_one_of_several_tables_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetNotFoundError, match=r"no table and no image\. Give a table"):
        gather([tmp_path / "empty"])
    photographs(tmp_path / "several", "a.jpg")
    for name in ("one.csv", "two.csv"):
        (tmp_path / "several" / name).write_text("image,target\na,1\n")
    with pytest.raises(DatasetError, match="give the path of one table"):
        gather([tmp_path / "several"])


def test_ids_keep_their_leading_zeros(tmp_path: Path) -> None:
    lines = "image_id,patient_id,lesion_id,target\n00001,007,0010,0\n00002,007,0011,1\n"
    (tmp_path / "t.csv").write_text(lines)
    found = gather([tmp_path / "t.csv"]).table
    assert found["image_id"].tolist() == ["00001", "00002"]
    assert found["patient_id"].tolist() == ["007", "007"]
    assert found["lesion_id"].tolist() == ["0010", "0011"]


def test_images_and_columns_of_a_csv_may_be_named(tmp_path: Path) -> None:
    photographs(tmp_path / "elsewhere", "a.jpg", "b.jpg")
    (tmp_path / "tables").mkdir()
    path = tmp_path / "tables" / "t.csv"
    path.write_text("image,befund\na,1\nb,0\n")
    assert gather([path]).table["path"].isna().all()
    asked = AuditConfig(images=tmp_path / "elsewhere", columns={"melanoma": "befund"})
    found = gather([path], config=asked).table
    assert [Path(each).name for each in found["path"]] == ["a.jpg", "b.jpg"]
    assert found["melanoma"].tolist() == [True, False]
    assert "befund" not in found
    with pytest.raises(ConfigError, match="as they are"):
        gather([table("a")], config=asked)
