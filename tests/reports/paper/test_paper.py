"""What a manuscript takes over says what was done, and nothing else."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lentigo.datasets.reading.chosen import rows_where
from lentigo.evaluation import evaluate
from lentigo.json_files import to_json
from lentigo.reports.paper import write_paper
from lentigo.reports.paper.checklists import OPEN, SOURCES, Item, checklists, items
from lentigo.reports.paper.facts import (
    ANSWERS,
    Facts,
    cautions,
    confusion,
    left_out,
    performance,
    separation,
    size,
    skin,
    subgroups,
    thresholds,
    uncertainty,
    utility,
)
from lentigo.reports.paper.methods import methods
from lentigo.reports.paper.tables import as_html, as_latex, tables_of

TRUTH = pd.DataFrame(
    {
        "image_id": [f"i{number:02}" for number in range(80)],
        "melanoma": [1, 0, 0, 0] * 20,
        "patient_id": [f"p{number // 2}" for number in range(80)],
        "clinic": ["A & B_1 50%", "<b>"] * 40,
    }
)
PREDICTED = pd.DataFrame(
    {"image_id": TRUTH["image_id"], "probability": [0.9, 0.1, 0.2, 0.6, 0.4] * 16}
)


def judged(**settings: Any) -> dict[str, Any]:
    found = evaluate(PREDICTED, TRUTH, repeats=20, **settings)
    known: dict[str, Any] = json.loads(to_json(found.as_dict()))
    return known


PLAIN = judged()


def test_the_paragraph_states_the_settings_of_the_run() -> None:
    text = methods(Facts(judged(threshold=0.25, seed=7, by="clinic"), "9.9"))
    for part in (
        "80 images of 40 patients, 20 melanomas", "whole patients as the unit",
        "20 times (seed 7)", "0.25 upwards, as given", "Subgroups were formed by clinic",
        "lentigo 9.9",
    ):  # fmt: skip
        assert part in text, part


def test_delongs_interval_is_not_said_to_take_patients() -> None:
    said = "take whole patients as the unit, except DeLong's, which takes single images"
    facts = Facts(PLAIN, "9.9")
    assert said in methods(facts)
    assert said in uncertainty(facts)


def test_repeats_and_nested_folds_are_said_with_their_sources() -> None:
    fold = (TRUTH.index // 2) % 3  # whole patients
    rows = [
        PREDICTED.assign(repeat=repeat, outer_fold=outer, inner_fold=fold)
        for repeat in range(2)
        for outer in range(3)
    ]
    found = evaluate(pd.concat(rows, ignore_index=True), TRUTH, repeats=20)
    text = methods(Facts(json.loads(to_json(found.as_dict())), "9.9"))
    assert re.search(r"mean AUC .* share images \[\d+\]", text)
    assert re.search(r"nested cross-validation \[\d+\]", text)
    assert "10.1080/01621459.2023.2197686" in text
    assert "10.1023/A:1024068626366" in text


def test_what_was_not_done_is_not_said() -> None:
    text = methods(Facts(PLAIN, "9.9"))
    assert "Subgroups" not in text
    assert "prevalence" not in text.lower()
    assert "locked" not in text
    assert "Bates" not in text
    assert "Nadeau" not in text
    moved = methods(Facts(judged(prevalence=0.02), "9.9"))
    assert "share of melanoma of 0.02" in moved
    assert "Saerens" in moved


def test_without_patients_it_says_single_images() -> None:
    alone = evaluate(PREDICTED, TRUTH.drop(columns="patient_id"), repeats=20)
    text = methods(Facts(json.loads(to_json(alone.as_dict())), "9.9"))
    assert "take single images as the unit, since no patient or lesion was named" in text


def test_sources_are_numbered_in_their_order_and_each_is_cited() -> None:
    text, _, below = methods(Facts(judged(by="clinic"), "9.9")).partition("## Sources")
    cited = [int(number) for number in re.findall(r"\[(\d+)\]", text)]
    assert list(dict.fromkeys(cited)) == list(range(1, max(cited) + 1))
    assert len(re.findall(r"^\d+\. ", below, flags=re.MULTILINE)) == max(cited)
    assert "{" not in text


def test_every_checklist_has_its_items_its_source_and_known_answers() -> None:
    known = items()
    assert {each.checklist for each in known} == set(SOURCES)
    assert all("doi:" in source for source in SOURCES.values())
    tripod = [each.item for each in known if each.checklist == "TRIPOD+AI"]
    assert len(tripod) == len(set(tripod)) == 52
    assert {int(re.sub(r"\D", "", item)) for item in tripod} == set(range(1, 28))
    claim = [each.item for each in known if each.checklist == "CLAIM 2024"]
    assert claim == [str(number) for number in range(1, 45)]
    stard = [each.item for each in known if each.checklist == "STARD-AI"]
    assert len(stard) == len(set(stard)) == 48
    assert list(dict.fromkeys(int(re.sub(r"\D", "", item)) for item in stard)) == list(
        range(1, 41)
    )
    probast = [each.item.split()[0] for each in known if each.checklist == "PROBAST+AI"]
    assert (probast.count("development"), probast.count("evaluation")) == (16, 18)
    assert {each.answer for each in known} - {""} <= set(ANSWERS) | OF_A_RUN
    assert all(each.answer for each in known if each.rest)


OF_A_RUN = {
    "benchmark", "characteristics", "choice", "data", "development", "ensembling",
    "external", "imbalance", "internal", "judged_data", "missing_in_development", "model",
    "partition",
    "prediction", "predictor_handling", "predictors", "preparation", "public",
    "recalibrated", "recalibration", "roles", "start", "trained_with", "training",
}  # fmt: skip
"""What is known of the model and of what it learnt from: never without a run."""


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"dataset": ["ham10000", "isic2017"] * 40},
        {"patient_id": None},
        {"patient_id": None, "dataset": ["a", "b"] * 40},
    ],
)
def test_a_lone_table_says_nothing_of_the_model(more: dict[str, Any]) -> None:
    found = evaluate(PREDICTED, TRUTH.assign(**more), repeats=10)
    facts = Facts(json.loads(to_json(found.as_dict())), "9.9")
    open_items = {
        (each.checklist, each.item) for each in items() if not answered(each, facts)
    }
    assert {
        ("TRIPOD+AI", "12g"), ("CLAIM 2024", "20"), ("CLAIM 2024", "32"),
        ("CLAIM 2024", "33"), ("STARD-AI", "13"), ("STARD-AI", "19"), ("STARD-AI", "29"),
        ("PROBAST+AI", "development 1.3"), ("PROBAST+AI", "evaluation 1.3"),
        ("PROBAST+AI", "development 4.3"), ("PROBAST+AI", "evaluation 4.5"),
    } <= open_items  # fmt: skip
    assert not any(each.answer in OF_A_RUN and answered(each, facts) for each in items())
    said = checklists(facts)
    assert "Nobody" not in said
    assert re.search(r"\| 18f \| .*lentigo 9\.9 .*Open: the model's own software", said)


def answered(each: Item, facts: Facts) -> str:
    return facts.answer(each.answer) if each.answer else ""


def test_what_a_table_does_not_tell_stays_open_beside_what_it_tells() -> None:
    lines = checklists(Facts(PLAIN, "9.9")).splitlines()
    missing = next(line for line in lines if line.startswith("| 11 | Missing data"))
    assert "No image of either table was left out. Open: values missing in" in missing
    assert any("rows are filled in, 2 of them in part." in line for line in lines)


def test_rows_that_were_not_chosen_are_said_to_be_left_out(tmp_path: Path) -> None:
    TRUTH.to_csv(tmp_path / "truth.csv", index=False)
    with rows_where("clinic == '<b>'"):
        found = evaluate(PREDICTED, tmp_path / "truth.csv", repeats=10)
    said = left_out(Facts(json.loads(to_json(found.as_dict())), "9.9"))
    assert "40 of 80 rows fit" in said
    assert said.endswith("No image of these rows was left out.")


def test_melanomas_that_were_left_out_are_counted_wherever_images_are() -> None:
    found = evaluate(PREDICTED.drop(index=[0, 1, 4]), TRUTH, repeats=10)
    known = json.loads(to_json(found.as_dict()))
    lost = "Left out of 80 images: 3 without a prediction; 2 melanomas among them."
    assert left_out(Facts(known, "9.9")) == lost
    assert lost in methods(Facts(known, "9.9"))
    assert checklists(Facts(known, "9.9")).count(lost) >= 5
    del known["n_melanomas_left_out"]  # an older file does not tell
    assert left_out(Facts(known, "9.9")) == lost.replace(
        "2 melanomas among them", "how many melanomas are among them is not on record"
    )


@pytest.mark.parametrize(
    ("column", "is_skin"),
    [
        ("hospital", False), ("skin_lesion_site", False), ("capital", False),
        ("skin_tone", True), ("ITA", True), ("Fitzpatrick skin type", True),
        ("skin_type", True), ("ita_group", True),
    ],
)  # fmt: skip
def test_a_column_is_of_skin_colour_only_by_its_name(column: str, is_skin: bool) -> None:
    known = {**PLAIN, "subgroups": {column: {"groups": []}}}
    assert bool(skin(Facts(known, "9.9"))) == is_skin


def test_groups_that_are_not_all_patients_are_not_called_patients() -> None:
    some = TRUTH["patient_id"].where(TRUTH.index < 8)
    found = evaluate(PREDICTED, TRUTH.assign(patient_id=some), repeats=10)
    facts = Facts(json.loads(to_json(found.as_dict())), "9.9")
    assert size(facts) == "80 images of 76 groups, 20 melanomas."
    assert "whole groups" in uncertainty(facts)
    by_clinic = evaluate(PREDICTED, TRUTH, group="clinic", repeats=10)
    facts = Facts(json.loads(to_json(by_clinic.as_dict())), "9.9")
    assert size(facts) == "80 images of 2 groups by clinic, 20 melanomas."
    assert "take groups by clinic as the unit" in uncertainty(facts)


def test_patients_in_several_folds_are_a_leak_and_no_lack_of_one() -> None:
    def known(fold: Any) -> Facts:
        found = evaluate(PREDICTED.assign(fold=fold), TRUTH, repeats=10)
        return Facts(json.loads(to_json(found.as_dict())), "9.9")

    crossing = known([0, 1, 0, 0] * 20)  # one of each two patients is in both folds
    assert separation(crossing) == "20 of 40 patients have images in several folds."
    assert "20 of 40 patients have images" in cautions(crossing)
    assert any(
        note.startswith("20 of 40 patients have images in several folds. Unless")
        for note in crossing.evaluation["notes"]
    )
    apart = known([0, 0, 1, 1] * 20)
    assert separation(apart).startswith("Of 40 patients none has images in two folds.")
    assert not any("several folds" in note for note in apart.evaluation["notes"])


def test_at_another_share_the_threshold_is_named_on_both_scales() -> None:
    """Logit 0.5 at 2 % is, at the 25 % of these images, log(0.25/0.75 · 0.98/0.02) up."""
    at = (1 / 3) * 49 / ((1 / 3) * 49 + 1)
    moved = judged(prevalence=0.02)
    words = f"{at:.3g} (0.5 at 2 % melanomas)"
    facts = Facts(moved, "9.9")
    tables = {table.name: table for table in tables_of(moved)}
    assert tables["confusion"].caption == f"Calls from a probability of {words} upwards"
    assert "PPV and NPV for a share of melanoma of 2 %" in tables["metrics"].caption
    assert words in tables["metrics"].caption
    for said in (performance(facts), confusion(facts), thresholds(facts), utility(facts)):
        assert words in said
    missed = 20 * (1 - moved["sensitivity"]["value"])  # of 1,000 with 2 % melanomas
    assert f"2 % are melanomas {missed:.1f} " in utility(facts)
    text = evaluate(PREDICTED, TRUTH, repeats=10, prevalence=0.02).as_text()
    assert f"From a probability of {words} upwards" in text
    plain = {table.name: table for table in tables_of(PLAIN)}
    assert "PPV" not in plain["metrics"].caption


def test_what_is_known_is_filled_in_and_the_rest_is_open() -> None:
    lines = checklists(Facts(PLAIN, "9.9")).splitlines()
    row = {tuple(line.split(" | ")[:2]): line for line in lines if line.startswith("| ")}
    assert "80 images of 40 patients" in row["| 20a", items_topic("20a")]
    assert OPEN in row["| 18a", items_topic("18a")]
    assert OPEN in row["| 14", items_topic("14")]  # no subgroups were judged
    divided = checklists(Facts(judged(by="clinic"), "9.9"))
    assert "lowest AUC" in divided


def test_items_that_were_not_compared_with_the_publication_are_marked() -> None:
    text = checklists(Facts(PLAIN, "9.9"))
    marked = [
        line for line in text.splitlines() if line.partition(" | ")[0].endswith("\\*")
    ]
    assert len(marked) == sum(not each.compared for each in items()) == 21
    assert "Items with \\* could not be compared" in text


def test_an_auc_of_zero_is_the_lowest() -> None:
    groups = [
        {"name": name, "auc": {"value": value, "low": None, "high": None}}
        for name, value in (("arm", 0.7), ("nose", 0.0), ("toe", None))
    ]
    known = Facts({**PLAIN, "subgroups": {"site": {"groups": groups}}}, "9.9")
    assert subgroups(known).startswith("Judged by site: lowest AUC nose 0.00")


def items_topic(number: str) -> str:
    return next(each.topic for each in items() if each.item == number)


def test_a_run_fills_in_what_only_it_knows() -> None:
    text = checklists(Facts(PLAIN, "9.9", {"training": "By a tiny network."}))
    assert text.count("By a tiny network.") >= 3


def test_tables_say_the_numbers_of_the_evaluation() -> None:
    [metrics, confusion, *_] = tables_of(PLAIN)
    shown = metrics.cells.set_index("metric")["value"]
    assert float(shown["AUC"]) == pytest.approx(PLAIN["auc"]["value"], abs=5e-5)
    counts = PLAIN["confusion"]
    assert confusion.cells.iloc[0, 1:].tolist() == [str(counts["tp"]), str(counts["fn"])]


def test_metrics_and_figures_are_named_in_words() -> None:
    figures = ("roc", "decision_curve")
    text = checklists(Facts(PLAIN, "9.9", figures=figures))
    assert "AUC, AUC (DeLong), partial AUC above 80" in text
    assert "average precision, Brier score, log loss" in text
    assert "; figures: ROC curve, decision curve." in text
    assert "average_precision" not in text
    assert "Brier score" in tables_of(PLAIN)[0].cells["metric"].tolist()


def test_wide_tables_are_set_small_in_latex() -> None:
    tables = {table.name: table for table in tables_of(judged(by="clinic"))}
    assert r"\setlength{\tabcolsep}{3pt}" in as_latex(tables["subgroups"])
    assert r"\scriptsize" not in as_latex(tables["confusion"])


def test_the_paragraph_tells_only_of_what_there_is() -> None:
    none = evaluate(PREDICTED, TRUTH.assign(melanoma=0), repeats=10)
    text = methods(Facts(json.loads(to_json(none.as_dict())), "9.9"))
    for absent in ("Newcombe", "DeLong ER", "Kurtansky", "Cox DR", "regression of the"):
        assert absent not in text, absent
    assert "Korn EL" in text
    folds = evaluate(PREDICTED.assign(fold=TRUTH.index // 2 % 4), TRUTH, repeats=10)
    assert "Nadeau C" in methods(Facts(json.loads(to_json(folds.as_dict())), "9.9"))
    undefined = {"value": None, "low": None, "high": None}
    beside = [
        {"name": "metadata only", "auc": {"value": 0.6, "low": 0.5, "high": 0.7}},
        {"name": "colours", "auc": undefined, "absent": "the truth names no image files"},
    ]
    text = methods(Facts({**PLAIN, "beside": beside}, "9.9"))
    assert "logistic regressions on metadata alone were" in text
    assert "colours" not in text


def test_no_cell_of_a_csv_needs_an_apostrophe(tmp_path: Path) -> None:
    camera = (["new"] * 3 + ["old"] * 3) * 13 + ["old", "new"]
    found = evaluate(PREDICTED, TRUTH.assign(camera=camera), repeats=20, by="camera")
    write_paper(json.loads(to_json(found.as_dict())), tmp_path)
    written = {path.stem: path.read_text("utf-8") for path in tmp_path.glob("*.csv")}
    guard = re.compile(r"""(^|,|")'""", re.MULTILINE)  # an apostrophe before a cell
    assert not [name for name, text in written.items() if guard.search(text)]
    assert "\u2212" in written["subgroup_differences"]
    gap = re.search(r"^Calibration gap,(-?[\d.]+),", written["metrics"], re.MULTILINE)
    assert gap is not None  # a number, with the hyphen that programs read


