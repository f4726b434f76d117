"""The worklist in a real Chromium: which files it reads, and what it says of the others."""

from __future__ import annotations

import csv
import io
import zipfile
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from lentigo.files import csv_text
from lentigo.inference.predict import load
from lentigo.service.page.language import texts
from tests.service.browser import opened, worklist
from tests.service.conftest import Served
from tests.service.test_predictions import SECRET, with_name


def test_each_file_of_a_zip_is_a_row_or_is_counted(
    page: Page, images: Path, tmp_path: Path
) -> None:
    pixels = np.asarray(Image.open(images / "0.png"))
    with zipfile.ZipFile(tmp_path / "w.zip", "w") as container:
        container.write(images / "0.png", "a.png")
        container.write(images / "1.png", "b.png", zipfile.ZIP_BZIP2)
        container.writestr("IM0001", with_name(pixels), zipfile.ZIP_DEFLATED)
        container.writestr("c.png", b"")
        container.writestr(f"{SECRET}.gif", b"GIF89a")
        container.writestr("inner.zip", b"PK")
        container.writestr("__MACOSX/._a.png", b"x")
    worklist(page, tmp_path / "w.zip", count=4)
    rows = page.locator("#rows tbody tr")
    expect(rows.filter(has_text="cannot be unpacked from the zip")).to_have_count(1)
    expect(rows.filter(has_text="The image is empty.")).to_have_count(1)
    expect(rows.filter(has_text="I cannot judge this picture")).to_have_count(2)
    left = page.locator("#left")
    expect(left).to_have_text("Files left out as no pictures: 2 (.gif 1, .zip 1).")
    assert SECRET not in page.content()
    page.check("#names")
    expect(left).to_contain_text(f"{SECRET}.gif, inner.zip")


def test_too_large_a_picture_of_a_lesion_leaves_the_others_their_answer(
    page: Page, images: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "w.zip", "w", zipfile.ZIP_DEFLATED) as container:
        container.write(images / "0.png", "p/l/a.png")
        large = (images / "0.png").read_bytes() + bytes(51_000_000)
        container.writestr("p/l/b.png", large)
    worklist(page, tmp_path / "w.zip", count=1)
    row = page.locator("#rows tbody tr")
    expect(row).to_contain_text("Picture 2 is larger than 50 MB.")
    expect(row).to_contain_text("% (without picture 2)")
    expect(row).not_to_contain_text("I cannot judge")


def test_a_lesion_is_shown_by_a_picture_that_the_browser_can_show(
    page: Page, images: Path, tmp_path: Path
) -> None:
    pixels = np.asarray(Image.open(images / "0.png"))
    with zipfile.ZipFile(tmp_path / "w.zip", "w") as container:
        container.writestr("p/l/a.dcm", with_name(pixels))
        container.write(images / "1.png", "p/l/b.png")
        container.writestr("p/m/c.dcm", with_name(pixels))
    worklist(page, tmp_path / "w.zip", count=2)
    looks = page.locator("#rows .look")
    expect(looks.filter(has=page.locator('img[alt="Picture 2: enlarge"]'))).to_have_count(1)
    expect(looks.filter(has_text="Picture 3")).to_have_count(1)
    # Of a mean nothing is guaranteed, whatever is of the operating point.
    expect(page.locator("#told")).to_contain_text(texts("en")["list_mean"])


@pytest.mark.parametrize("told", [True, False])
def test_what_a_list_does_not_tell_the_model_is_said(
    page: Page, images: Path, tmp_path: Path, told: bool
) -> None:
    judged = {"probability": 0.2, "call": "", "reason": "", "sha256": "", "features": ""}
    answer = {
        "model": {"name": "m", "version": "v", "abstains": True},
        "operating_point": "youden", "prevalence": 0.1,
        "images": [{**judged, "metadata": "none" if told else ""}],
        "lesions": [{**judged, "context": 0 if told else None, "memo": "note"}],
    }  # fmt: skip

    def respond(route: Route) -> None:
        if 'name="before"' in (route.request.post_data_buffer or b"").decode("latin-1"):
            route.fulfill(body="half an answ")
        else:
            route.fulfill(json=answer)

    with zipfile.ZipFile(tmp_path / "w.zip", "w") as container:
        for lesion in "12":
            container.write(images / "0.png", f"p/{lesion}/a.png")
    page.route("**/v1/predictions", respond)
    worklist(page, tmp_path / "w.zip", count=2)
    with page.expect_download() as download:
        page.click("#csv")
    saved = download.value.path().read_text(encoding="utf-8-sig").splitlines()[1]
    for text in (page.locator("#told").inner_text(), saved):
        for key in ("list_untold", "list_alone"):
            assert (texts("en")[key] in text) == told
        assert texts("en")["list_mean"] not in text


