"""The reader's page in a real Chromium, and its catalogues."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

import lentigo
from lentigo.models.calibration import shift_prevalence
from lentigo.models.card import card_text
from lentigo.models.card_words import ENGLISH
from lentigo.models.description import read_description
from lentigo.service.page.card import card_words
from lentigo.service.page.frequency import Frequency, frequency
from lentigo.service.page.language import LANGUAGES, choose, number_text, texts
from tests.hostile.seeds import HEIC
from tests.service.browser import PHONE, as_file, opened, read, worklist
from tests.service.conftest import Served
from tests.service.test_predictions import SECRET, with_exif, with_name

TEMPLATES = Path(lentigo.__file__).parent / "service/page"


def test_a_picture_is_answered_as_python_does(
    page: Page, model: Path, images: Path, served: Served
) -> None:
    read(page, images / "0.png", prevalence_percent="2")
    own = float(lentigo.load(model).predict(images / "0.png")["logit"][0])
    shown = float(page.locator("#probability").get_attribute("data-logit") or "nan")
    assert shown == pytest.approx(float(shift_prevalence(own, 0.1, 0.02)), abs=1e-6)
    expect(page.locator(".figures")).to_contain_text("93 %")
    expect(page.locator(".figures")).to_contain_text("80–98 %")
    expect(page.locator("#frequency")).to_contain_text(re.compile(r"About \d+ of 1"))
    # A print can be found again in the log, and in the audit log.
    answer = re.search(r"Answer (\w{32}), 20..-..-.. ..:.. UTC", page.inner_text("#answer"))
    assert answer
    assert answer[1] in [each.get("request") for each in served.lines()]


def test_the_share_of_melanoma_can_be_moved_by_keyboard(page: Page, images: Path) -> None:
    read(page, images / "0.png")
    before = page.inner_text("#frequency")
    page.focus("#share")
    page.keyboard.press("End")
    assert page.inner_text("#share-said") == "50\N{NO-BREAK SPACE}%"
    assert page.inner_text("#frequency") != before


def test_several_pictures_are_one_lesion_and_can_be_zoomed(
    page: Page, images: Path
) -> None:
    read(page, images / "0.png", images / "1.png")
    expect(page.locator("figure.picture")).to_have_count(2)
    expect(page.locator(".frequency")).to_have_count(1)
    expect(page.locator("#mean")).to_contain_text("nothing is guaranteed")
    expect(page.locator(".figures")).to_have_count(0)
    picture = page.locator(".zoom img").first
    before = picture.bounding_box()
    page.locator(".zoomer input").first.press("End")
    after = picture.bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] > 7 * before["width"]


def test_what_cannot_be_judged_says_why_and_what_would_help(page: Page) -> None:
    read(page, as_file(b"no image"))
    expect(page.locator(".cannot")).to_contain_text("I cannot judge this picture")
    expect(page.locator(".cannot li")).to_have_count(4)
    expect(page.locator("#frequency")).to_have_count(0)


def test_names_of_patients_and_scripts_in_files_reach_no_page(
    page: Page, images: Path
) -> None:
    import numpy as np
    from PIL import Image

    name = f"{SECRET}<script>document.title='x'</script>.png"
    pixels = np.asarray(Image.open(images / "0.png"))
    files = [with_exif(images / "0.png"), with_name(pixels), b"broken"]
    read(page, *(as_file(each, name) for each in files))
    expect(page.locator("figure.picture")).to_have_count(3)
    assert SECRET not in page.content()
    assert "script>document" not in page.content()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("address", ["/", "/worklist", "/model"])
def test_each_page_has_its_notice_and_fits_a_phone(
    browser: Browser, served: Served, language: str, address: str
) -> None:
    with opened(browser, served.url, viewport=PHONE, color_scheme="dark") as page:
        page.goto(f"{address}?lang={language}")
        expect(page.locator("header .notice")).to_have_text(texts(language)["notice"])
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert page.get_attribute("html", "lang") == language


def test_a_heic_picture_of_a_phone_is_read_though_no_browser_shows_it(page: Page) -> None:
    heic = [HEIC / "turned.heic", HEIC / "plain.heic"]
    page.goto("/")
    page.set_input_files("#images", [str(each) for each in heic])
    expect(page.locator("#thumbs")).to_have_text(re.compile(r"Picture 1\s*Picture 2"))
    read(page, *heic)
    told = page.locator("figure.picture figcaption")
    expect(told.first).to_contain_text("48 × 64")  # upright
    expect(told.last).to_contain_text("64 × 48")
    shown = page.locator("figure.picture img").first
    assert shown.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [48, 64]
    worklist(page, *heic, count=2)
    rows = page.locator("#rows tbody tr")
    expect(rows.locator("td:nth-child(5)").first).to_contain_text("%")
    expect(rows.locator("img")).to_have_count(0)


def test_the_form_works_by_keyboard_alone(page: Page, images: Path) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.set_input_files("#images", str(images / "0.png"))
    page.focus("#age")
    page.keyboard.type("50")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "read":
            break
    page.keyboard.press("Enter")
    expect(page.locator("#frequency")).to_be_visible()


def test_a_zip_becomes_a_sorted_worklist_and_a_csv_without_formulas(
    page: Page, images: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "w.zip", "w", zipfile.ZIP_DEFLATED) as container:
        for number in range(4):
            folder = ["=cmd()", "../../etc"][number % 2]
            container.write(images / f"{number}.png", f"w/{folder}/l{number}/{SECRET}.png")
        container.writestr("w/p/l9/bad.png", "no image")
        container.writestr("w/readme.txt", "x")
    worklist(page, tmp_path / "w.zip", count=5)
    lines = page.locator("#rows tbody tr")
    expect(lines.first).to_contain_text("I cannot judge this picture")
    shown = [line.locator("td").nth(4).inner_text() for line in lines.all()][1:]
    shares = [float(each.split("%")[0]) for each in shown]
    assert shares == sorted(shares, reverse=True)
    assert SECRET not in page.content()
    lines.first.get_by_role("button").focus()
    page.keyboard.press("ArrowDown")
    expect(lines.nth(1).get_by_role("button")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#large")).to_be_visible()
    page.keyboard.press("Escape")
    page.check("#names")
    assert SECRET in page.inner_text("#rows")
    with page.expect_download() as download:
        page.click("#csv")
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert len(text.splitlines()) == 6
    assert '"abstains"' in text.splitlines()[0]
    assert "This model has no limit of abstention" in page.inner_text("#told")
    assert not re.search(r'(^|,)"?\s*[=+@-]\D', text)
    page.select_option("#filter", "unjudged")
    expect(lines).to_have_count(1)


def test_the_catalogues_have_the_same_texts_and_the_templates_ask_for_no_other() -> None:
    known = {code: texts(code) for code in LANGUAGES}
    for code, found in known.items():
        assert set(found) == set(known["en"]), code
        assert all(value.strip() for value in found.values()), code
        for key, text in found.items():
            holes = re.findall(r"\{\w+\}", text)
            assert sorted(holes) == sorted(re.findall(r"\{\w+\}", known["en"][key])), key
    asked = set()
    for path in TEMPLATES.rglob("*"):
        if path.suffix in {".j2", ".js"}:
            text = path.read_text(encoding="utf-8")
            asked |= set(re.findall(r"\bt\([\"'](\w+)[\"'][,)]", text))
            asked |= set(re.findall(r"\btexts\.(\w+)", text))
    assert len(asked) > 60
    assert asked <= set(known["en"])


@pytest.mark.parametrize(
    ("asked", "accepted", "chosen"),
    [
        ("de", "es", "de"),
        ("xx", "es-MX,es;q=0.9,en;q=0.8", "es"),
        ("", "fr, de;q=0.5, zh-CN;q=0.7", "zh"),
        ("", "fr;q=x,,;", "en"),
        ("", "de;q=0", "en"),
    ],
)
def test_the_language_is_asked_for_or_what_the_browser_prefers(
    asked: str, accepted: str, chosen: str
) -> None:
    assert choose(asked, accepted) == chosen


@pytest.mark.parametrize(
    ("probability", "expected"),
    [
        (0.031, Frequency(3, 100)),
        (0.0042, Frequency(4, 1_000)),
        (0.00049, Frequency(5, 10_000)),
        (0.00001, Frequency(1, 10_000, -1)),
        (0.0, Frequency(1, 10_000, -1)),
        (0.996, Frequency(99, 100, 1)),
        (0.99, Frequency(99, 100)),
    ],
)
def test_a_probability_is_told_as_so_many_of_a_hundred(
    probability: float, expected: Frequency
) -> None:
    assert frequency(probability) == expected


def test_views_and_an_outline_are_there_when_asked_for(page: Page, images: Path) -> None:
    read(page, images / "0.png")
    expect(page.locator(".views li")).to_have_count(0)
    read(page, images / "0.png", views="1")
    expect(page.locator(".views li")).to_have_count(9)
    expect(page.locator(".views li").last).to_contain_text("Expected agreement")


def test_maps_are_off_until_asked_for_and_then_stand_beside_their_checks(
    page: Page, images: Path
) -> None:
    read(page, images / "0.png")
    expect(page.locator(".outline img")).to_be_visible()
    expect(page.locator("table.abcd")).to_be_visible()
    expect(page.locator(".maps li")).to_have_count(0)
    read(page, images / "0.png", maps="all")
    expect(page.locator(".maps li")).to_have_count(4)
    expect(page.locator(".maps dd")).to_have_count(20)


def test_the_lesion_that_differs_most_is_marked_for_each_patient(
    page: Page, images: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "w.zip", "w") as container:
        for number in range(6):
            patient = "p1" if number < 4 else "p2"
            container.write(images / f"{number}.png", f"w/{patient}/l{number}/a.png")
    worklist(page, tmp_path / "w.zip", count=6)
    expect(page.locator("#rows tr.odd")).to_have_count(1)
    expect(page.locator("#rows tr.odd")).to_contain_text("Differs most")
    page.select_option("#filter", "odd")
    expect(page.locator("#rows tbody tr")).to_have_count(1)


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_no_sentence_of_the_model_card_stays_english(model: Path, language: str) -> None:
    known = read_description(model)
    mine, words = card_text(known, card_words(language)), card_words(language).texts
    english = [text for text in ENGLISH.values() if len(text) > 20]
    assert card_text(known, card_words("en")) == (model / "card.md").read_text("utf-8")
    assert set(words) == {*ENGLISH, "too_few"}
    for text in english:
        begin = text.partition("{")[0]
        assert len(begin) < 8 or begin not in mine, text
    assert words["title"] in mine
    assert number_text("0.1", language) in mine


def test_the_model_page_is_in_its_language(page: Page) -> None:
    page.goto("/model?lang=de")
    expect(page.locator(".card h3").first).to_have_text("Was hineingeht, was herauskommt")
    expect(page.locator(".card")).to_contain_text("kein Medizinprodukt")
    expect(page.locator("body")).not_to_contain_text("chosen on")


def test_an_answer_is_kept_in_another_language(page: Page, images: Path) -> None:
    read(page, images / "0.png", maps="occlusion", age="61")
    page.focus("#share")
    page.keyboard.press("End")
    shown = page.locator("[data-picture]")
    before = [each.get_attribute("src") for each in shown.all()]
    number = sorted(re.findall(r"\d+", page.inner_text("#frequency")))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.resource_type))
    for language in ("de", "es", "zh", "en"):
        page.locator(f".languages a[hreflang={language}]").click()
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.locator("h1")).to_have_text(texts(language)["result_title"])
        assert sorted(re.findall(r"\d+", page.inner_text("#frequency"))) == number
        assert [each.get_attribute("src") for each in shown.all()] == before
        expect(page.locator(".languages a[aria-current]")).to_be_focused()
    assert not {"document", "fetch", "xhr"} & set(asked)
    expect(page.locator("dl.asked")).to_contain_text("61")
    expect(page.locator(".maps li")).to_have_count(1)


def test_the_form_keeps_what_was_chosen_in_another_language_and_after_an_error(
    browser: Browser, served: Served, images: Path
) -> None:
    with opened(browser, served.url, known="status of 422") as page:
        page.goto("/")
        page.set_input_files("#images", str(images / "0.png"))
        page.fill("#age", "61")
        page.fill("#explain", "7")
        page.locator(".languages a[hreflang=de]").click()
        page.click("#read")
        expect(page.locator(".problem")).to_contain_text("from 1 to 1")
        expect(page.locator(".problem")).to_be_focused()
        expect(page.locator("#thumbs img")).to_have_count(1)
        assert page.input_value("#age") == "61"
        page.fill("#explain", "")
        held: list[Route] = []
        page.route("**/?lang=*", lambda route: held.append(route))
        with page.expect_request("**/?lang=de"):
            page.click("#read")
        page.locator(".languages a[hreflang=es]").click()
        expect(page.locator("#busy")).to_have_text(texts("es")["busy"])
        held.pop().continue_()
        expect(page.locator("h1")).to_have_text(texts("es")["result_title"])
        expect(page.locator("dl.asked")).to_contain_text("61")


def test_any_picture_can_be_looked_at_closer(page: Page, images: Path) -> None:
    read(page, *(images / f"{number}.png" for number in range(6)), explain="2")
    close = page.locator("section.close")
    expect(close).to_have_count(1)
    page.get_by_role("button", name="Look at picture 5 closer").click()
    expect(close).to_have_count(2)
    expect(page.locator("#close-5")).to_be_focused()
    expect(page.get_by_text("Not looked at closer: picture")).to_have_count(4)
    page.locator(".languages a[hreflang=de]").click()
    expect(page.locator("#close-5")).to_contain_text("Bild 5")
    expect(page.locator('[data-closer="5"] img')).to_have_attribute(
        "src", re.compile("data")
    )
    page.get_by_role("button", name="Bild 1 näher ansehen").click()
    expect(close).to_have_count(3)
    page.go_back()
    expect(page.locator("section.judgement")).to_have_count(0)


def test_a_closer_look_that_comes_late_is_in_the_language_of_the_page(
    page: Page, images: Path
) -> None:
    read(page, images / "0.png", images / "1.png", explain="1")
    held: list[Route] = []
    page.route("**/?lang=*", lambda route: held.append(route))
    with page.expect_request("**/?lang=en"):
        page.get_by_role("button", name="Look at picture 2 closer").click()
    page.locator(".languages a[hreflang=de]").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    held.pop().continue_()
    expect(page.locator("#close-2")).to_contain_text("Bild 2")
    page.locator(".languages a[hreflang=en]").click()
    expect(page.locator("#close-2")).to_contain_text("Picture 2")


def test_the_skip_link_keeps_the_answer(page: Page, images: Path) -> None:
    read(page, images / "0.png")
    answer = page.locator("section.judgement")
    page.focus("a.skip")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#main$"))
    expect(answer).to_have_count(1)
    page.go_back()
    expect(answer).to_have_count(1)
    page.go_back()
    expect(answer).to_have_count(0)


def test_without_scripts_the_answer_is_a_page_of_its_own(
    browser: Browser, served: Served, images: Path
) -> None:
    with opened(browser, served.url, java_script_enabled=False) as page:
        read(page, images / "0.png", images / "1.png", explain="2")
        expect(page.locator("section.close")).to_have_count(1)
        expect(page.locator("#close-2")).to_be_visible()
