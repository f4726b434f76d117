from __future__ import annotations

import zipfile
from pathlib import Path

import pandas as pd
import pytest

from lentigo.curation import SplitPlan, split_table, write_split
from lentigo.curation.splits.check import SplitCheck, check_split_files
from lentigo.errors import ColumnError, DatasetError, LeakError
from lentigo.tables import check_table, write_table
from tests.pictures import draw


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def crossing(found: SplitCheck) -> list[tuple[str, ...]]:
    return [tuple(map(str, row)) for row in found.crossing.itertuples(index=False)]


def test_a_column_of_folds_without_a_leak(tmp_path: Path) -> None:
    text = "image,patient,fold\na,p,0\nb,p,0\nc,q,1\n"
    found = check_split_files([written(tmp_path / "folds.csv", text)])
    assert not found.leaks
    found.refuse()
    assert found.parts == {"0": 2, "1": 1}
    assert found.checked == ["patients (2 ids)"]
    assert found.unchecked == [
        "lesions of any image (no id is known: --table)",
        "identical files of any image (no file or hash is there)",
        "near-duplicates (--duplicates find, or a file of pairs)",
    ]


def test_a_column_of_folds_that_leaks(tmp_path: Path) -> None:
    text = "image,patient,fold\na,p,0\nb,p,1\nc,q,1\n"
    found = check_split_files([written(tmp_path / "folds.csv", text)])
    assert crossing(found) == [("a", "b", "0", "1", "same patient p")]
    with pytest.raises(LeakError, match=r"1 pair of images .* \(same patient p\)\. See"):
        found.refuse(advice="See.")
    said = found.as_dict()
    assert (said["leaks"], said["kinds"]) == (True, {"same patient": 1})
    assert said["pairs"][0]["why"] == "same patient p"


def test_one_file_a_part(tmp_path: Path) -> None:
    train = written(tmp_path / "train.csv", "image,lesion_id\na,L\nb,M\n")
    test = written(tmp_path / "test.csv", "image,lesion_id\nc,L\nb,M\n")
    found = check_split_files([train, test])
    assert found.parts == {"train": 2, "test": 2}
    assert crossing(found) == [
        ("b", "b", "train", "test", "same image b"),
        ("a", "c", "train", "test", "same lesion L"),
    ]


