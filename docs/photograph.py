"""Take the pictures of the page that stand in `docs/how-to/serve.md`.

    python docs/photograph.py RUN

RUN is a folder of `lentigo demo`. Its model is served on loopback and read with in a real
Chromium (`chromium`, or `--chromium PATH`). All lesions are drawn; what is no lesion is a
drawn pattern.
"""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from lentigo.datasets.synthetic.cohort import draw_features
from lentigo.datasets.synthetic.files import as_jpeg, draw_row
from lentigo.files import written_beside

HERE = Path(__file__).parent / "images"


def draw(folder: Path) -> tuple[list[Path], Path]:
    """Draw the lesions of some patients, PATIENT/LESION/picture; return two and the folder.

    The two are of the one lesion that is likeliest a melanoma.
    """
    table = draw_features(400, seed=4)
    counts = table.groupby("patient_id")["lesion_id"].nunique().sort_values()
    table = table[table["patient_id"].isin(counts.index[-6:])]
    worst = table.sort_values("true_probability").iloc[-1]
    chosen = []
    for row in table.to_dict("records"):
        path = folder / row["patient_id"] / row["lesion_id"] / f"{row['image_id']}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(as_jpeg(draw_row(row, size=512).image))
        if row["lesion_id"] == worst["lesion_id"]:
            chosen.append(path)
    return chosen[:2], folder


def stripes(path: Path) -> Path:
    """Draw something that is no lesion."""
    across = np.linspace(0, 40, 512)
    plane = 90 + 80 * np.sin(across[:, None] + 3 * np.sin(across[None] / 3))
    pixels = np.stack([plane / 3, plane, plane / 2], axis=-1)
    Image.fromarray(pixels.astype(np.uint8)).save(path)
    return path


def keep(page: Page, name: str, height: int) -> None:
    """Save what a page shows, to some height, as a small WebP file."""
    size = page.viewport_size or {"width": 1280, "height": 900}
    clip: Any = {"x": 0, "y": 0, "width": size["width"], "height": height}
    shot = Image.open(io.BytesIO(page.screenshot(full_page=True, clip=clip)))
    with written_beside(HERE / f"{name}.webp") as beside:
        shot.convert("RGB").save(beside, "WEBP", quality=80, method=6)


def ask(page: Page, address: str, *files: Path, **chosen: str) -> None:
    """Read pictures on the form; `chosen` are options of its lists."""
    page.goto(address)
    page.set_input_files("#images", [str(path) for path in files])
    for name, value in chosen.items():
        page.select_option(f"#{name}", value)
    page.locator("#read").click(no_wait_after=True)
    page.locator("section.judgement").wait_for()


def photograph(page: Page, folder: Path) -> None:
    """Take all pictures."""
    two, clinic = draw(folder / "clinic")
    ask(page, "/?lang=en", *two[:1], operating_point="youden", maps="all")
    keep(page, "page-lesion", 2000)
    ask(page, "/?lang=es", stripes(folder / "stripes.png"), operating_point="youden")
    keep(page, "page-cannot", 700)
    page.goto("/worklist?lang=en")
    page.select_option("#operating_point", "youden")
    page.select_option("#order", "patient", force=True)
    page.set_input_files("#folder", str(clinic))
    page.locator("#progress").wait_for(state="visible")
    page.locator("#progress").wait_for(state="hidden")
    page.locator(".look").nth(1).focus()
    keep(page, "page-worklist", 1350)
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 360, "height": 740})
    ask(page, "/?lang=de", *two, operating_point="youden")
    keep(page, "page-phone", 1400)


def main() -> None:
    """Serve a run, and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    given = parser.parse_args()
    program = str(Path(sys.executable).with_name("lentigo"))
    service = subprocess.Popen(
        [program, "serve", str(given.run), "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    assert service.stdout is not None
    url = service.stdout.readline().split(" ")[1]
    try:
        with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
            browser = playwright.chromium.launch(
                executable_path=given.chromium, args=["--no-sandbox"]
            )
            context = browser.new_context(
                base_url=url, viewport={"width": 1100, "height": 900}
            )
            context.set_default_timeout(300_000)
            photograph(context.new_page(), Path(folder))
            browser.close()
    finally:
        service.terminate()
        service.wait()


if __name__ == "__main__":
    main()
