"""Patient context is fitted, cross-fitted, kept where it helps, and counted in answers."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.special import expit
from typer.testing import CliRunner

from lentigo.cli.app import app
from lentigo.evaluation.without import judge_without
from lentigo.inference import recalibrate
from lentigo.inference.abstention.judge import Judged
from lentigo.inference.calibrate import Labelled
from lentigo.inference.context import fit_context
from lentigo.inference.ensemble import Ensemble
from lentigo.inference.inputs import as_sources
from lentigo.inference.networks import Networks
from lentigo.inference.predict import load
from lentigo.inference.served import Question, answer
from lentigo.models.context import Context, People
from lentigo.models.description import read_description
from lentigo.models.joined import joined
from lentigo.reports.explanations.write import write_explanations
from lentigo.tables import check_table
from tests.inference.test_predict import noise, save
from tests.models.test_context import people as numbered

EXECUTABLE = sys.executable


@pytest.fixture(autouse=True)
def _decoded_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start no processes: each prediction would wait for them (see test_squares)."""
    monkeypatch.setattr(sys, "executable", "")


CONTEXT = Context(level=0.5, difference=2.0, oddness=0.5, usual=0.1, n_images=8)


def drawn(*, spread: float, seed: int, patients: int = 300) -> tuple[Labelled, People]:
    """Calibrated logits of four lesions a patient, moved by the patient's own part.

    What is seen of a lesion is N(0, 1), or N(2, 1) of a melanoma, which one in eight is;
    the part of the patient, N(0, `spread`), tells nothing of it.
    """
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(patients), 4)
    truth = rng.random(len(who)) < 0.125
    seen = 2 * truth + rng.normal(0, 1, len(who)) + rng.normal(0, spread, patients)[who]
    logits = (2 * seen - 2) / (1 + spread**2) - np.log(7)
    return Labelled(truth, logits, who), People(who, np.arange(len(who)))


def judged(spread: float, seed: int) -> dict[str, Any] | None:
    """The AUC of others than those of the fit, with and without; None without a context."""
    found = fit_context(*drawn(spread=spread, seed=seed), fitted_on="these")
    if found.context is None:
        return None
    images, people = drawn(spread=spread, seed=seed + 100)
    logits = found.context.apply(images.logits, people)
    table = pd.DataFrame(
        {
            "image_id": [f"{n}" for n in range(len(logits))],
            "group_id": images.group.astype(str), "melanoma": images.truth,
        }
    )  # fmt: skip
    told = table[["image_id"]].assign(
        probability=expit(logits), logit=logits, logit_without_context=images.logits
    )
    result = judge_without(told, table, what="context", repeats=50, seed=0)
    return result.as_dict()["difference"]["auc"] if result else None


def test_context_helps_where_patients_differ_and_is_dropped_where_they_do_not() -> None:
    """The gain lies beyond its interval where it was planted; else nothing is beyond."""
    for seed in range(3):
        gain = judged(1.5, seed)
        assert gain is not None
        assert gain["low"] > 0.03
    assert [judged(0.0, seed) for seed in range(20)] == [None] * 20


def test_two_photographs_of_a_lesion_are_no_evidence_of_each_other() -> None:
    """As two lesions they would be: their mean tells more than one of them."""
    rng = np.random.default_rng(0)
    truth = rng.random(3000) < 0.125
    seen = np.repeat(2 * truth + rng.normal(0, 1, 3000), 2) + rng.normal(0, 1, 6000)
    who = np.repeat(np.arange(1500), 4)
    images = Labelled(np.repeat(truth, 2), seen - 1 - np.log(7), who)
    known = People(who, np.repeat(np.arange(3000), 2))
    assert fit_context(images, known, fitted_on="these").context is None
    wrong = People(who, np.arange(6000))
    assert fit_context(images, wrong, fitted_on="these").context is not None