def test_of_lesions_that_are_all_the_same_none_differs_most(page: Page) -> None:
    page.goto("/worklist")
    odd = "isOdd({ odd: { rank: 1, oddness: %s } })"
    assert [page.evaluate(odd % value) for value in (0, 0.4)] == [False, True]


@pytest.mark.parametrize("separator", ["/", "\\"])
def test_a_zip_of_one_patient_is_read_as_one_patient(
    page: Page, images: Path, tmp_path: Path, separator: str
) -> None:
    with zipfile.ZipFile(tmp_path / "w.zip", "w") as container:
        for number, name in enumerate(("P1/L0/a.png", "P1/L0/b.png", "P1/L1/a.png")):
            entry = zipfile.ZipInfo("x")
            entry.filename = name.replace("/", separator)
            container.writestr(entry, (images / f"{number}.png").read_bytes())
    worklist(page, tmp_path / "w.zip", count=2)
    told = page.locator("#told")
    expect(told).to_contain_text("Read as: patients 1, lesions 2, pictures 3.")


_GROUPED = """names => {
  const files = names.map(name => ({ name, file: new Blob(["x"]), bad: "" }));
  return window.lentigoFiles.grouped(files, 20, 1e8)
    .map(each => [each.patient, each.lesion, ...each.parts.map(part => part.length)]);
}"""


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["P1/L1/a.png", "P1/L2/a.png"], [[1, 1, 1], [1, 2, 1]]),
        (["c/P1/L1/a.png", "c/P2/L1/a.png"], [[1, 1, 1], [2, 1, 1]]),
        (["P1/L1/a.png", "P2/L1/a.png"], [[1, 1, 1], [2, 1, 1]]),
        (["c/a.png", "c/b.png"], [[1, 1, 1], [2, 1, 1]]),
        ([f"P1/L1/{n}.png" for n in range(25)], [[1, 1, 20, 5]]),
    ],
)
def test_folders_say_which_pictures_are_of_one_lesion(
    page: Page, names: list[str], expected: list[Any]
) -> None:
    page.goto("/worklist")
    assert page.evaluate(_GROUPED, names) == expected


