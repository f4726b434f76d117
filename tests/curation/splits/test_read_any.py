from __future__ import annotations

from pathlib import Path

import pytest

from lentigo.curation.splits.read_any import guess_part, read_partition, read_to_split
from lentigo.datasets import read_table
from lentigo.datasets.reading.files import read_columns
from lentigo.errors import ColumnError, DatasetError, DatasetNotFoundError
from lentigo.tables import write_table
from tests.fakes import fake_ham10000, fake_isic2017
from tests.pictures import draw


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "column", ["fold", "kfold", "Split", "data_split", "tfrecord", "SUBSET", "train/test"]
)
def test_the_column_of_the_part_is_guessed(tmp_path: Path, column: str) -> None:
    path = written(tmp_path / "split.csv", f"image,{column}\na,0\nb,1\n")
    rows, notes = read_partition([path])
    assert rows["part"].tolist() == ["0", "1"]
    assert notes == [f"split.csv: image_id from image, part from {column}."]


def test_a_column_that_is_empty_says_nothing(tmp_path: Path) -> None:
    # Our own manifests have a role beside the fold, empty where folds were dealt.
    path = written(tmp_path / "split.csv", "image_id,role,fold\na,,0\nb,,1\n")
    assert guess_part(read_columns(path)) == "fold"


def test_a_part_may_be_named(tmp_path: Path) -> None:
    path = written(tmp_path / "split.csv", "image,fold,mine\na,0,train\nb,0,test\n")
    rows, notes = read_partition([path], columns={"part": "mine"})
    assert rows["part"].tolist() == ["train", "test"]
    assert notes == ["split.csv: image_id from image, part from mine."]


def test_of_several_files_each_is_a_part_called_after_its_name(tmp_path: Path) -> None:
    paths = [
        written(tmp_path / name, f"image\n{image}\n")
        for name, image in (("my_train.csv", "a"), ("val-2.csv", "b"), ("spring.csv", "c"))
    ]
    rows, notes = read_partition(paths)
    assert rows["part"].tolist() == ["train", "validation", "spring"]
    assert notes[0] == "my_train.csv: image_id from image, part from the name of the file."


def test_images_of_two_folders_stay_two(tmp_path: Path) -> None:
    text = "file,set\ntrain/1.jpg,train\ntest/1.jpg,test\n./val/2.png,val\n"
    rows, _ = read_partition([written(tmp_path / "split.csv", text)])
    assert rows["image_id"].tolist() == ["train/1", "test/1", "2"]
    assert rows["listed"].tolist() == ["train/1", "test/1", "val/2"]


def test_ids_hashes_and_files_are_taken_over(tmp_path: Path) -> None:
    draw(tmp_path / "images", 1)
    name = next((tmp_path / "images").iterdir()).name
    text = (
        "image,fold,patient,lesion_id,sha256\n"
        f"images/{name},0, p ,L,{'A' * 64}\n"
        "gone.jpg,1,q,,no hash\n"
    )
    rows, _ = read_partition([written(tmp_path / "split.csv", text)])
    assert rows["patient_id"].tolist() == ["p", "q"]
    assert rows["lesion_id"].isna().tolist() == [False, True]
    assert rows["sha256"].isna().tolist() == [False, True]
    assert rows["sha256"][0] == "a" * 64
    assert rows["path"].isna().tolist() == [False, True]
    assert Path(rows["path"][0]).is_file()


def test_ids_of_the_isic_archive_are_recognised(tmp_path: Path) -> None:
    text = "image,fold\nISIC_0000001_downsampled.jpg,0\nmine_2.jpg,1\n"
    rows, _ = read_partition([written(tmp_path / "split.csv", text)])
    assert rows["isic_id"].tolist()[0] == "ISIC_0000001"
    assert rows["isic_id"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("colour,fold\nred,0\n", ColumnError, "no column that looks like the name of an"),
        ("image,colour\na,red\n", ColumnError, "no column that looks like the part of"),
        ("image,fold\na,0\n,1\n", ColumnError, "does not name the image in line 3"),
        ("image,fold\na,0\nb,0\n", DatasetError, r"only one part \(0\)"),
        ("image,fold\na,\nb,\n", ColumnError, "no column that looks like the part of"),
        ("image,fold\n", DatasetError, "split.csv has no rows"),
        ("", DatasetError, "is empty"),
    ],
)
def test_what_is_no_split_is_refused(
    tmp_path: Path, text: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        read_partition([written(tmp_path / "split.csv", text)])


def test_a_named_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "split.csv", "image,kfold\na,0\nb,1\n")
    with pytest.raises(ColumnError, match=r"has no column kfolds. Did you mean kfold"):
        read_partition([path], columns={"part": "kfolds"})
    with pytest.raises(DatasetNotFoundError, match=r"gone.csv does not exist"):
        read_partition([tmp_path / "gone.csv"])


def test_images_without_a_part_are_told(tmp_path: Path) -> None:
    path = written(tmp_path / "split.csv", "image,fold\na,0\nb,1\nc,\n")
    _, notes = read_partition([path])
    assert notes[-1] == "1 image without a part, so on no side."


def test_a_csv_to_be_split_keeps_its_dates_parts_and_ids(tmp_path: Path) -> None:
    text = "image,patient,target,taken,Split\n007,1,1,2019-05-31,train\n008,2,0,2020,test\n"
    table = read_to_split(written(tmp_path / "clinic.csv", text)).table
    assert table["image_id"].tolist() == ["007", "008"]
    assert table["taken"].tolist() == ["2019-05-31", "2020"]
    assert table["part"].tolist() == ["train", "test"]
    assert table["dataset"].tolist() == ["clinic", "clinic"]


def test_a_csv_may_name_the_data_set_and_the_part(tmp_path: Path) -> None:
    text = "image,target,dataset,hospital,phase2\na,1,x,north,train\nb,0,y,south,test\n"
    path = written(tmp_path / "clinic.csv", text)
    assert read_to_split(path).table["dataset"].tolist() == ["x", "y"]
    named = read_to_split(path, columns={"dataset": "hospital", "part": "phase2"}).table
    assert named["dataset"].tolist() == ["north", "south"]
    assert named["part"].tolist() == ["train", "test"]
    with pytest.raises(ColumnError, match=r"has no column phase3. Did you mean phase2"):
        read_to_split(path, columns={"part": "phase3"})


def test_an_archive_and_its_lesion_table_are_read_alike(tmp_path: Path) -> None:
    archive = fake_ham10000(tmp_path / "ham")
    write_table(read_table("ham10000", archive), tmp_path / "ham.parquet")
    from_folder, from_table = (
        read_to_split(path).table for path in (archive, tmp_path / "ham.parquet")
    )
    columns = ["image_id", "lesion_id", "melanoma", "dataset"]
    assert from_folder[columns].equals(from_table[columns])


def test_an_archive_brings_its_parts(tmp_path: Path) -> None:
    table = read_to_split(fake_isic2017(tmp_path / "isic2017")).table
    assert set(table["part"]) == {"training", "validation"}


def test_a_csv_may_bring_groups(tmp_path: Path) -> None:
    text = "image,target,group_id,cluster\na,1,g,1\nb,0,g,2\n"
    path = written(tmp_path / "clinic.csv", text)
    assert read_to_split(path).table["group_id"].tolist() == ["g", "g"]
    named = read_to_split(path, columns={"group_id": "cluster"}).table
    assert named["group_id"].tolist() == ["1", "2"]