def test_no_image_is_answered_by_a_context_that_saw_its_group() -> None:
    """A group's labels change its cross-fitted logits in no bit, and the context itself."""
    images, people = drawn(spread=1.5, seed=1, patients=80)
    images = replace(images, untold=0.8 * images.logits)
    before = fit_context(images, people, fitted_on="these")
    own = np.flatnonzero(images.group == images.group[images.truth][0])
    turned = images.truth.copy()
    turned[own] = np.roll(turned[own], 1)  # the group still holds a melanoma
    assert not np.array_equal(turned, images.truth)
    after = fit_context(replace(images, truth=turned), people, fitted_on="these")
    assert before.context is not None
    assert before.context != after.context
    assert np.array_equal(before.logits[own], after.logits[own])
    assert not np.array_equal(before.logits, after.logits)
    fitted = before.context.apply(images.logits, people)
    assert not np.allclose(fitted, before.logits)
    # Nor are the answers without age, sex and site.
    assert before.untold is not None
    assert after.untold is not None
    assert np.array_equal(before.untold[own], after.untold[own])
    assert not np.array_equal(before.untold, after.untold)
    untold = before.context.apply(0.8 * images.logits, people)
    assert not np.allclose(untold, before.untold)
    assert np.abs(untold - before.untold).max() < 1