def test_a_filter_is_told_and_hides_nothing_that_nobody_judged(
    page: Page, images: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.png").write_bytes(b"no image")
    worklist(page, images / "0.png", images / "1.png", tmp_path / "bad.png", count=3)
    told = page.locator("#told")
    expect(told).not_to_contain_text("Shown:")
    page.fill("#above", "99")
    expect(page.locator("#rows tbody tr")).to_have_count(1)
    expect(page.locator("#rows tbody tr")).to_contain_text("I cannot judge this picture")
    expect(told).to_contain_text("Shown: 1 of 3 (≥ 99 %).")
    with page.expect_download() as download:
        page.click("#csv")
    head, row = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert '"shown"' in head
    assert "Shown: 1 of 3 (≥ 99" in row


def test_a_choice_that_is_not_taken_leaves_the_list_as_it_was(
    browser: Browser, served: Served, images: Path, tmp_path: Path
) -> None:
    with opened(browser, served.url, known="status of 422") as page:
        worklist(page, images / "0.png", images / "1.png", count=2)
        rows, status = page.locator("#rows tbody tr"), page.locator("#status")
        before = rows.all_inner_texts()
        page.fill("#share", "0")
        page.locator("#share").press("Tab")
        expect(status).to_contain_text("a number from 0.01 to 99")
        assert rows.all_inner_texts() == before
        page.fill("#share", "")
        page.evaluate("document.getElementById('operating_point').options[1].value = 'x'")
        page.select_option("#operating_point", "x")
        expect(status).to_contain_text("'x'")
        (tmp_path / "no.zip").write_bytes(b"no zip")
        page.set_input_files("#files", str(tmp_path / "no.zip"))
        expect(status).to_have_text("The zip cannot be read.")
        assert rows.all_inner_texts() == before


def test_a_list_is_not_thrown_away_without_a_question(page: Page, images: Path) -> None:
    worklist(page, images / "0.png", count=1)
    asked: list[str] = []

    def stay(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.locator("nav a").first.click(no_wait_after=True)
    expect(page.locator("#rows tbody tr")).to_have_count(1)
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    assert "/worklist" in page.url
    page.remove_listener("dialog", stay)


def test_a_list_that_is_being_read_goes_on_in_another_language(
    page: Page, images: Path
) -> None:
    page.goto("/worklist")
    held: list[Route] = []
    open_: list[bool] = []

    def hold(route: Route) -> None:
        if open_:
            route.continue_()
        else:
            held.append(route)

    page.route("**/v1/predictions", hold)
    files = [str(images / f"{number}.png") for number in range(3)]
    page.fill("#share", "5")
    page.set_input_files("#files", files)
    page.locator(".languages a[hreflang=de]").click()
    expect(page.locator("h1")).to_have_text(texts("de")["worklist_title"])
    expect(page.locator("#status")).to_have_text(texts("de")["busy"])
    open_.append(True)
    for each in held:
        each.continue_()
    rows = page.locator("#rows tbody tr")
    expect(rows).to_have_count(3)
    expect(page.locator("#progress")).to_be_hidden()
    expect(page.locator("#told")).to_contain_text("Gelesen als: Patienten 3")
    for language in ("zh", "es", "en"):
        page.locator(f".languages a[hreflang={language}]").click()
        expect(rows).to_have_count(3)
        expect(rows.first).to_contain_text(texts(language)["called"])
        expect(page.locator("th").first).to_have_text(texts(language)["rank"])
    assert page.input_value("#share") == "5"
    assert page.locator("#files").evaluate("each => each.files.length") == 3
    assert page.url.endswith("/worklist?lang=en")


def test_a_lesion_of_many_pictures_is_answered_for_as_predict_does(
    page: Page, images: Path, tmp_path: Path, model: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "w.zip", "w") as container:
        for number in range(21):
            container.write(images / f"{number // 20}.png", f"P1/L1/{number:02}.png")
        container.writestr("P1/L1/99.png", b"no image")
    worklist(page, tmp_path / "w.zip", count=1)
    row = page.locator("#rows tbody tr")
    expect(row).to_contain_text("Its 22 pictures were read in 2 parts")
    table = pd.DataFrame({"path": [str(images / "0.png")] * 20 + [str(images / "1.png")]})
    table = table.assign(image_id=[*map(str, range(21))], dataset="x", lesion_id="L1")
    (all_of_them,) = load(model).predict_lesions(table)["logit"]
    with page.expect_download() as download:
        page.locator("#csv").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    (saved,) = csv.DictReader(io.StringIO(text))
    assert float(saved["probability"]) == pytest.approx(
        1 / (1 + exp(-all_of_them)), abs=1e-6
    )
    expect(row).to_contain_text("(without picture 22)")
    expect(row).to_contain_text("Picture 22: No number could be computed for it.")
    expect(row).to_contain_text("22: The image holds no JPEG")
    expect(page.locator("#told")).to_contain_text("patients 1, lesions 1, pictures 22")


def test_a_name_that_turns_the_order_of_letters_is_written_out(
    page: Page, images: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "w.zip", "w") as container:
        container.write(images / "0.png", "a\u202egnp.png")
        container.writestr("b\u2066.txt", "no picture")
    worklist(page, tmp_path / "w.zip", count=1)
    page.check("#names")
    expect(page.locator("#rows tbody tr")).to_contain_text(r"a\u202egnp.png")
    expect(page.locator("#left")).to_contain_text(r"b\u2066.txt")
    assert not {"\u202e", "\u2066"} & set(page.content())


def test_the_csv_of_the_page_and_of_the_commands_guard_the_same_cells(page: Page) -> None:
    cells = [
        'mole;"=HYPERLINK(1)".png', "=1+1", "  '\"+1+1", "a;b", "a\t@b", "a\n-b", "plain",
        "-1.5", "+2", "-1e-7", ".5", "-x", "a;;=1", '"', "\uff1d1", "|x", "%x", "a = b",
    ]  # fmt: skip
    page.goto("/worklist")
    with page.expect_download() as download:
        page.evaluate("rows => window.lentigoSaveCsv(rows, 'x.csv')", [[c] for c in cells])
    text = download.value.path().read_bytes().decode("utf-8-sig")
    ours = csv_text(pd.DataFrame({"x": cells}), header=False)
    saved, written = (list(csv.reader(io.StringIO(t, newline=""))) for t in (text, ours))
    assert saved == written