def test_thresholds_have_three_tables_as_the_text_has() -> None:
    known = judged(prevalence=0.02)
    tables = {table.name: table for table in tables_of(known)}
    heads = [
        ["sensitivity", "specificity", "PPV", "NPV"],
        ["LR+", "LR−", "excised for one"],
        ["found", "missed", "false alarms", "net benefit"],
    ]
    for name, head in zip(
        ("thresholds", "likelihood_ratios", "per_1000_lesions"), heads, strict=True
    ):
        cells = tables[name].cells
        assert list(cells) == ["threshold of", "threshold", "share of melanoma", *head]
        assert cells["share of melanoma"].tolist() == ["25 %", "25 %", "2 %", "2 %"]
        assert "referral_3: the risk from which" in tables[name].foot
    row = known["consequences"][0]
    ends = [f"{row['lr_positive'][end]:#.3g}" for end in ("value", "low", "high")]
    assert (
        tables["likelihood_ratios"].cells["LR+"][0].startswith("{} ({} to {}".format(*ends))
    )


def test_subgroups_come_worst_first_with_their_differences_to_the_rest() -> None:
    place = ["a", "b", "c", "c"] * 20  # of a all are melanomas
    camera = (["new"] * 3 + ["old"] * 3) * 13 + ["old", "new"]
    truth = TRUTH.assign(clinic=place, camera=camera)
    found = evaluate(PREDICTED, truth, repeats=20, by=("camera", "clinic"))
    known = json.loads(to_json(found.as_dict()))
    tables = {table.name: table for table in tables_of(known)}
    own, less = tables["subgroups"].cells, tables["subgroup_differences"].cells
    named = list(zip(own["by"], own["subgroup"], strict=True))
    assert named == list(zip(less["by"], less["subgroup"], strict=True))
    cameras = known["subgroups"]["camera"]
    worst = cameras["worst_first"]
    assert worst != sorted(worst)
    assert [name for by, name in named if by == "camera"] == worst
    old = next(group for group in cameras["groups"] if group["name"] == "old")
    shown = own.set_index("subgroup").loc["old"]
    assert shown["groups"] == str(old["n_groups"])
    told = str(less.set_index("subgroup").loc["old", "AUC"])
    assert told.startswith(f"{old['against_rest']['auc']['value']:.3f} (")
    assert f"p {old['against_rest']['auc']['p_holm']:.3f}" in told
    alone = less.set_index("subgroup").loc["a"]
    assert alone["AUC"] == "–"  # only melanomas, so there is none


