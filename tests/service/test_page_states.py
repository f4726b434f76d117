"""The page in a real Chromium: each state of it, by each kind of reader."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from lentigo.explanation.served import REASONS
from lentigo.models.operating_point import Kind
from lentigo.service.page.language import LANGUAGES, number_text, texts
from lentigo.service.page.result import PHRASES
from tests.service.browser import PHONE, as_file, opened, read, worklist
from tests.service.conftest import Served, write_images
from tests.service.test_page import TEMPLATES
from tests.service.test_predictions import SECRET, with_name

WIDE = {"width": 1280, "height": 900}
ZOOMED = {"width": 640, "height": 450}
"""What a wide window shows at 200 %."""


@pytest.fixture(scope="session")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 200 pictures: 20 patients with 5 lesions each, 2 pictures of a lesion."""
    flat = write_images(tmp_path_factory.mktemp("clinic") / "flat", count=200)
    folder = flat.with_name("clinic")
    for number, path in enumerate(sorted(flat.iterdir())):
        lesion = folder / f"patient{number // 10}" / f"lesion{number // 2 % 5}"
        lesion.mkdir(parents=True, exist_ok=True)
        shutil.move(path, lesion / path.name)
    return folder


def form(page: Page, images: Path, leaves: Path) -> None:
    page.goto("/")
    page.click("#read")
    expect(page.locator("#busy")).to_have_text("Choose a picture first.")


def one(page: Page, images: Path, leaves: Path) -> None:
    read(page, images / "0.png", age="61", sex="male", views="1", maps="all")
    page.locator("details summary").click()


def several(page: Page, images: Path, leaves: Path) -> None:
    read(page, images / "0.png", images / "1.png", operating_point="youden")


def doubted(page: Page, images: Path, leaves: Path) -> None:
    read(page, leaves)
    for each in page.locator("summary").all():
        each.click()


def refused(page: Page, images: Path, leaves: Path) -> None:
    read(page, as_file(b"no image"))


def wrong(page: Page, images: Path, leaves: Path) -> None:
    page.goto("/")
    page.set_input_files("#images", str(images / "0.png"))
    page.evaluate("document.getElementById('sex').options[1].value = 'x'")
    page.select_option("#sex", "x")
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.locator("#read").click(no_wait_after=True)
    expect(page.get_by_role("alert")).to_contain_text("Sex: It is one of")


def working(page: Page, images: Path, leaves: Path) -> None:
    worklist(page, *sorted(images.iterdir()), leaves, count=7)


def enlarged(page: Page, images: Path, leaves: Path) -> None:
    working(page, images, leaves)
    page.locator(".look").first.press("Enter")
    expect(page.locator("#large")).to_be_visible()


def model(page: Page, images: Path, leaves: Path) -> None:
    page.goto("/model")


