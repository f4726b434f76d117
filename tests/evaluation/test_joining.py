from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lentigo.errors import ColumnError, DatasetError, DatasetNotFoundError
from lentigo.evaluation.joining import LABEL, match, read_predictions

TRUTH = pd.DataFrame({"image_name": ["a", "b", "c", "d"], "target": [1, 0, 0, 1]})


def predictions(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(
        {"image_id": ["a", "b", "c", "d"], "probability": [0.9, 0.1, 0.2, 0.8]} | columns
    )


def test_images_are_matched_by_id_whatever_their_order_folder_and_ending() -> None:
    shuffled = predictions(image_id=["x/c.jpg", "d.PNG", "a", "b.jpeg"])
    table = match(shuffled, TRUTH).table
    assert table["image_id"].tolist() == ["a", "b", "c", "d"]
    assert table["probability"].tolist() == [0.2, 0.8, 0.9, 0.1]
    assert table[LABEL].tolist() == [True, False, False, True]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["image_id", "probability"], "probability"),
        (["image_name", "target"], "target"),
        (["image", "AK", "MEL", "NV"], "MEL"),
        (["image_id", "group_id", "target", "prediction"], "prediction"),
        (["isic_id", "Score"], "Score"),
    ],
)
def test_the_probability_column_is_guessed(columns: list[str], expected: str) -> None:
    values = {name: [index / 10] for index, name in enumerate(columns)} | {
        columns[0]: ["a"]
    }
    table, notes = read_predictions(pd.DataFrame(values))
    assert table["probability"].tolist() == [columns.index(expected) / 10]
    guessed = expected != "probability"
    assert len(notes) == guessed
    assert all(f"read from {expected}." in note for note in notes)


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        (pd.DataFrame({"image_id": ["a"], "foo": [1.0]}), "probability of melanoma"),
        (pd.DataFrame({"foo": ["a"], "probability": [1.0]}), "image ids"),
        (pd.DataFrame({"image_id": ["a", "a"], "probability": [1.0, 0.0]}), "twice: a"),
        (pd.DataFrame({"image_id": ["a", None], "probability": [1.0, 0.0]}), "line 3"),
        (
            pd.DataFrame({"image_id": ["a"], "probability": [1.5]}),
            r"but 1 does not \(1\.5\)",
        ),
        (pd.DataFrame({"image_id": ["a"], "probability": ["high"]}), "number"),
    ],
)
def test_predictions_that_cannot_be_judged_are_refused(
    table: pd.DataFrame, complaint: str
) -> None:
    with pytest.raises(ColumnError, match=complaint):
        read_predictions(table)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match=r"nothing\.csv"):
        match(tmp_path / "nothing.csv", TRUTH)


def test_rows_in_one_order_are_joined_as_those_in_any_other() -> None:
    mixed = TRUTH.sample(frac=1, random_state=1)
    assert list(mixed.iloc[:, 0]) != list(TRUTH.iloc[:, 0])
    one, other = match(predictions(), TRUTH), match(predictions(), mixed)
    pd.testing.assert_frame_equal(one.table, other.table)
    assert (one.named, one.left_out) == (other.named, other.left_out)


def test_what_does_not_match_is_counted_and_named() -> None:
    extra = pd.concat(
        [predictions(), pd.DataFrame({"image_id": ["z"], "probability": [0.5]})]
    )
    matched = match(
        extra, pd.concat([TRUTH, pd.DataFrame({"image_name": ["q"], "target": [0]})])
    )
    notes = " ".join(matched.notes)
    assert "1 of 5 predictions are left out, having no row in the truth: z." in notes
    assert "1 of 5 rows of the truth are left out, having no prediction: q." in notes
    assert len(matched.table) == 4


def test_what_is_left_out_is_counted_by_its_reason() -> None:
    given = predictions(probability=[None, 0.1, 0.2, 0.8])
    extra = pd.concat([given, pd.DataFrame({"image_id": ["z"], "probability": [0.5]})])
    matched = match(extra, TRUTH.assign(target=[1, 0, np.nan, 1]))
    assert matched.named == 5
    assert matched.left_out == {
        "without a row in the truth": 1,
        "without a label": 1,
        "without a probability": 1,
    }


def test_images_without_label_or_probability_are_counted_and_named() -> None:
    truth = TRUTH.assign(target=[1, 0, np.nan, 1])
    matched = match(predictions(probability=[None, 0.1, 0.2, 0.8]), truth)
    notes = " ".join(matched.notes)
    assert "1 of 4 images left out for want of a label: c." in notes
    assert "1 of 3 images left out for want of a probability: a." in notes
    assert matched.table["image_id"].tolist() == ["b", "d"]


def test_tables_without_a_common_image_are_refused_with_examples() -> None:
    with pytest.raises(DatasetError, match="name a, b and 2 more; the truth names p, q"):
        match(predictions(), pd.DataFrame({"image_id": ["p", "q"], "target": [0, 1]}))


def test_predictions_without_rows_are_refused_by_their_name(tmp_path: Path) -> None:
    predictions().head(0).to_csv(path := tmp_path / "b.csv", index=False)
    with pytest.raises(DatasetError, match=r"b\.csv has no rows"):
        match(path, TRUTH)


def test_nothing_left_to_judge_is_refused() -> None:
    with pytest.raises(DatasetError, match="nothing to judge"):
        match(predictions(probability=[None] * 4), TRUTH)


def test_one_table_may_be_both_predictions_and_truth() -> None:
    both = (
        predictions()
        .rename(columns={"probability": "prediction"})
        .assign(target=[1, 0, 0, 1])
    )
    table = match(both, both).table
    assert table["probability"].tolist() == [0.9, 0.1, 0.2, 0.8]
    assert table[LABEL].tolist() == [True, False, False, True]


def test_labels_that_pose_as_probabilities_are_told(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    TRUTH.assign(other=TRUTH["target"]).to_csv(path, index=False)
    same = "The probabilities are the labels themselves"
    for score in ("target", "other"):
        assert same in match(path, path, columns={"probability": score}).notes[-1]
    assert same in match(TRUTH.copy(), TRUTH).notes[-1]
    perfect = predictions(probability=TRUTH["target"])
    honest = predictions().merge(TRUTH, left_on="image_id", right_on="image_name")
    for table in (perfect, honest):
        assert same not in " ".join(match(table, TRUTH).notes)


def test_predictions_without_a_row_are_no_mismatch_of_names() -> None:
    with pytest.raises(DatasetError, match="has no rows"):
        match(predictions().iloc[:0], TRUTH)


def test_image_ids_may_be_the_index_of_a_frame() -> None:
    table = match(predictions().set_index("image_id"), TRUTH.set_index("image_name")).table
    assert table["probability"].tolist() == [0.9, 0.1, 0.2, 0.8]


@pytest.mark.parametrize("table", [pd.DataFrame(), predictions().drop(columns="image_id")])
def test_a_frame_without_image_ids_is_called_by_what_it_is(table: pd.DataFrame) -> None:
    with pytest.raises(
        ColumnError, match=r"^the prediction table has no column .* It has "
    ):
        match(table, TRUTH)
    with pytest.raises(ColumnError, match=r"^the truth has no "):
        match(predictions(), table)
