"""Data that look right as a whole, and are wrong in a part: it is said, or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lentigo.errors import ColumnError
from lentigo.evaluation import compare_models, evaluate
from lentigo.evaluation.headline import upside_down_within
from lentigo.evaluation.official import official_scores
from lentigo.evaluation.ranking import auc_interval

IMAGES = 120
TRUTH = np.arange(IMAGES) % 4 == 0
SCORE = (0.2 + 0.4 * TRUTH + 0.3 * np.random.default_rng(0).random(IMAGES)).round(6)
IDS = [f"i{number}" for number in range(IMAGES)]
SITE = np.where(np.arange(IMAGES) < 40, "leg", "torso")
LABELS = pd.DataFrame({"image_id": IDS, "melanoma": TRUTH, "site": SITE})
GUESSES = pd.DataFrame({"image_id": IDS, "probability": SCORE})


def test_labels_that_are_inverted_in_one_subgroup_are_pointed_out() -> None:
    turned = LABELS.assign(melanoma=np.where(SITE == "leg", ~TRUTH, TRUTH))
    found = evaluate(GUESSES, turned, by="site", repeats=10)
    (said,) = [each for each in found.headline if "below 0.5" in each]
    assert "below 0.5 in site lower extremity: melanomas score lower" in said
    right = evaluate(GUESSES, LABELS, by="site", repeats=10)
    assert "below 0.5" not in " ".join(right.headline)


def test_an_archive_whose_probabilities_are_inverted_is_pointed_out() -> None:
    turned = GUESSES.assign(probability=np.where(SITE == "leg", 1 - SCORE, SCORE))
    found = evaluate(turned, LABELS.assign(dataset=SITE), repeats=10)
    assert "below 0.5 in dataset leg" in " ".join(found.headline)


def test_nothing_is_pointed_out_where_the_melanomas_are_of_few_patients() -> None:
    """Of six archives with two such patients, one in ten analyses named one by chance."""
    score = np.where(SITE == "leg", 1 - SCORE, SCORE)
    turned = GUESSES.assign(probability=score)
    number = np.arange(IMAGES)
    patients = np.where(TRUTH & (SITE == "leg"), number % 8, 100 + number)
    truth = LABELS.assign(dataset=SITE, patient_id=[f"p{number}" for number in patients])
    said = evaluate(turned, truth, repeats=10)
    assert said.parts[0].parts[0].auc.high < 0.5
    assert "below 0.5" not in " ".join(said.headline)
    few = truth.assign(patient_id=[f"p{each}" for each in number // 40])
    models = {"turned": GUESSES.assign(probability=1 - SCORE), "right": GUESSES}
    notes = compare_models(models, few, repeats=20).notes
    assert not any("below 0.5" in note for note in notes)


def test_what_is_inverted_as_a_whole_is_said_once() -> None:
    turned = GUESSES.assign(probability=1 - SCORE)
    said = evaluate(turned, LABELS, by="site", repeats=10).headline
    assert sum("below 0.5" in each for each in said) == 1
    assert upside_down_within([("a", 0.6), ("b", float("nan"))]) == ""
    twice = upside_down_within([("dataset a", 0.4), ("dataset a", 0.4)])
    assert "in dataset a: melanomas" in twice


def classes(**columns: object) -> pd.DataFrame:
    rest = 1 - SCORE
    own = pd.DataFrame({"image": IDS, "MEL": SCORE, "NV": 0.7 * rest, "BKL": 0.3 * rest})
    return own.assign(**columns)  # type: ignore[arg-type]


ONE_HOT = pd.DataFrame(
    {
        "image": IDS,
        "MEL": 1.0 * TRUTH,
        "NV": 1.0 * (~TRUTH & (np.arange(IMAGES) % 2 == 1)),
        "BKL": 1.0 * (~TRUTH & (np.arange(IMAGES) % 2 == 0)),
    }
)


def test_probabilities_of_classes_that_do_not_add_up_to_1_are_said() -> None:
    found = evaluate(classes(NV=0.9), ONE_HOT, repeats=10)
    assert "multiclass_balanced_accuracy" in found.metrics
    (said,) = [note for note in found.notes if "add up to" in note]
    assert "not to 1 in 120 of 120 images; the likeliest class is called" in said
    right = evaluate(classes().round(2), ONE_HOT, repeats=10)
    assert not [note for note in right.notes if "add up to" in note]


def test_sums_of_rounded_probabilities_or_without_a_class_are_not_pointed_out() -> None:
    """Of eight classes with two digits one image in thirty was; 8 times 0.125 is 0.96."""
    names = ["MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC", "SCC"]
    shares = np.random.default_rng(0).dirichlet(np.ones(8), size=IMAGES)
    shares[0], true = 0.125, np.arange(IMAGES) % 7
    guesses = pd.DataFrame(shares.round(2), columns=names).assign(image_id=IDS)
    truth = pd.DataFrame(1.0 * (true[:, np.newaxis] == np.arange(8)), columns=names)
    truth = truth.assign(image_id=IDS)
    assert guesses.loc[0, names].sum() == pytest.approx(0.96)
    for labels in (truth, truth.drop(columns="SCC")):
        found = evaluate(guesses, labels, repeats=10)
        assert "multiclass_balanced_accuracy" in found.metrics
        assert not [note for note in found.notes if "add up to" in note]


def test_a_class_in_per_cent_beside_diagnoses_in_words_is_said() -> None:
    """Its images were said to be of another diagnosis, and nothing of the column."""
    rest = 1 - SCORE
    guesses = classes(NV=40 * rest, DF=0.3 * rest).rename(columns={"image": "image_id"})
    words = np.where(TRUTH, "melanoma", np.where(ONE_HOT["NV"] == 1, "nevus", "bkl"))
    truth = pd.DataFrame({"image_id": IDS, "diagnosis": words})
    notes = evaluate(guesses, truth, repeats=10).notes
    assert any("NV is not among the classes, for numbers outside" in each for each in notes)


@pytest.mark.parametrize("other", [100 * (1 - SCORE), -SCORE])
def test_a_class_on_another_scale_is_not_compared(other: np.ndarray) -> None:
    found = evaluate(classes(NV=other), ONE_HOT, repeats=10)
    assert "multiclass_balanced_accuracy" not in found.metrics
    assert any("NV holds numbers outside 0–1" in note for note in found.notes)


def test_an_official_score_refuses_what_lies_outside() -> None:
    names = ("NV", "BCC", "AKIEC", "BKL", "DF", "VASC")
    guesses = GUESSES.rename(columns={"probability": "MEL"}).assign(
        **dict.fromkeys(names, 0.1)
    )
    truth = pd.DataFrame({"image_id": IDS, "MEL": 1 * TRUTH}).assign(
        **dict.fromkeys(names, 0)
    )
    truth["NV"] = 1 - truth["MEL"]
    official_scores("isic2018", guesses, truth)
    with pytest.raises(ColumnError, match=r"column NV lie outside 0–1 \(40 to 40\)"):
        official_scores("isic2018", guesses.assign(NV=40), truth)


def test_classes_in_words_are_checked_for_their_sum_too() -> None:
    table = classes(NV=0.9).rename(columns={"image": "image_id"})
    words = np.where(TRUTH, "melanoma", np.where(ONE_HOT["NV"] == 1, "nevus", "bkl"))
    found = evaluate(
        table, LABELS.drop(columns="melanoma").assign(diagnosis=words), repeats=10
    )
    assert any("add up to" in note for note in found.notes)


def test_two_columns_of_one_name_that_differ_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    columns = zip(IDS, SCORE, SCORE[::-1], strict=True)
    rows = "\n".join(",".join(map(str, row)) for row in columns)
    path.write_text(f"image_id,probability,probability\n{rows}\n")
    with pytest.raises(ColumnError, match=r"--column probability=probability\.1"):
        evaluate(path, LABELS, repeats=10)
    first = evaluate(path, LABELS, repeats=10, columns={"probability": "probability"})
    assert first["auc"].value == 1
    other = evaluate(path, LABELS, repeats=10, columns={"probability": "probability.1"})
    assert other["auc"].value < 1
    path.write_text(f"image_id,probability,image_id\n{rows}\n")
    with pytest.raises(ColumnError, match=r"several columns called image_id, which differ"):
        evaluate(path, LABELS, repeats=10)
    again = LABELS.assign(IMAGE_ID=[f"{name}.jpg" for name in IDS])
    assert evaluate(GUESSES, again, repeats=10)["auc"].value == 1
    rows = "\n".join(f"{a},1,{b}" for a, b in zip(IDS, IDS[::-1], strict=True))
    path.write_text(f"image_id,melanoma,image_id\n{rows}\n")
    with pytest.raises(ColumnError, match=r"or --column image_id=image_id\.1"):
        evaluate(GUESSES, path, repeats=10)


def test_two_columns_of_one_name_in_a_frame_are_as_in_a_file() -> None:
    other = GUESSES["probability"].rename("probability")[::-1].reset_index(drop=True)
    twice = pd.concat([GUESSES, other], axis=1)
    with pytest.raises(ColumnError, match=r"--column probability=probability\.1"):
        evaluate(twice, LABELS, repeats=10)
    chosen = {"probability": "probability.1"}
    assert evaluate(twice, LABELS, repeats=10, columns=chosen)["auc"].value < 1
    with pytest.raises(ColumnError, match=r"melanoma and melanoma\.1 contradict"):
        evaluate(GUESSES, pd.concat([LABELS, ~LABELS["melanoma"]], axis=1), repeats=10)


def test_what_stands_twice_in_a_table_and_says_the_same_is_read(tmp_path: Path) -> None:
    """Frames with two columns called `note` had been read, and then were refused."""
    notes = pd.DataFrame({"note": IDS}), pd.DataFrame({"note": IDS[::-1]})
    for frame in (pd.concat([GUESSES, *notes], axis=1), pd.concat([GUESSES] * 2, axis=1)):
        assert evaluate(frame, LABELS, repeats=10)["auc"].value == 1
    assert evaluate(GUESSES, pd.concat([LABELS] * 2, axis=1), repeats=10)["auc"].value == 1
    path = tmp_path / "predictions.csv"
    lines = [f"{name},{score},{score}0," for name, score in zip(IDS, SCORE, strict=True)]
    path.write_text("\n".join(["image_id,probability,probability,probability", *lines]))
    assert evaluate(path, LABELS, repeats=10)["auc"].value == 1


def test_the_melanomas_of_one_patient_count_as_one() -> None:
    """They counted as 30 independent ones: how alike they are, one group cannot show."""
    score = SCORE - 0.2 * TRUTH
    alone = np.arange(IMAGES)
    group = np.where(TRUTH, 0, alone)
    one = np.append(np.flatnonzero(TRUTH)[:1], np.flatnonzero(~TRUTH))
    found = auc_interval(TRUTH, score, group)
    single = auc_interval(TRUTH[one], score[one], np.arange(len(one)))
    apart = auc_interval(TRUTH, score, alone)
    assert found.high - found.low > 3 * (apart.high - apart.low)
    assert found.high - found.low > 0.8 * (single.high - single.low)


def test_a_model_that_ranks_the_wrong_way_round_is_pointed_out_among_others() -> None:
    turned = GUESSES.assign(probability=1 - SCORE)
    half = GUESSES.assign(probability=np.where(SITE == "leg", 1 - SCORE, SCORE))
    models = {"right": GUESSES, "turned": turned, "half": half}
    found = compare_models(models, LABELS.assign(dataset=SITE), repeats=20)
    (said,) = [note for note in found.notes if "below 0.5" in note]
    assert "in the answers of turned, the answers of half in leg: melanomas" in said
    fine = compare_models({"right": GUESSES, "again": GUESSES}, LABELS, repeats=20)
    assert not any("below 0.5" in note for note in fine.notes)
