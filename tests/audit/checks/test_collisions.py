from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lentigo.audit.checks.collisions import collisions
from lentigo.audit.checks.finding import Finding
from lentigo.curation import assign_groups
from lentigo.datasets.archives import ham10000, isic2017, isic2019
from lentigo.datasets.combined import combine
from lentigo.errors import ColumnError
from lentigo.tables import check_table


def archive(name: str, ids: list[str], **columns: list[Any]) -> pd.DataFrame:
    frame = pd.DataFrame({"image_id": ids, "dataset": name, **columns})
    return check_table(frame, source="test")


def found(*tables: pd.DataFrame) -> dict[str, Finding]:
    return {finding.check: finding for finding in collisions(tables)}


def test_one_archive_alone_has_no_collision() -> None:
    assert collisions(archive("x", ["ISIC_0000001", "b"], patient_id=["1", "1"])) == []
    assert collisions([]) == []


def test_isic_ids_mean_one_picture() -> None:
    first = archive("x", ["ISIC_0000001", "ISIC_0000002"], melanoma=[True, None])
    second = archive(
        "y", ["ISIC_0000001_downsampled", "ISIC_0000002"], melanoma=[True, False]
    )
    findings = found(first, second)
    assert set(findings) == {"shared-images"}
    assert findings["shared-images"].severity == "note"
    message = findings["shared-images"].message
    assert message.startswith("2 images of x and y are the same pictures by their ids; 1 ")
    assert "1 of these agree on melanoma" in message
    assert findings["shared-images"].rows["id"].tolist() == ["ISIC_0000001", "ISIC_0000002"]


def test_a_shared_picture_with_two_labels_is_refused() -> None:
    ids = ["ISIC_0000001", "ISIC_0000002", "ISIC_0000003"]
    first = archive("x", ids, melanoma=[True, True, False],
                    diagnosis=["melanoma", "melanoma", "nevus"])  # fmt: skip
    second = archive("y", ids, melanoma=[False, False, False],
                     diagnosis=["nevus", "nevus", "dermatofibroma"])  # fmt: skip
    findings = found(first, second)
    labels = findings["shared-image-labels"]
    assert labels.severity == "refusal"
    assert labels.rows["id"].tolist() == ids[:2]
    assert "melanoma against nevus (2)" in labels.message
    diagnoses = findings["shared-image-diagnoses"]
    assert (diagnoses.severity, diagnoses.rows["id"].tolist()) == ("warning", ids[2:])
    assert next(iter(findings)) == "shared-image-labels"  # the gravest first


def test_facts_of_a_shared_picture_that_differ_are_noted() -> None:
    ids = ["ISIC_0000001", "ISIC_0000002"]
    first = archive("x", ids, age=[50, 50], sex=["male", None])
    second = archive("y", ids, age=[55, 60], sex=["female", "male"])
    finding = found(first, second)["shared-image-facts"]
    assert "age (1), sex (1)" in finding.message
    assert finding.rows["id"].tolist() == ids


@pytest.mark.parametrize(
    ("digests", "expected"),
    [
        (("1" * 64, "2" * 64), {"image-id-clash"}),
        ((None, None), {"image-id-clash"}),
        (("1" * 64, "1" * 64), {"shared-images"}),
    ],
)
def test_other_names_mean_two_pictures_until_the_files_are_alike(
    digests: tuple[str | None, str | None], expected: set[str]
) -> None:
    first = archive("x", ["IMG_1"], sha256=[digests[0]], width=[600])
    second = archive("y", ["IMG_1"], sha256=[digests[1]], width=[800])
    findings = found(first, second)
    assert set(findings) == expected
    if clash := findings.get("image-id-clash"):
        assert clash.severity == "warning"
        assert "width (1)" in clash.message


def test_numbers_of_the_whole_archive_are_shared_and_others_kept_apart() -> None:
    first = archive("x", ["a", "b"], patient_id=["IP_0000001", "7"],
                    lesion_id=["HAM_0000001", "1"])  # fmt: skip
    second = archive("y", ["c", "d"], patient_id=["IP_0000001", "7"],
                     lesion_id=["HAM_0000001", "1"])  # fmt: skip
    findings = found(first, second)
    assert {name: len(finding.rows) for name, finding in findings.items()} == {
        "shared-patients": 2,
        "repeated-patient-ids": 2,
        "shared-lesions": 2,
        "repeated-lesion-ids": 2,
    }
    # What is called shared here is what assign_groups joins.
    grouped = assign_groups(combine([first, second]).table).set_index("image_id")[
        "group_id"
    ]
    assert grouped["x:a"] == grouped["y:c"]
    assert grouped["x:b"] != grouped["y:d"]


@pytest.mark.parametrize("number", ["IL_0000001", "HAM_0000001", "BCN_0000001"])
def test_shared_lesions_are_those_that_groups_join(number: str) -> None:
    tables = [archive(name, ["a"], lesion_id=[number]) for name in ("x", "y")]
    assert "shared-lesions" in found(*tables)
    assert len(set(assign_groups(combine(tables).table)["group_id"])) == 1


def test_shared_images_are_those_that_groups_join() -> None:
    tables = [
        archive("x", ["ISIC_0000001"]), archive("y", ["isic_0000001_downsampled"])
    ]  # fmt: skip
    assert "shared-images" in found(*tables)
    assert len(set(assign_groups(combine(tables).table)["group_id"])) == 1


def test_a_shared_patient_of_two_sexes_is_a_clash() -> None:
    first = archive("x", ["a"], patient_id=["IP_0000001"], sex=["male"])
    second = archive("y", ["b"], patient_id=["IP_0000001"], sex=["female"])
    finding = found(first, second)["patient-id-clash"]
    assert (finding.severity, len(finding.rows)) == ("warning", 2)


def test_a_combined_table_says_the_same() -> None:
    tables = [
        archive("x", ["ISIC_0000001", "q"], melanoma=[True, False]),
        archive("y", ["ISIC_0000001", "q"], melanoma=[False, False]),
    ]
    apart, together = collisions(tables), collisions(combine(tables).table)
    assert [f.message for f in apart] == [f.message for f in together]


def test_an_image_without_a_data_set_is_refused() -> None:
    frame = archive("x", ["a", "b"])
    frame.loc[0, "dataset"] = pd.NA
    with pytest.raises(ColumnError, match="no data set"):
        collisions(frame)


def test_real_archives_share_their_pictures(shared: Path) -> None:
    data = shared / "data"
    tables = [
        ham10000.read(data / "ham10000").table,
        isic2017.read(data / "isic2017").table,
        isic2019.read(data / "isic2019").table,
    ]
    findings = found(*tables)
    assert set(findings) == {"shared-images", "shared-lesions"}
    rows = findings["shared-images"].rows
    assert rows.groupby(["dataset_a", "dataset_b"]).size().to_dict() == {
        ("ham10000", "isic2019"): 8013,
        ("isic2017", "isic2019"): 2150,
    }
    assert (rows["melanoma_a"] == rows["melanoma_b"]).all()
    assert findings["shared-lesions"].rows["lesion_id"].nunique() == 5976
