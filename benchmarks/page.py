"""Measure how soon the pages of `lentigo serve` show their largest part in a real Chromium.

    python benchmarks/page.py MODEL IMAGE… [--rounds 7]

The service runs as a process of its own on loopback. Of each page, opened in a new window
without a cache, the largest contentful paint is counted from the start of the navigation,
as Chromium reports it (https://www.w3.org/TR/largest-contentful-paint/). An answer takes
the place of the form without a navigation: of it, the time is counted from the click until
the frame in which its picture is painted, and that of the service alone beside it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright
from serving import Service

PAGES = {"form": "", "worklist": "worklist", "model": "model"}
"""Address of each page that is there without a picture."""

_PAINT = """() => new Promise(resolve => {
  const first = performance.getEntriesByType('navigation')[0].responseStart;
  new PerformanceObserver(list => {
    const last = list.getEntries().at(-1);
    resolve([last.startTime, last.startTime - first]);
  }).observe({ type: 'largest-contentful-paint', buffered: true });
})"""


_ANSWERED = """async () => {
  const begun = performance.now();
  document.getElementById('read').click();
  let picture = null;
  while (!(picture = document.querySelector('.picture img'))) {
    await new Promise(resolve => setTimeout(resolve, 5));
  }
  await picture.decode();
  await new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  const asked = performance.getEntriesByType('resource').filter(
    each => each.initiatorType === 'fetch').at(-1);
  return [performance.now() - begun, performance.now() - asked.responseStart];
}"""
"""Sends the form; gives ms until the answer is painted, from the click and from its first
byte."""


def painted(page: Page) -> tuple[float, float]:
    """Return ms until the largest paint, from the start and from the first byte."""
    page.wait_for_load_state("networkidle")
    whole, after = page.evaluate(_PAINT)
    return whole, after


def measure(browser: Browser, url: str, image: Path | None, place: str) -> list[float]:
    """Open a page once, or read an image; return what `painted` does."""
    context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"/{place}")
    if image is not None:
        page.set_input_files("#images", str(image))
    found = painted(page) if image is None else page.evaluate(_ANSWERED)
    context.close()
    return [*found]


def main() -> None:
    """Measure, and print a line a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("images", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    given = parser.parse_args()
    service = Service(given.model)
    jobs = [(name, None, place) for name, place in PAGES.items()]
    jobs += [(f"answer for {path.name}", path, "") for path in given.images]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=given.chromium, args=["--no-sandbox"]
        )
        for name, image, place in jobs:
            times = np.array(
                [measure(browser, service.url, image, place) for _ in range(given.rounds)]
            )
            (whole, after), most = np.median(times, axis=0), times.max(axis=0)
            print(
                f"{name}: largest paint after {whole:.0f} ms (most {most[0]:.0f}); "
                f"{after:.0f} ms (most {most[1]:.0f}) after the first byte"
            )
        browser.close()
    service.end()


if __name__ == "__main__":
    main()
