from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from lentigo.curation.groups import assign_groups
from lentigo.datasets import combine, combined, read_archive, read_table
from lentigo.errors import ColumnError, ConfigError
from lentigo.tables import NotedTable, check_table
from tests.fakes import fake_ham10000, fake_isic2019, fake_siim2020


def small(dataset: str, images: list[str], **columns: list[str | None]) -> pd.DataFrame:
    table = pd.DataFrame({"image_id": images, "dataset": dataset, **columns})
    return check_table(table, source=dataset)


def test_each_row_stays_and_says_where_it_is_from() -> None:
    table = combine([small("a", ["1", "2"]), small("b", ["1"])])
    assert table["image_id"].tolist() == ["a:1", "a:2", "b:1"]
    assert table["dataset"].tolist() == ["a", "a", "b"]
    assert assign_groups(table)["group_id"].nunique() == 3


def test_an_image_of_the_isic_archive_is_one_group_in_all_its_data_sets() -> None:
    read = combined.combine(
        [
            small("isic2017", ["ISIC_0000001", "ISIC_0000017"]),
            small("isic2019", ["ISIC_0000017_downsampled", "ISIC_0000099"]),
        ]
    )
    table = read.table
    assert table["isic_id"].tolist() == [
        "ISIC_0000001", "ISIC_0000017", "ISIC_0000017", "ISIC_0000099"
    ]  # fmt: skip
    groups = assign_groups(table)["group_id"].tolist()
    assert groups[1] == groups[2]
    assert len(set(groups)) == 3
    assert list(read.notes) == [
        "1 image of the ISIC archive stands in several of the data sets isic2017, "
        "isic2019: each keeps its rows, which share a group."
    ]


def test_labels_of_a_shared_image_that_contradict_are_told() -> None:
    def labelled(name: str, melanoma: list[bool]) -> pd.DataFrame:
        images = ["ISIC_0000001", "ISIC_0000017"]
        return small(name, images).assign(melanoma=pd.array(melanoma, dtype="boolean"))

    one, other = labelled("k1", [True, False]), labelled("k2", [False, False])
    note = combined.combine([one, other]).notes[-1]
    assert "their labels contradict for 1, melanoma in one data set and not" in note
    assert "another: ISIC_0000001." in note
    assert (
        "contradict" not in combined.combine([one, labelled("k2", [True, False])]).notes[-1]
    )


def test_patients_of_the_archive_are_the_same_and_others_are_not() -> None:
    table = combine(
        [
            small("siim2020", ["a", "b"], patient_id=["IP_0000001", "7"]),
            small("isic_archive", ["c", "d"], patient_id=["IP_0000001", "7"]),
            small("bcn20000", ["e"], lesion_id=["BCN_0000001"]),
            small("isic2019", ["f"], lesion_id=["BCN_0000001"]),
        ]
    )
    groups = assign_groups(table)["group_id"].tolist()
    assert groups[0] == groups[2]
    assert groups[1] != groups[3]
    assert groups[4] == groups[5]


def test_published_duplicates_and_folds() -> None:
    first = small("a", ["1", "2"], duplicate_of=[None, "1"]).assign(fold=0)
    table = combine([first, small("b", ["1"]).assign(fold=1)])
    assert table["duplicate_of"].fillna("-").tolist() == ["-", "a:1", "-"]
    assert table["fold"].isna().all()
    groups = assign_groups(table)["group_id"].tolist()
    assert groups[0] == groups[1] != groups[2]


def test_what_was_combined_can_be_combined_again() -> None:
    once = combine([small("a", ["1"]), small("b", ["ISIC_0000001"])])
    again = combine([once, small("c", ["ISIC_0000001"])])
    assert again["image_id"].tolist() == ["a:1", "b:ISIC_0000001", "c:ISIC_0000001"]
    assert again["isic_id"].fillna("-").tolist() == ["-", "ISIC_0000001", "ISIC_0000001"]


def test_archives_that_were_read_keep_their_notes(tmp_path: Path) -> None:
    tables = [
        read_archive("ham10000", fake_ham10000(tmp_path / "a")),
        read_archive("isic2019", fake_isic2019(tmp_path / "b")),
        read_archive("siim2020", fake_siim2020(tmp_path / "c", images=None)),
    ]
    read = combined.combine(tables)
    table = read.table
    assert len(table) == sum(len(each.table) for each in tables)
    notes = " ".join(read.notes)
    assert "images without a file" in notes
    assert "1 image of the ISIC archive" in notes  # ISIC_0024306
    grouped = assign_groups(table).set_index("image_id")["group_id"]
    assert grouped["ham10000:ISIC_0024307"] == grouped["isic2019:ISIC_0024306"]


def test_ham10000_and_isic2017_lie_within_isic2019(shared: Path) -> None:
    names = ("ham10000", "isic2017", "isic2019")
    read = combined.combine([read_table(name, shared / "data" / name) for name in names])
    table = read.table
    by_archive = {name: table[table["dataset"] == name] for name in names}
    outer = by_archive["isic2019"].set_index("isic_id")["melanoma"]
    for name, count in (("ham10000", 8_013), ("isic2017", 2_150)):
        inner = by_archive[name].set_index("isic_id")["melanoma"]
        assert int(inner.index.isin(outer.index).sum()) == count
        assert (inner == outer[inner.index]).all()
    assert read.notes[-1].startswith("10,163 images of the ISIC archive stand in")
    groups = assign_groups(table).groupby("isic_id")["group_id"].nunique()
    assert groups.value_counts().to_dict() == {1: len(groups)}


def test_beside_others_a_note_says_whose_it_is() -> None:
    a, b = NotedTable(small("a", ["1"]), ("No image.",)), NotedTable(small("b", ["1"]), ())
    assert combined.combine([a, b]).notes == ("a: No image.",)
    assert combined.combine([a]).notes == ("No image.",)
    told = NotedTable(small("c", ["1"]), ("c has no file.",))
    assert combined.combine([told, b]).notes == ("c has no file.",)


def test_what_cannot_be_combined() -> None:
    with pytest.raises(ConfigError, match="no table to combine"):
        combine([])
    with pytest.raises(ColumnError, match="1 image of the same data set"):
        combine([small("a", ["1"]), small("a", ["1", "2"])])
    with pytest.raises(ColumnError, match="without a data set"):
        combine([small("a", ["1"]).assign(dataset=None)])


def test_groups_of_several_tables_are_told_apart_and_keep_what_they_tie() -> None:
    first = small("a", ["1", "2", "3"], group_id=["g", "g", None])
    table = combine([first, small("b", ["1"], group_id=["g"])])
    assert table["group_id"].fillna("-").tolist() == ["a:g", "a:g", "-", "b:g"]
    # As of an audit over several data sets, whose groups go across them.
    audited = combine([table.assign(group_id=["g", "h", "h", "g"])])
    assert audited["group_id"].tolist() == ["a+b:g", "a:h", "a:h", "a+b:g"]
    again = combine([audited, small("c", ["1"], group_id=["g"])])
    assert again["group_id"].tolist() == ["a+b:g", "a:h", "a:h", "a+b:g", "c:g"]