def test_too_few_patients_give_none() -> None:
    images, people = drawn(spread=1.5, seed=0, patients=12)
    found = fit_context(images, people, fitted_on="these")
    assert (found.context, found.gain) == (None, None)
    images, people = drawn(spread=1.5, seed=0)
    alone = replace(people, patient=people.lesion)
    assert fit_context(images, alone, fitted_on="these").gain is None


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two untrained networks, one with a context, and a table of eight images.

    Patient P has three lesions, one of two images; Q has two, one of them broken; R has
    one, and two images are of nobody.
    """
    folder = tmp_path_factory.mktemp("context")
    save(folder / "fold-0" / "model")
    save(folder / "fold-1" / "model", seed=1)
    given(folder / "fold-0" / "model", CONTEXT)
    for seed in range(8):
        Image.fromarray(noise(40, seed)).save(folder / f"{seed}.png")
    (folder / "5.png").write_bytes(b"broken")
    rows = {
        "image_id": list("01234567"), "path": [f"{n}.png" for n in range(8)],
        "patient_id": ["P", "P", "P", "P", "Q", "Q", "R", None],
        "lesion_id": ["a", "a", "b", "c", "d", "e", "f", None], "dataset": "noise",
    }  # fmt: skip
    pd.DataFrame(rows).to_csv(folder / "table.csv", index=False)
    return folder


def given(folder: Path, context: Context) -> None:
    """Write the context into the description of a model folder."""
    path = folder / "model.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["context"] = [context.model_dump(mode="json")]
    path.write_text(json.dumps(content), encoding="utf-8")


def table_of(place: Path) -> pd.DataFrame:
    table = pd.read_csv(place / "table.csv").astype({"image_id": str})
    return table.assign(path=[str(place / name) for name in table["path"]])


def test_the_others_of_a_patient_in_the_table_count(place: Path) -> None:
    """The column says how many; without patients the answer is that of the network."""
    table, model = table_of(place), load(place / "fold-0" / "model")
    found = model.predict(table)
    assert found["context"].tolist() == [2, 2, 2, 2, 0, 0, 0, 0]
    bare = model.predict(table.drop(columns="patient_id"))
    assert bare["context"].eq(0).all()
    plain = bare["logit"].to_numpy()
    assert np.array_equal(found["logit"][4:], plain[4:], equal_nan=True)
    people = numbered(*"PPPP", lesions=list("aabc"))
    expected = CONTEXT.apply(plain[:4], people)
    assert np.abs(expected - plain[:4]).min() > 1e-3
    assert np.array_equal(found["logit"][:4], expected)
    assert np.array_equal(found["probability"][:4], expit(expected))


def test_neither_order_nor_batches_change_an_answer(place: Path) -> None:
    table, model = table_of(place), load(place / "fold-0" / "model")
    found = model.predict(table, batch_size=3).set_index("image_id")
    order = [6, 3, 0, 7, 5, 2, 4, 1]
    turned = model.predict(table.iloc[order], batch_size=3).set_index("image_id")
    near = turned.loc[found.index]
    np.testing.assert_allclose(found["logit"], near["logit"], rtol=0, atol=1e-5)
    assert near["context"].tolist() == found["context"].tolist()


def test_a_lesion_is_compared_with_the_others(place: Path) -> None:
    table, model = table_of(place), load(place / "fold-0" / "model")
    lesions = model.predict_lesions(table).set_index("lesion_id")
    assert lesions["context"].to_dict() == {"a": 2, "b": 2, "c": 2, "d": 0, "e": 0, "f": 0}
    plain = model.predict(table.drop(columns="patient_id"))["logit"].to_numpy()
    own = np.array([plain[:2].mean(), *plain[2:4]])
    expected = CONTEXT.apply(own, numbered(*"PPP"))
    np.testing.assert_allclose(lesions["logit"].iloc[:3], expected, atol=1e-9)


def test_folds_answer_the_mean_and_so_does_one_folder_of_them(place: Path) -> None:
    """The first network counts the others, the second does not."""
    table = table_of(place)
    folders = [place / f"fold-{k}" / "model" for k in range(2)]
    each = [load(folder).predict(table)["logit"].to_numpy() for folder in folders]
    mean = load(place).predict(table)
    np.testing.assert_allclose(mean["logit"], np.mean(each, axis=0), atol=1e-9)
    assert mean["context"].tolist() == [2, 2, 2, 2, 0, 0, 0, 0]
    known = [read_description(folder) for folder in folders]
    members = [each.members[0].model_dump(mode="json") for each in known]
    context = joined(known, members)["context"]
    assert [Context.model_validate(each).is_used for each in context] == [True, False]
    (both,) = replace(load(folders[0])).ensembles
    one = replace(
        both, members=load(place).members, calibrations=(),
        context=tuple(Context.model_validate(each) for each in context),
    )  # fmt: skip
    whole = replace(load(folders[0]), ensembles=(one,)).predict(table)
    np.testing.assert_allclose(whole["logit"], mean["logit"], atol=1e-9)


def test_the_command_says_how_many_and_resumes_to_the_same_bytes(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after a batch, which split a patient's images."""
    call = ["predict", str(place / "fold-0" / "model"), str(place / "table.csv")]
    first = CliRunner().invoke(
        app, [*call, "--batch-size", "2", "--out", f"{tmp_path}/a.csv"]
    )
    assert first.exit_code == 0, first.output
    said = " ".join(first.output.split())
    assert "whose answer counts other lesions of the same patient: 4." in said
    assert "4 images with no other lesion of a known patient (patient_id) got" in said
    from lentigo.inference.journal import Journal

    add, left = Journal.add, [1]

    def stop(self: Journal, batch: Any) -> None:
        if not left.pop():
            raise KeyboardInterrupt
        left.append(0)
        add(self, batch)

    again = [*call, "--batch-size", "2", "--out", f"{tmp_path}/b.csv"]
    with monkeypatch.context() as patched:
        patched.setattr(Journal, "add", stop)
        assert CliRunner().invoke(app, again).exit_code == 130
    assert CliRunner().invoke(app, [*again, "--resume"]).exit_code == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_requests_of_a_batch_do_not_share_patients(place: Path) -> None:
    """Two requests name a patient P; each answer is that of its request alone."""
    model = load(place / "fold-0" / "model")
    way = model.members[0].preparation
    images = [noise(way.size, seed) for seed in range(4)]
    asked = [
        Question(2, patients=("P", "P"), lesions=("a", "b")),
        Question(2, patients=("P", ""), lesions=("a", "b")),
    ]
    together = answer(model, asked, {way: images})
    assert [row["context"] for each in together for row in each.images] == [1, 1, 0, 0]
    alone = answer(model, asked[:1], {way: images[:2]})[0].images
    for one, other in zip(alone, together[0].images, strict=True):
        assert one["logit"] == pytest.approx(other["logit"], abs=1e-5)
    plain = answer(model, [Question(4)], {way: images})[0].images
    assert together[1].images[0]["logit"] == pytest.approx(plain[2]["logit"], abs=1e-5)


def test_pictures_of_a_request_without_a_lesion_are_no_others(place: Path) -> None:
    """Three photographs of a mole are not three lesions; two with a number are."""
    model = load(place / "fold-0" / "model")
    way = model.members[0].preparation
    images = [noise(way.size, seed) for seed in range(4)]
    bare = answer(model, [Question(4, patients=("P",) * 4)], {way: images})[0].images
    assert [row["context"] for row in bare] == [0] * 4
    some = Question(4, patients=("P",) * 4, lesions=("a", "", "b", ""))
    found = answer(model, [some], {way: images})[0].images
    assert [row["context"] for row in found] == [1, 0, 1, 0]
    assert found[1]["logit"] == bare[1]["logit"]


