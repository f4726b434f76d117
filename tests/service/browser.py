"""A real Chromium for the tests of the page, on whose pages nothing may go wrong."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    FilePayload,
    Page,
    Request,
    expect,
    sync_playwright,
)

PHONE = {"width": 360, "height": 740}


def chromium() -> str:
    """Return where Chromium lies; skip the test where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("no Chromium here (Debian: apt-get install chromium)")


@contextmanager
def browsing() -> Iterator[Browser]:
    """Run a Chromium without a window."""
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(
    browser: Browser, url: str, *, known: str = "\0", **options: Any
) -> Iterator[Page]:
    """Open a page that asks only `url`, and on which no script fails.

    At the end there may have been no error in its console (what its policy forbids is one),
    no script that failed, and no request to anywhere else. Playwright waits up to two
    minutes for what it is told to expect, on a machine that has much else to do.
    """
    context = browser.new_context(base_url=url, **{"locale": "en-GB", **options})
    context.set_default_timeout(120_000)
    expect.set_options(timeout=120_000)
    page = context.new_page()
    wrong: list[str] = []

    def heard(line: ConsoleMessage) -> None:
        if line.type in {"error", "warning"}:
            wrong.append(line.text)

    def asked(request: Request) -> None:
        if not request.url.startswith((url, "data:", f"blob:{url}")):
            wrong.append(request.url)

    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", heard)
    context.on("request", asked)
    try:
        yield page
    finally:
        context.close()
    assert not (found := [each for each in wrong if known not in each]), found


def read(page: Page, *files: Any, address: str = "/", **fields: str) -> None:
    """Choose files on the form, fill in fields, and read."""
    page.goto(address)
    given: Any = [f if isinstance(f, dict) else str(f) for f in files]
    page.set_input_files("#images", given)
    for name, value in fields.items():
        one = page.locator(f"#{name}")
        kind = one.evaluate("each => each.type")
        if kind == "checkbox":
            one.check()
        elif kind.startswith("select"):
            one.select_option(value)
        else:
            one.fill(value)
    page.locator("#read").click(no_wait_after=True)
    expect(page.locator("section.judgement")).to_be_visible()


def as_file(content: bytes, name: str = "x.png") -> FilePayload:
    """Return bytes as a file that can be chosen on a page."""
    return FilePayload(name=name, mimeType="image/png", buffer=content)


def worklist(page: Page, *files: Path, count: int, address: str = "/worklist") -> None:
    """Choose files or a folder for the worklist, and wait until `count` rows are there."""
    page.goto(address)
    field = "#folder" if files[0].is_dir() else "#files"
    page.set_input_files(field, [str(each) for each in files])
    expect(page.locator("#rows tbody tr")).to_have_count(count)
    expect(page.locator("#progress")).to_be_hidden()
