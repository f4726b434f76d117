"""Why a picture is not judged, as the page says it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from markupsafe import Markup
from playwright.sync_api import Page, expect

from lentigo.answer_columns import REFUSED
from lentigo.config.serving import ServingConfig
from lentigo.imaging.kind.unlike import DOUBT
from lentigo.inference.decide import Decision
from lentigo.models.calibration import shift_prevalence
from lentigo.models.facts import Measured
from lentigo.models.operating_point import OperatingPoint, read_points
from lentigo.service.answered import Answered
from lentigo.service.answers import model_facts
from lentigo.service.asked import SEXES, SITES, Asked
from lentigo.service.decoding import Prepared
from lentigo.service.page.close import Close
from lentigo.service.page.language import LANGUAGES, number_text, texts
from lentigo.service.page.render import _filled
from lentigo.service.page.result import Shown, judgement, number, why_not
from lentigo.service.worker import Hosted
from tests.service.browser import read
from tests.service.conftest import POINTS
from tests.service.test_queue import HOSTED


@pytest.mark.parametrize(
    ("probability", "reason", "key"),
    [
        (0.2, "", ""),
        (0.2, f"{DOUBT}: few colours of skin", "why_doubted"),
        (None, f"{REFUSED}: colours (3.1 times the limit)", "why_strange"),
        (None, "The image is empty.", "why_unreadable"),
    ],
)
def test_the_reason_of_a_prediction_has_its_sentence(
    probability: float | None, reason: str, key: str
) -> None:
    assert why_not(probability, reason) == key


def test_of_a_mean_over_pictures_no_sensitivity_is_shown() -> None:
    point = OperatingPoint.model_validate(POINTS[0])
    decision = Decision(meant_for=0.1, asked_for=None, point=point)
    row = {"probability": 0.4, "logit": -0.4, "call": "melanoma", "reason": ""}
    for images, shown in ((1, True), (2, False)):
        asked = Asked(lesions=("1",) * images)
        lesion = {**row, "lesion_id": "1", "n_images": images}
        one = judgement(
            Answered(
                "r", asked, HOSTED, decision, [Prepared("0", (4, 4), {})] * images,
                [row] * images, [lesion],
            )
        )  # fmt: skip
        assert one.call
        assert (bool(one.figures), one.mean) == (shown, not shown)
    assert all("{" not in texts(each)["mean_of_pictures"] for each in LANGUAGES)


POINT = OperatingPoint.model_validate(POINTS[0])
COST = OperatingPoint(
    name="cost", kind="cost", threshold=0.3, cost_miss=10, cost_excision=1
)
ROW: dict[str, Any] = {
    "probability": 0.2, "logit": -1.3862944, "call": "melanoma", "reason": "",
    "metadata": "age, sex", "probability_melanoma": 0.2, "probability_nevus": 0.6,
    "probability_dermatofibroma": 0.2,
}  # fmt: skip


def answered(
    *rows: Any, point: OperatingPoint = POINT, model: Hosted = HOSTED, **asked: Any
) -> Answered:
    """Return an answer for one lesion with a row, or a reason to have none, per image."""
    files = [
        Prepared("0", (4, 4), {}, reason=row if isinstance(row, str) else "")
        for row in rows
    ]
    images = [None if isinstance(row, str) else row for row in rows]
    counts = [row for row in images if row and row["probability"] is not None]
    lesion = {
        **(counts or [{**ROW, "probability": None, "logit": None}])[0],
        "lesion_id": "1",
        "n_images": len(counts),
    }
    several = len(rows) > 1
    if several:
        asked["lesions"] = ("1",) * len(rows)
    return Answered(
        "r", Asked(**asked), model,
        Decision(meant_for=0.1, asked_for=None, point=point), files, images,
        [lesion] if several else [],
    )  # fmt: skip


def html(given: Answered, language: str = "en", shown: Sequence[Shown] = ()) -> str:
    return _filled(
        "result", language, others=Markup(""), path="/", asked_model="", answered=given,
        one=judgement(given), shown=shown, number=number, time="", sexes=SEXES, sites=SITES,
        models=[], limits=ServingConfig(), has_views=False, map_choices=[""],
    )  # fmt: skip


def words(given: Answered, language: str = "en") -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html(given, language)).split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_good_picture_is_judged_beside_one_that_is_not(language: str) -> None:
    refused = {**ROW, "probability": None, "logit": None, "call": "",
               "reason": f"{REFUSED}: too bright to judge"}  # fmt: skip
    known = texts(language)
    found = words(answered(ROW, refused, "The image is empty."), language)
    assert known["cannot"] not in found
    assert known["called"] in found
    for n, why in ((2, "why_bright"), (3, "why_unreadable")):
        assert f"{known['left_out'].format(n=n)} {known[why]}" in found
    assert known["all_the_same"] not in found
    alone = words(answered(refused, "The image is empty."), language)
    assert known["cannot"] in alone


def test_a_doubt_about_a_picture_that_counts_still_folds_the_number_away() -> None:
    doubtful = {**ROW, "reason": f"{DOUBT}: few colours of skin"}
    assert judgement(answered(ROW, doubtful)).why == "why_doubted"
    assert judgement(answered(ROW, "The image is empty.")).why == ""


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "About 1 of 100 lesions like this is melanoma."),
        ("de", "Etwa 1 von 100 Läsionen wie dieser ist ein Melanom."),
        ("es", "Alrededor de 1 de cada 100 lesiones como esta es melanoma."),
        ("zh", "每 100 个这样的皮损中约有 1 个是黑色素瘤。"),
    ],
)
def test_one_of_a_hundred_is_told_in_the_singular(language: str, said: str) -> None:
    point = POINT.model_copy(
        update={"held_out": POINT.held_out.model_copy(update={"n_melanomas": 1})}  # type: ignore[union-attr]
    )
    found = words(answered({**ROW, "probability": 0.012}, point=point), language)
    assert said in found
    assert texts(language)["card_melanoma_one"].format(n=1) in found
    two = words(answered({**ROW, "probability": 0.02}), language)
    assert texts(language)["about"].format(n=2, of=100) in two


@pytest.mark.parametrize("language", LANGUAGES)
def test_which_data_of_the_patient_were_used_is_said(language: str) -> None:
    known = texts(language)
    facts = known["facts_join"].join([known["fact_age"], known["fact_sex"]])
    takes = replace(HOSTED, metadata=("age", "sex"))  # and no site
    assert known["used"].format(facts=facts) in words(answered(ROW), language)
    none = answered({**ROW, "metadata": "none"}, model=takes)
    assert known["used_none"].format(facts=facts) in words(none, language)
    image_alone = {**ROW, "metadata": ""}
    assert known["used_never"] in words(answered(image_alone, age=50.0), language)
    assert 'id="used"' not in html(answered(image_alone), language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_not_quite_all_never_reads_as_all(language: str) -> None:
    # 257 of 258 melanomas were found, and the page said 100 %.
    assert POINT.held_out
    found = Measured(value=257 / 258, low=0.978, high=0.9996)
    held_out = POINT.held_out.model_copy(update={"figures": {"sensitivity": found}})
    point = POINT.model_copy(update={"held_out": held_out})
    row = {**ROW, "probability_melanoma": 0.0003, "probability_nevus": 0.9997}
    told = words(answered(row, point=point), language).replace("\N{NO-BREAK SPACE}", " ")
    for share in ("99.6", "98–99.9", "&lt;0.1", "&gt;99.9"):
        assert number_text(share, language) in told
    assert number(Measured(value=1.0, low=0.0, high=None)) == {
        "value": "100", "low": "0", "high": "?",
    }  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_operating_point_that_cannot_be_read_is_named(language: str) -> None:
    # It vanished: the page said that the model has no threshold that guarantees 95 %.
    entries = [POINTS[0] | {"threshold": "0.3; no"}, POINTS[1]]
    described: Any = SimpleNamespace(operating_points=entries, intended_use="")
    model = replace(
        HOSTED, description=described, folders=(Path("m"),), points=read_points(entries)
    )
    assert model.unread_said.startswith("1 threshold cannot be read and is left out: sens")
    facts = model_facts(model)
    assert facts.unread_operating_points == ["sensitivity_95"]
    assert [each.name for each in facts.operating_points] == ["youden"]
    said = texts(language)["unread_points"].format(names="sensitivity_95")
    row = {**ROW, "call": ""}
    assert said in words(answered(row, model=model), language)
    form = _filled(
        "reader", language, others=Markup(""), path="/", asked_model="", models=[model],
        sexes=SEXES, sites=SITES, limits=ServingConfig(), has_views=False,
        map_choices=[""], error=None,
    )  # fmt: skip
    card = _filled(
        "model", language, others=Markup(""), path="/model", asked_model="", model=model,
        facts=facts, blocks=[], number=number, report=False, models=[model],
        points={each.name: each for each in model.points}, absent=str,
    )  # fmt: skip
    assert said in form
    assert said in card


def test_no_percent_sign_is_torn_from_its_number() -> None:
    for language in LANGUAGES:
        assert not [key for key, text in texts(language).items() if " %" in text]
        assert not re.search(r"\d %", html(answered(ROW), language))
        assert re.search(r"\d\N{NO-BREAK SPACE}?%", html(answered(ROW), language))


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_share_of_melanoma_moves_the_differential_and_the_print(
    page: Page, language: str
) -> None:
    answer = html(answered(ROW, point=COST), language)
    page.route(
        "**/?lang=*",
        lambda route: (
            route.fulfill(body=answer, content_type="text/html; charset=utf-8")
            if route.request.method == "POST"
            else route.continue_()
        ),
    )
    read(page, {"name": "x", "mimeType": "image/png", "buffer": b"x"},
         address=f"/?lang={language}")  # fmt: skip
    expect(page.locator("#call-at-share")).to_be_hidden()
    page.focus("#share")
    page.keyboard.press("End")
    logit = float(shift_prevalence(ROW["logit"], 0.1, 0.5))
    melanoma = 1 / (1 + 2.718281828459045**-logit)  # 0.692
    rest = 1 - melanoma
    shares = [melanoma, rest * 0.75, rest * 0.25]
    shown = page.locator(".differential tbody td span").all_inner_texts()
    numbers = [float(each.rstrip("%").replace(",", ".")) / 100 for each in shown]
    assert numbers == pytest.approx(shares, abs=6e-4)
    order = page.locator(".differential tbody tr")
    assert order.first.get_attribute("data-diagnosis") == "melanoma"
    expect(page.locator("#call-at-share")).to_be_visible()
    page.emulate_media(media="print")
    told = texts(language)["at_prevalence"].format(p="50")
    expect(page.locator("#static-share")).to_have_text(told)
    expect(page.locator("#static-share")).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_no_map_is_there_the_page_says_which_and_why(language: str) -> None:
    # The part on maps was left out altogether.
    said, slow = texts(language), "missing_too_slow"
    close = Close(None, "", None, [], [], [], slow, slow, "", {"occlusion": slow})
    found = html(answered(ROW), language, [Shown(1, "", [], "", "", 4, 4, close)])
    part = found.split(f"<h3>{said['maps_title']}</h3>")[1].split("</section>")[0]
    assert f"{said['map_occlusion']}: {said[slow]}" in part
    assert "<details open>" in part
    assert said["maps_help"] not in part
    assert html(answered(ROW, age=45.5)).count("<dd>45.5</dd>") == 1