STATES = [form, one, several, doubted, refused, working, enlarged, model]


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_no_fault_and_nothing_is_wider_than_the_screen(
    browser: Browser,
    served: Served,
    images: Path,
    leaves: Path,
    state: Callable[[Page, Path, Path], None],
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    with opened(browser, served.url) as page:
        state(page, images, leaves)
        page.set_viewport_size(ZOOMED)  # type: ignore[arg-type]
        assert page.evaluate("document.documentElement.scrollWidth") <= ZOOMED["width"]
        for scheme, size in (("light", WIDE), ("dark", PHONE)):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.set_viewport_size(size)  # type: ignore[arg-type]
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
            found = axe.run(page).response
            assert found["violations"] == [], (scheme, size)
            assert len(found["passes"]) > 10


def test_a_picture_that_cannot_be_judged_is_never_said_not_to_be_called(
    page: Page, images: Path, leaves: Path
) -> None:
    worklist(page, images / "0.png", leaves, count=2)
    row = page.locator("#rows tbody tr", has_text="does not look like dermoscopy")
    expect(row).to_contain_text("Melanoma is called")
    page.select_option("#operating_point", "youden")  # above what the model says of both
    expect(page.locator("#rows")).not_to_contain_text("Melanoma is called")
    expect(row).to_contain_text("I cannot judge this picture")
    expect(row).to_contain_text("Nothing is called")


def test_a_field_that_is_refused_is_named_on_the_form(
    browser: Browser, served: Served, images: Path, leaves: Path
) -> None:
    # Chromium counts an answer 422 among its errors.
    with opened(browser, served.url, known="status of 422") as page:
        wrong(page, images, leaves)


def test_a_photograph_of_no_lesion_is_not_judged_and_its_measures_are_folded_away(
    page: Page, leaves: Path
) -> None:
    read(page, leaves)
    expect(page.locator(".cannot")).to_contain_text("does not look like dermoscopy")
    expect(page.locator("#frequency")).to_be_hidden()
    expect(page.locator(".cases, table.abcd, .outline").first).to_be_hidden()
    page.get_by_text("Show the number all the same").click()
    expect(page.locator("#frequency")).to_be_visible()
    page.get_by_text("Show the measures and similar cases all the same").click()
    expect(page.get_by_text("may be of something that is no lesion")).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_why_a_part_is_missing_is_said_in_the_language_of_the_page(
    page: Page, images: Path, language: str
) -> None:
    read(page, images / "0.png", address=f"/?lang={language}", maps="all")
    said = texts(language)
    expect(page.locator("section.close")).to_contain_text(said["missing_no_index"])
    page.locator("details summary").click()
    expect(page.locator("details li")).to_contain_text([said["missing_network_lacks"]])
    expect(page.locator("section.close [lang]")).to_have_count(0)
    assert page.locator(".figures").get_by_text("%").count() >= 2
    aim = said["aim_guaranteed_sensitivity"].format(p=95, c=95)
    expect(page.locator("section.judgement")).to_contain_text(aim)


def test_each_reason_and_each_kind_of_point_has_a_text() -> None:
    keys = {f"missing_{kind}" for kind in REASONS} | {key for _, key in PHRASES}
    keys |= {f"aim_{kind}" for kind in get_args(Kind)}
    assert len(keys) > 20
    assert keys <= set(texts("en"))


@pytest.mark.parametrize(
    ("language", "said"), [("en", "1,000.5"), ("de", "1.000,5"), ("es", "1.000,5")]
)
def test_numbers_are_written_as_the_language_writes_them(language: str, said: str) -> None:
    assert number_text("1,000.5", language) == said


def test_each_printed_page_has_the_notice_in_the_language_of_the_page() -> None:
    style = (TEMPLATES / "static/page.css").read_text(encoding="utf-8")
    for language in LANGUAGES:
        assert f'content: "{texts(language)["notice"]}"' in style
        assert language == "en" or f"body:lang({language}) {{ page: {language}; }}" in style


def test_two_hundred_pictures_are_sorted_grouped_filtered_and_saved(
    page: Page, clinic: Path
) -> None:
    worklist(page, clinic, count=100)
    lines = page.locator("#rows tbody tr")
    cells = [each.split("\t") for each in lines.evaluate_all(_CELLS)]
    numbers = [int(n) for each in cells for n in each[1].split(",")]
    assert sorted(numbers) == list(range(1, 201))
    shares = [float(each[4].split("%")[0]) for each in cells if "%" in each[4]]
    assert shares == sorted(shares, reverse=True)
    assert len(shares) > 90
    page.select_option("#order", "patient")
    patients = [each.split("\t")[2] for each in lines.evaluate_all(_CELLS)]
    changes = sum(a != b for a, b in pairwise(patients))
    assert changes == 19  # those of a patient stand together
    page.select_option("#filter", "odd")
    expect(lines).to_have_count(20)
    expect(lines.first).to_contain_text("Differs most")
    page.fill("#above", "100")
    expect(lines).to_have_count(0)
    expect(page.locator("#none")).to_be_visible()
    page.fill("#above", "0")
    with page.expect_download() as download:
        page.click("#csv")
    rows = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len(rows) == 21
    assert '"tiny ' in rows[1]
    assert '"sensitivity_95"' in rows[1]


_CELLS = "rows => rows.map(row => [...row.cells].map(cell => cell.innerText).join('\\t'))"


def test_the_list_is_gone_through_by_keyboard_alone(page: Page, images: Path) -> None:
    worklist(page, *sorted(images.iterdir()), count=6)
    looks = page.locator(".look")
    page.focus("#files")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "look":
            break
    expect(looks.first).to_be_focused()
    for key, place in (("End", 5), ("k", 4), ("Home", 0), ("j", 1)):
        page.keyboard.press(key)
        expect(looks.nth(place)).to_be_focused()
    page.keyboard.press(" ")
    title = page.locator("#large-title")
    said = title.inner_text()
    page.keyboard.press("ArrowDown")
    expect(title).not_to_have_text(said)
    page.keyboard.press("Escape")
    expect(looks.nth(2)).to_be_focused()
    assert page.locator('.look[tabindex="0"]').count() == 1


def test_another_share_or_threshold_asks_anew_and_the_list_says_which(
    page: Page, images: Path
) -> None:
    worklist(page, *sorted(images.iterdir()), count=6)
    told, share = page.locator("#told"), page.locator("#rows tbody td:nth-child(5)")
    expect(told).to_contain_text("share of melanoma: 10 %")
    expect(told).to_contain_text("to find 95 % of melanomas, guaranteed")
    before = share.all_inner_texts()
    page.fill("#share", "1")
    page.locator("#share").press("Tab")
    expect(told).to_contain_text("share of melanoma: 1 %")
    expect(page.locator("#progress")).to_be_hidden()
    expect(share).to_have_count(6)
    after = share.all_inner_texts()
    assert [_percent(b) > _percent(a) for a, b in zip(after, before, strict=True)] == [
        True
    ] * 6


def _percent(said: str) -> float:
    return float(said.split("%")[0])


def test_names_of_files_leave_the_browser_in_no_request(
    page: Page, images: Path, tmp_path: Path
) -> None:
    folder = tmp_path / SECRET / f"{SECRET}-lesion"
    folder.mkdir(parents=True)
    shutil.copy(images / "0.png", folder / f"{SECRET}.png")
    page.add_init_script(_NOTE_WHAT_IS_SENT)
    worklist(page, tmp_path / SECRET, count=1)
    sent = page.evaluate("window.sent")
    assert ["images", "picture"] in sent
    assert len(sent) > 3
    assert SECRET not in str(sent)
    assert SECRET not in page.content()


_NOTE_WHAT_IS_SENT = """
window.sent = [];
const fetched = window.fetch;
window.fetch = (address, wish) => {
  const fields = wish.body instanceof FormData ? [...wish.body] : [["", wish.body]];
  for (const [name, value] of fields) window.sent.push([name, value.name || String(value)]);
  return fetched(address, wish);
};
"""


def test_a_dicom_file_in_the_list_is_read_though_no_browser_shows_it(
    page: Page, images: Path, tmp_path: Path
) -> None:
    pixels = np.asarray(Image.open(images / "0.png"))
    (tmp_path / "a.dcm").write_bytes(with_name(pixels))
    worklist(page, tmp_path / "a.dcm", count=1)
    row = page.locator("#rows tbody tr")
    expect(row).to_contain_text(re.compile(r"\d\s%"))
    row.click()
    expect(page.locator("#large-pictures")).to_contain_text("cannot show the file")
    assert SECRET not in page.content()


def test_a_picture_can_be_dropped_on_the_form(page: Page) -> None:
    page.goto("/")
    carried = page.evaluate_handle(
        "() => { const d = new DataTransfer();"
        " d.items.add(new File(['x'], 'x.dcm')); return d; }"
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": carried})
    expect(page.locator("#thumbs li")).to_have_text(["Picture 1"])


def test_too_large_a_file_is_not_sent(page: Page) -> None:
    page.goto("/")
    page.evaluate("document.getElementById('lesion').dataset.mb = '0.001'")
    page.set_input_files("#images", as_file(bytes(2_000)))
    page.click("#read")
    expect(page.locator("#busy")).to_contain_text("at most 20 files of 0.001 MB")


def test_nothing_moves_for_who_asks_for_less_motion(page: Page) -> None:
    page.goto("/")
    found = []
    for wish in ("no-preference", "reduce"):
        page.emulate_media(reduced_motion=wish)
        style = "getComputedStyle(document.getElementById('read')).transitionDuration"
        found.append(page.evaluate(style))
    assert found == ["0.15s", "0s"]


@pytest.fixture
def printed(page: Page) -> Page:
    """A page as it is printed on A4."""
    page.set_viewport_size({"width": 680, "height": 960})
    return page


def test_a_print_has_all_columns_the_model_and_no_controls(
    printed: Page, images: Path, leaves: Path
) -> None:
    worklist(printed, *sorted(images.iterdir()), leaves, count=7)
    printed.emulate_media(media="print")
    assert printed.evaluate("document.documentElement.scrollWidth") <= 680
    right = printed.locator("#rows tbody td:nth-child(8)").first.bounding_box()
    assert right is not None
    assert right["x"] + right["width"] <= 680
    expect(printed.locator("#told")).to_contain_text("Model tiny")
    expect(printed.locator(".notice")).to_be_visible()
    expect(printed.locator("button:visible:not(.look)")).to_have_count(0)
    assert printed.pdf().startswith(b"%PDF")


def test_the_other_language_of_a_model_is_that_of_the_same_model(
    page: Page, served: Served
) -> None:
    page.goto("/model?model=tiny&lang=en")
    page.get_by_role("link", name="Deutsch").click()
    expect(page).to_have_url(f"{served.url}model?model=tiny&lang=de")
    expect(page.locator("h1")).to_have_text("Das Modell: tiny")