def test_copies_of_a_file_are_one_lesion(place: Path, tmp_path: Path) -> None:
    """Of P's four files two have the same bytes; Q's copy of them is Q's own lesion."""
    files = [tmp_path / f"{n}.png" for n in range(6)]
    for file, seed in zip(files, [0, 0, 1, 2, 0, 3], strict=True):
        Image.fromarray(noise(40, seed)).save(file)
    table = pd.DataFrame({"path": files, "patient_id": list("PPPPQQ"), "dataset": "noise"})
    table = table.assign(image_id=[file.stem for file in files], path=list(map(str, files)))
    found = load(place / "fold-0" / "model").predict(table)
    assert found["context"].tolist() == [2, 2, 2, 2, 1, 1]


def test_an_image_on_which_the_model_abstains_is_nobodys_other(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Images and lesions alike; with `abstain=False` it counts."""
    table, model = table_of(place), load(place / "fold-0" / "model")
    answers = model.answers(as_sources(table))
    strange = np.where(np.arange(8) == 3, 2.0, 0.5)  # lesion c of P

    def judged(_: object, logits: np.ndarray) -> Judged:
        return Judged(strange[: logits.shape[1]], [""] * logits.shape[1])

    monkeypatch.setattr(Networks, "strangeness", judged)
    assert answers.table()["context"].tolist() == [1, 1, 1, 0, 0, 0, 0, 0]
    shown = model.decision(abstain=False)
    assert answers.table(shown)["context"].tolist() == [2, 2, 2, 2, 0, 0, 0, 0]
    assert answers.lesions()["context"].tolist() == [1, 1, 0, 0, 0, 0]
    assert answers.lesions(shown)["context"].tolist() == [2, 2, 2, 0, 0, 0]


def test_the_answer_of_many_networks_without_others_is_theirs_to_the_bit() -> None:
    """A mean that is weighted by 3 differs from its only part in one answer of four."""
    logits = np.random.default_rng(0).normal(0, 3, (3, 400))
    plain = Ensemble(members=())
    beside = replace(plain, context=(CONTEXT.model_copy(update={"members": 3}),))
    alone = numbered(*[None] * 400)
    assert np.array_equal(beside.mean(logits, alone), plain.mean(logits))
    turned = np.average([logits[0]], axis=0, weights=[3])
    assert not np.array_equal(turned, logits[0])


def test_calibration_counts_the_lesions_without_a_label(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of P's lesions two have a label; their logits are those that `predict` gives."""
    monkeypatch.setattr(recalibrate, "_check_enough", lambda _: None)
    table, folder = table_of(place), place / "fold-0" / "model"
    labels = pd.array([None, None, True, False, None, None, False, None], dtype="boolean")
    given = check_table(table.assign(melanoma=labels), source="it")
    images, *_ = recalibrate._answered(folder, given, device="cpu", engine="auto")
    found = load(folder).predict(table, abstain=False)["logit"]
    np.testing.assert_allclose(images.logits, found[[2, 3, 6]], rtol=0, atol=1e-5)
    assert images.truth.tolist() == [True, False, False]


def test_stress_and_maps_say_that_context_is_left_out(
    place: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A model without a context says nothing."""
    monkeypatch.setattr(sys, "executable", EXECUTABLE)  # `explain` decodes in a sandbox
    with caplog.at_level("INFO", logger="lentigo"):
        load(place / "fold-1" / "model").say_without_context()
        assert "without the patient's other lesions" not in caplog.text
        write_explanations(
            place / "fold-0" / "model", [place / "0.png"], tmp_path / "out",
            methods=["occlusion"],
        )  # fmt: skip
        load(place / "fold-0" / "model").say_without_context()  # as `stress` does
    assert caplog.text.count("without the patient's other lesions") == 1
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "without the patient's other lesions, which the probability counts" in page


def test_the_card_says_so_and_a_wrong_number_of_networks_is_refused(place: Path) -> None:
    from lentigo.models.card import card_text

    known = read_description(place / "fold-0" / "model")
    assert "the same patient's other lesions" in card_text(known)
    content = known.model_dump(mode="json")
    content["context"][0]["members"] = 2
    with pytest.raises(ValueError, match="context is of 2 networks, not of 1"):
        type(known).model_validate(content)