def test_files_called_alike_in_two_folders_are_two_images(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    draw(folder, 2)
    one, two = sorted(folder.iterdir())
    for name, source in (("train/1.jpg", one), ("test/1.jpg", two)):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(source.read_bytes())
    text = "file,split\ntrain/1.jpg,train\ntest/1.jpg,test\n"
    split = written(tmp_path / "split.csv", text)
    found = check_split_files([split])
    assert not found.leaks
    assert "identical files (2 hashes)" in found.checked
    (tmp_path / "test/1.jpg").write_bytes(one.read_bytes())
    assert crossing(check_split_files([split])) == [
        ("train/1", "test/1", "train", "test", "identical file")
    ]


def test_patients_that_only_a_table_knows(tmp_path: Path) -> None:
    split = written(tmp_path / "folds.csv", "image,fold\na.jpg,0\nb.jpg,1\nc.jpg,1\n")
    known = written(tmp_path / "clinic.csv", "image,patient\na,p\nb,p\nz,q\n")
    found = check_split_files([split], table=known)
    assert crossing(found) == [("a", "b", "0", "1", "same patient p")]
    assert "patients of 1 image (no id is known: --table)" in found.unchecked
    assert "1 image of the split not in the table: c." in found.notes


def test_a_table_ties_through_images_that_are_not_in_the_split(tmp_path: Path) -> None:
    split = written(tmp_path / "folds.csv", "image,fold\na,0\nb,1\n")
    # a and z are one patient, z and b one lesion.
    text = "image,patient,lesion\na,p,\nz,p,L\nb,,L\n"
    found = check_split_files([split], table=written(tmp_path / "clinic.csv", text))
    assert found.leaks
    assert [row[:4] for row in crossing(found)] == [("a", "b", "0", "1")]


def test_a_combined_table_knows_the_image_behind_its_data_set(tmp_path: Path) -> None:
    text = "image_id,dataset,fold\n1,x,0\n1,y,1\n2,x,1\n"
    split = written(tmp_path / "folds.csv", text)
    table = check_table(
        pd.DataFrame(
            {
                "image_id": ["x:1", "y:1", "x:2"],
                "dataset": ["x", "y", "x"],
                "patient_id": ["p", "p", "p"],
            }
        ),
        source="test",
    )
    found = check_split_files([split], table=table)
    assert ("1", "2", "0", "1", "same patient p") in crossing(found)


def test_a_table_of_other_images_is_refused(tmp_path: Path) -> None:
    split = written(tmp_path / "folds.csv", "image,fold\na,0\nb,1\n")
    known = written(tmp_path / "clinic.csv", "image,patient\ny,p\nz,p\n")
    with pytest.raises(
        DatasetError, match=r"none of the 2 images .* \(a, b\); it has y, z"
    ):
        check_split_files([split], table=known)


def test_pairs_from_a_file_are_looked_at(tmp_path: Path) -> None:
    split = written(tmp_path / "folds.csv", "image,fold\na,0\nb,1\nc,1\n")
    pairs = written(tmp_path / "pairs.csv", "a,b,kind\na,b,near-duplicate\n")
    found = check_split_files([split], duplicates=str(pairs))
    assert crossing(found) == [("a", "b", "0", "1", "near-duplicate")]
    assert found.checked == ["1 duplicate pair, given or found"]


def test_near_duplicates_are_found_in_the_images(tmp_path: Path) -> None:
    images = draw(tmp_path / "images", 3)
    first, _, third = (Path(path).name for path in images["path"])
    Path(images["path"][2]).write_bytes(Path(images["path"][0]).read_bytes())
    rows = "".join(f"images/{Path(p).name},{k % 3}\n" for k, p in enumerate(images["path"]))
    split = written(tmp_path / "folds.csv", f"file,fold\n{rows}")
    found = check_split_files([split], duplicates="find")
    assert [row[:2] for row in crossing(found)] == [(Path(first).stem, Path(third).stem)]


def ours(folder: Path, scheme: str = "grouped") -> Path:
    """A split of lentigo's own: eight images of seven lesions in two data sets."""
    table = check_table(
        pd.DataFrame(
            {
                "image_id": [f"i{k}" for k in range(8)],
                "dataset": ["x"] * 4 + ["y"] * 4,
                "melanoma": pd.array([k % 2 == 0 for k in range(8)], dtype="boolean"),
                "sha256": [f"{k % 7:064x}" for k in range(8)],
            }
        ),
        source="test",
    )
    divided = split_table(table, SplitPlan(scheme=scheme, folds=2)).table
    write_split(divided, folder / "split.csv", about={"scheme": scheme})
    return folder / "split.csv"


def test_a_split_of_our_own_passes(tmp_path: Path) -> None:
    found = check_split_files([ours(tmp_path)])
    assert not found.leaks
    assert "the groups that the file or the table names" in found.checked


def test_a_split_of_our_own_by_sources_may_have_groups_in_two_folds(tmp_path: Path) -> None:
    # i0 of x and i7 of y are one file: one is left out when the other is tested.
    path = ours(tmp_path, "leave-one-source-out")
    assert not check_split_files([path]).leaks
    path.with_suffix(".json").unlink()
    assert crossing(check_split_files([path])) == [("i0", "i7", "0", "1", "identical file")]


@pytest.mark.parametrize("scheme", ["grouped", "leave-one-source-out"])
def test_a_split_of_our_own_that_somebody_edited_is_refused(
    tmp_path: Path, scheme: str
) -> None:
    path = ours(tmp_path, scheme)
    rows = pd.read_csv(path, dtype="string")
    rows.loc[1, "fold"] = "1" if rows.loc[1, "fold"] == "0" else "0"
    rows.to_csv(path, index=False)
    with pytest.raises(DatasetError, match="not the split that was written"):
        check_split_files([path])


def test_an_id_of_the_isic_archive_is_one_image(tmp_path: Path) -> None:
    train = written(tmp_path / "train.csv", "image\nISIC_0000001.jpg\nISIC_0000002.jpg\n")
    test = written(tmp_path / "test.csv", "image\nISIC_0000001_downsampled.jpg\n")
    assert crossing(check_split_files([train, test])) == [
        (
            "ISIC_0000001",
            "ISIC_0000001_downsampled",
            "train",
            "test",
            "same image ISIC_0000001",
        )
    ]


def test_a_column_that_is_named_wrongly_is_refused(tmp_path: Path) -> None:
    split = written(tmp_path / "folds.csv", "image,fold\na,0\nb,1\n")
    with pytest.raises(ColumnError, match="has no column kfold"):
        check_split_files([split], columns={"part": "kfold"})


def isic2017(root: Path, folder: Path, images: set[str] | None = None) -> list[Path]:
    """ISIC 2017's own split as two CSVs with paths; of all images, or of some."""
    paths = []
    for part in ("Training", "Validation"):
        truth = pd.read_csv(root / f"ISIC-2017_{part}_Part3_GroundTruth.csv")
        names = truth["image_id"]
        names = names[names.isin(images)] if images else names
        files = [root / f"ISIC-2017_{part}_Data" / f"{name}.jpg" for name in names]
        paths.append(folder / f"{part.lower()}.csv")
        pd.DataFrame({"file": files}).to_csv(paths[-1], index=False)
    return paths


def test_the_published_split_of_isic2017_leaks_one_file(
    shared: Path, tmp_path: Path
) -> None:
    found = check_split_files(isic2017(shared / "data/isic2017", tmp_path))
    assert found.parts == {"train": 2000, "validation": 150}
    # Of its 2,141 files two have the same bytes, and the other 9 images are not there.
    assert found.checked == ["identical files (2,140 hashes)"]
    assert "identical files of 9 images (no file or hash is there)" in found.unchecked
    assert crossing(found) == [
        ("ISIC_0012970", "ISIC_0012127", "train", "validation", "identical file")
    ]


def test_near_duplicates_cross_the_published_split_of_isic2017(
    shared: Path, tmp_path: Path
) -> None:
    # Three pairs that were seen, by eye, to be one picture, and two that are none.
    pairs = {
        ("ISIC_0000157", "ISIC_0014946"),
        ("ISIC_0000215", "ISIC_0015313"),
        ("ISIC_0000171", "ISIC_0015124"),
    }
    others = {"ISIC_0000000", "ISIC_0001769"}
    images = others.union(*pairs)
    paths = isic2017(shared / "data/isic2017", tmp_path, images)
    found = check_split_files(paths, duplicates="find")
    assert sum(found.parts.values()) == 8
    assert {tuple(row[:2]) for row in crossing(found)} == pairs


def test_the_published_duplicates_of_siim_are_seen_by_a_table(
    shared: Path, tmp_path: Path
) -> None:
    listed = pd.read_csv(shared / "data/siim2020/ISIC_2020_Training_Duplicates.csv")
    one, two = listed.iloc[0]
    split = written(tmp_path / "folds.csv", f"image,fold\n{one},0\n{two},1\n")
    found = check_split_files([split], table=shared / "data/siim2020")
    assert {tuple(sorted(row[:2])) for row in crossing(found)} == {
        tuple(sorted((one, two)))
    }


def test_a_lesion_table_on_disk_is_as_good_as_one_in_hand(tmp_path: Path) -> None:
    split = written(tmp_path / "folds.csv", "image,fold\na,0\nb,1\n")
    rows = {"image_id": ["a", "b"], "patient_id": ["p", "p"]}
    table = check_table(pd.DataFrame(rows), source="test")
    write_table(table, tmp_path / "known.parquet")
    in_hand = check_split_files([split], table=table)
    on_disk = check_split_files([split], table=tmp_path / "known.parquet")
    assert crossing(in_hand) == crossing(on_disk) != []


def test_a_check_of_nothing_is_no_pass(tmp_path: Path) -> None:
    split = written(tmp_path / "folds.csv", "image,patient,fold\na,unknown,0\nb,-,1\n")
    with pytest.raises(DatasetError, match=r"Nothing could be checked: .* \(--table\)"):
        check_split_files([split])
    pairs = written(tmp_path / "pairs.csv", "a,b\nb,c\n")
    assert not check_split_files([split], duplicates=str(pairs)).leaks
    # The same image on two sides is a leak, whatever else is known.
    train = written(tmp_path / "train.csv", "image\na\n")
    test = written(tmp_path / "test.csv", "image\na\n")
    assert check_split_files([train, test]).leaks


def test_patients_that_nobody_knows_are_not_one_patient(tmp_path: Path) -> None:
    words = ["unknown", "nan", "None", "N/A", "-", "?", "", "NULL"]
    rows = [
        f"{letter}{k},{word},{word},{fold}\n"
        for k, word in enumerate(words)
        for fold, letter in enumerate("ab")
    ]
    text = "image,patient,lesion_id,fold\n" + "".join(rows) + "c,p,,1\n"
    split = written(tmp_path / "folds.csv", text)
    known = written(tmp_path / "clinic.csv", text.replace("fold", "other"))
    for table in (None, known):
        found = check_split_files([split], table=table)
        assert not found.leaks
        assert found.checked[0] == "patients (1 id)"
        assert "patients of 16 images (no id is known: --table)" in found.unchecked
    lesions = check_table(pd.read_csv(split, dtype="string")[["patient", "image"]].rename(
        columns={"patient": "patient_id", "image": "image_id"}), source="test")  # fmt: skip
    write_table(lesions, tmp_path / "known.csv")
    assert not check_split_files([split], table=tmp_path / "known.csv").leaks


def test_files_in_a_zip_are_compared_and_broken_ones_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        archive.writestr("a.jpg", b"1")
        archive.writestr("b.jpg", b"1")
    rows = {
        "image_id": ["a", "b"],
        "path": [f"{tmp_path}/images.zip/{n}.jpg" for n in "ab"],
    }
    table = check_table(pd.DataFrame(rows), source="test")
    split = written(tmp_path / "folds.csv", "image,fold\na,0\nb,1\n")
    found = check_split_files([split], table=table)
    assert crossing(found) == [("a", "b", "0", "1", "identical file")]
    whole = (tmp_path / "images.zip").read_bytes()
    # The first member's only byte is no longer what its checksum says.
    (tmp_path / "broken.zip").write_bytes(whole.replace(b"a.jpg1", b"a.jpg2", 1))
    table["path"] = table["path"].str.replace("images.zip", "broken.zip")
    found = check_split_files([split], table=table)
    assert not found.leaks
    assert "1 file could not be read, so not be compared: " in found.notes[-1]
    assert found.notes[-1].endswith("broken.zip/a.jpg.")


def test_a_patient_whose_number_grew_a_point_is_one_patient(tmp_path: Path) -> None:
    train, test = tmp_path / "train.csv", tmp_path / "test.csv"
    train.write_text("image,patient_id\na,7\nb,8\n")
    test.write_text("image,patient_id\nc,7.0\nd,\ne,12.0\n")
    found = check_split_files([train, test])
    assert found.crossing[["a", "b", "why"]].to_numpy().tolist() == [
        ["a", "c", "same patient 7"]
    ]


def test_ids_that_differ_in_spelling_only_are_told(tmp_path: Path) -> None:
    path = tmp_path / "folds.csv"
    path.write_text("image,patient_id,fold\na,P1,0\nb,p1,1\n")
    found = check_split_files([path])
    assert not found.leaks
    assert any("(P1 (1) and p1 (1))" in note for note in found.notes)


def test_groups_of_our_own_making_are_not_told_as_checked(tmp_path: Path) -> None:
    path = tmp_path / "folds.csv"
    path.write_text("image,fold\na,0\nb,1\n")
    table = tmp_path / "t.csv"
    table.write_text("image,patient_id\na,P1\nb,P2\n")
    assert not [
        each for each in check_split_files([path], table=table).checked if "groups" in each
    ]
    table.write_text("image,patient_id,group_id\na,P1,g1\nb,P2,g2\n")
    assert [
        each for each in check_split_files([path], table=table).checked if "groups" in each
    ]
