"""What is measured of the images of a table: each row its own, and black is not missing."""

from __future__ import annotations

from pathlib import Path

from lentigo.audit.checks.picture_findings import quality_findings
from lentigo.audit.look import measured
from tests.audit.audit_fakes import store_of, table_of


def test_a_black_file_is_no_picture_and_a_missing_one_is_missing(tmp_path: Path) -> None:
    table, store = store_of(
        table_of(["none", "black", "white"]),
        {"black": (0, 0, 0), "white": (255, 255, 255)},
        tmp_path,
    )
    measures = measured(table, store, workers=1)
    assert measures["image_id"].tolist() == ["none", "black", "white"]
    assert measures["contrast"].isna().tolist() == [True, False, False]
    assert measures["brightness"].tolist()[1:] == [0.0, 1.0]
    found = {each.check: each.rows for each in quality_findings(table, measures)}
    assert found["no-picture"]["image_id"].tolist() == ["black", "white"]
    assert found["badly-exposed"]["image_id"].tolist() == ["black", "white"]