def test_each_number_of_the_paragraph_has_its_source() -> None:
    text = methods(Facts({**PLAIN, "official": [{"challenge": "isic2019"}]}, "9.9"))
    for source in ("DeLong ER", "Kurtansky NR", "Hall P.", "Cox DR."):
        assert source in text, source
    assert "Scores of isic2019 follow" in text
    assert text.count("95 % sensitivity was chosen on the judged images") == 1


def test_letters_that_mean_something_to_latex_or_html_are_written_out() -> None:
    table = next(t for t in tables_of(judged(by="clinic")) if t.name == "subgroups")
    assert r"A \& B\_1 50\%" in as_latex(table)
    assert as_latex(table).count("\\\\\n") == 1 + len(table.cells)
    assert "<b>" not in as_html(table)
    assert "&lt;b&gt;" in as_html(table)
    assert "src=" not in as_html(table)


def test_the_folder_holds_each_table_three_times(tmp_path: Path) -> None:
    written = write_paper(PLAIN, tmp_path / "paper")
    names = {path.name for path in written}
    assert {"methods.md", "checklists.md"} < names
    for name in ("metrics", "confusion", "thresholds"):
        assert {f"{name}.csv", f"{name}.tex", f"{name}.html"} < names
    with (tmp_path / "paper/metrics.csv").open(encoding="utf-8") as file:
        assert next(csv.reader(file)) == ["metric", "value", "95 % interval", "meaning"]


