"""A tiny exported model, images, and a running service that tests share."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

import lentigo
from lentigo.export import export
from lentigo.imaging.decoding.square import to_square
from lentigo.inference.abstention.fit import make_index, seen
from lentigo.models.description import read_description, write_folder
from lentigo.models.index import write_index
from tests.cohorts import disc, tiny_config
from tests.inference.test_predict import save
from tests.service.browser import browsing, opened

CONFIG = tiny_config(model__backbone="test_resnet", training__image_size=32)
POINTS = [
    {
        "name": "sensitivity_95", "kind": "guaranteed_sensitivity", "threshold": 0.1,
        "sensitivity": 0.95, "confidence": 0.95, "chosen_on": "validation images",
        "n_images": 200, "n_melanomas": 40, "n_groups": 40,
        "held_out": {
            "n_images": 150, "n_melanomas": 30,
            "figures": {
                "sensitivity": {"value": 0.93, "low": 0.8, "high": 0.98},
                "specificity": {"value": 0.41, "low": 0.33, "high": 0.5},
            },
        },
    },
    {"name": "youden", "kind": "youden", "threshold": 0.6, "chosen_on": "validation"},
    {
        "name": "sensitivity_99", "kind": "guaranteed_sensitivity",
        "absent": "Too few melanomas to guarantee it.", "sensitivity": 0.99,
        "confidence": 0.95,
    },
]  # fmt: skip


def write_model(folder: Path, images: Path, *, seed: int = 0) -> Path:
    """Write an exported model folder with operating points; return it."""
    save(folder.with_name(f"{folder.name}-torch"), config=CONFIG, seed=seed, shift=0.5)
    export(folder.with_name(f"{folder.name}-torch"), folder, images=[images])
    content = read_description(folder).model_dump(mode="json", exclude={"files"})
    content["operating_points"] = POINTS
    write_folder(folder, content)
    return folder


def add_index(folder: Path, images: Path) -> None:
    """Let a model know the images in a folder by name: odd ones are melanomas."""
    files = sorted(images.glob("*.png"))
    network = lentigo.load(folder).members[0]
    side = network.preparation.size
    squares = np.stack([to_square(np.asarray(Image.open(f)), size=side) for f in files])
    known = seen(network, [squares], for_index=True)
    assert known is not None
    table = pd.DataFrame(
        {
            "image_id": [path.stem for path in files],
            "group_id": [f"patient-{path.stem}" for path in files],
            "melanoma": [number % 2 == 1 for number in range(len(files))],
            "diagnosis": ["nevus", "melanoma"] * (len(files) // 2),
        }
    )
    write_index(make_index(known, table, named=True), folder / "index.npz")
    content = read_description(folder).model_dump(mode="json", exclude={"files"})
    content["members"][0]["files"]["index"] = "index.npz"
    far = {"name": "neighbours", "middle": 0, "spread": 1}
    content["members"][0]["abstention"] = {"signals": [far], "limit": 1e6}
    write_folder(folder, content)


def write_images(folder: Path, count: int = 6) -> Path:
    """Draw discs on skin into a new folder."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(1)
    for number in range(count):
        pixels = disc(rng, dark=number % 2 == 0, side=96)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


@dataclass
class Served:
    """A service that runs as a process of its own."""

    process: subprocess.Popen[str]
    url: str
    log: Path

    def client(self, **options: object) -> httpx.Client:
        """Return a client whose addresses begin with that of the service."""
        return httpx.Client(base_url=self.url, timeout=60, trust_env=False, **options)  # type: ignore[arg-type]

    def lines(self) -> list[dict[str, object]]:
        """Return what it has logged so far."""
        text = self.log.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def serving(folder: Path, *words: str | Path) -> Iterator[Served]:
    """Run `lentigo serve` with some words on a free port; its log lies in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "serve.log"
    lentigo = Path(sys.executable).with_name("lentigo")
    command = [str(lentigo), "serve", *map(str, words), "--port", "0"]
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line.startswith("Open "):
                raise AssertionError(f"{line}\n{log.read_text(encoding='utf-8')}")
            yield Served(process, line.split(" ")[1], log)
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            if process.stdout is not None:
                process.stdout.close()


def wait_for(condition: object, seconds: float = 20) -> None:
    """Wait until a condition holds; fail where it never does."""
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six drawn images."""
    return write_images(tmp_path_factory.mktemp("service") / "images")


@pytest.fixture(scope="session")
def leaves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photograph that shows no lesion: green, in stripes."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 60, (96, 96, 3), np.uint8)
    pixels[:, ::7, 1] += 150
    path = tmp_path_factory.mktemp("leaves") / "leaves.png"
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory, images: Path) -> Path:
    """A tiny model folder that answers without torch."""
    return write_model(tmp_path_factory.mktemp("model") / "tiny", images)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Iterator[Served]:
    """One service for all tests that leave it as it is."""
    folder = tmp_path_factory.mktemp("served")
    with serving(folder, model, "--audit-log", folder / "audit.sqlite") as one:
        yield one


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a file; they are skipped where there is none.

    Not for all files: while it runs, no other test of the process can run an event loop.
    """
    with browsing() as found:
        yield found


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    """A page on which nothing may go wrong, nor come from elsewhere."""
    with opened(browser, served.url) as found:
        yield found