def test_what_patients_are_like_is_filled_in_where_it_was_judged() -> None:
    truth = TRUTH.assign(
        sex=["female", "male", "male", ""] * 20, age=[35.0, 60.0] * 40, site="torso"
    )
    found = evaluate(PREDICTED, truth, repeats=20, by=("sex", "age", "site"))
    facts = Facts(json.loads(to_json(found.as_dict())), "9.9")
    assert facts.answer("characteristics") == (
        "Judged images by age: 35 (40), 60 (40); by sex: female (20), male (40), not known "
        "(20); by site: torso (80)."
    )
    known = "Not known of 80 images: sex of 20. Open: what was done about missing values."
    assert facts.answer("missing").endswith(known)
    text = checklists(facts)
    for row in ("20b", "25", "36"):
        (line,) = re.findall(rf"^\| {row} \| .*aracteristics .*$", text, re.MULTILINE)
        assert "female (20)" in line, line
    plain = Facts(PLAIN, "9.9")
    assert not plain.answer("characteristics")
    assert "Open: values missing in columns" in plain.answer("missing")


def test_a_cheap_model_that_could_not_be_judged_is_no_comparison() -> None:
    rows = [
        {"name": "metadata only", "auc": {"value": 0.7, "low": 0.6, "high": 0.8}},
        {"name": "colours", "auc": {"value": None, "low": None, "high": None}},
    ]
    told = Facts({**PLAIN, "beside": rows}, "9.9").answer("beside")
    assert told.endswith("metadata only 0.7000 (95 % interval 0.6000–0.8000).")
    assert not Facts({**PLAIN, "beside": rows[1:]}, "9.9").answer("beside")


def test_numbers_of_lesions_have_one_digit() -> None:
    assert re.search(
        r" \d+\.\d \(95 % interval \d+\.\d–\d+\.\d\) melan", utility(Facts(PLAIN, ""))
    )


def test_a_diagnosis_that_is_a_kind_too_stands_twice_and_the_table_says_why() -> None:
    kinds = ["melanoma", "nevus", "benign keratosis", "nevus"] * 20
    truth = TRUTH.assign(diagnosis=kinds)
    known = json.loads(to_json(evaluate(PREDICTED, truth, repeats=20).as_dict()))
    (table,) = [each for each in tables_of(known) if each.name == "difficulty"]
    rows = table.cells[["by", "melanoma against"]].to_numpy().tolist()
    assert ["kind", "nevus"] in rows
    assert ["diagnosis", "nevus"] in rows
    assert not table.cells.duplicated(["by", "melanoma against"]).any()
