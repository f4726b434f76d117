"""What an install without torch can do, and what it says of the rest."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import lentigo
from lentigo.export import export
from tests.cohorts import tiny_config
from tests.inference.test_predict import noise, save

ROOT = Path(__file__).resolve().parents[1]
MOST = 400_000_000
"""Bytes of the installed files, as they come in the wheels."""


@dataclass(frozen=True)
class Install:
    """An environment of its own, and a folder to work in."""

    environment: Path
    folder: Path

    def run(
        self, *words: str, program: str = "lentigo"
    ) -> subprocess.CompletedProcess[str]:
        """Run `lentigo` there, or another program.

        What it imports is compiled once: each process would otherwise compile pandas and
        the others anew where Python may write no bytecode.
        """
        return subprocess.run(
            [str(self.environment / "bin" / program), *words], cwd=self.folder,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""}, capture_output=True,
            text=True,
        )  # fmt: skip


@pytest.fixture(scope="module")
def install(tmp_path_factory: pytest.TempPathFactory) -> Install:
    """What `pip install "lentigo[predict]"` gives, beside an exported model and images."""
    folder = tmp_path_factory.mktemp("install")
    _install(folder / "environment", _source(folder / "source"))
    save(
        folder / "model",
        # The image is stored larger than the network sees it, as by all larger recipes.
        config=tiny_config(
            model__backbone="test_resnet", training__image_size=32, imaging__size=40
        ),
    )
    (folder / "images").mkdir()
    for seed in range(8):
        Image.fromarray(noise(60, seed)).save(folder / "images" / f"{seed}.png")
    export(folder / "model", folder / "out", images=[folder / "images"])
    return Install(folder / "environment", folder)


def _source(folder: Path) -> Path:
    # A copy: building leaves files beside the source.
    folder.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "constraints.txt"):
        shutil.copyfile(ROOT / name, folder / name)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "lentigo", folder / "lentigo", ignore=ignored)
    return folder


def _install(environment: Path, source: Path) -> None:
    uv = str(Path(sys.executable).with_name("uv"))
    what = ["--constraint", str(source / "constraints.txt"), f"{source}[predict]"]
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, str(environment)],
        [
            uv,
            "pip",
            "install",
            "--quiet",
            "--python",
            str(environment / "bin/python"),
            *what,
        ],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_a_finished_model_is_used_without_torch(install: Install) -> None:
    images = install.folder / "images"
    done = install.run("predict", "out", "images", "--out", "predictions.csv")
    assert done.returncode == 0, done.stderr
    theirs = pd.read_csv(install.folder / "predictions.csv")
    model = lentigo.load(install.folder / "out", engine="torch")
    ours = model.predict(sorted(images.iterdir()))
    assert np.abs(theirs["probability"] - ours["probability"]).max() < 1e-4
    assert theirs["reason"].notna().all()  # noise is no dermoscopy, found without OpenCV


EXPLAINED = """
import sys
import numpy as np
from PIL import Image
import lentigo
from lentigo.explanation.served import Examiner, Wish, heat_of
from lentigo.imaging.decoding.square import to_square
image = np.asarray(Image.open("images/0.png").convert("RGB"))
model = lentigo.load("out")
square = to_square(image, size=40)
ways = {model.members[0].preparation: square}
found = Examiner(model, "out").examine(Wish(methods=("all",), cases=3), ways, image)
assert [each["method"] for each in found.maps] == ["occlusion"], found.maps
one = found.maps[0]
assert one["checked"] is False and one["likeness"] is None and one["lesion"] is None, one
assert 0 < one["deletion"] < 1 and heat_of(one).shape == (40, 40), one
assert found.outline is None and found.abcd is None
assert "lentigo[data]" in found.missing["lesion"], found.missing
for name in ("shuffled", "grad_cam", "integrated_gradients"):
    assert "lentigo[train]" in found.missing[name], found.missing
assert not {"cv2", "torch"} & set(sys.modules)
"""


def test_occlusion_explains_without_torch_and_says_what_it_lacks(install: Install) -> None:
    done = install.run("-c", EXPLAINED, program="python")
    assert done.returncode == 0, done.stderr


def test_predictions_are_judged_without_torch(install: Install) -> None:
    truth = pd.DataFrame({"image_id": range(40), "melanoma": [0, 1] * 20})
    truth.to_csv(install.folder / "truth.csv", index=False)
    truth["probability"] = np.linspace(0.1, 0.9, 40)
    truth[["image_id", "probability"]].to_csv(install.folder / "p.csv", index=False)
    done = install.run("evaluate", "p.csv", "--truth", "truth.csv", "--out", "judged")
    assert done.returncode == 0, done.stderr
    assert "No figures were written. Drawing needs matplotlib" in done.stderr
    judged = json.loads((install.folder / "judged" / "evaluation.json").read_text())
    # 210 of the 400 pairs: melanoma k, at 2k, is above the k of the others before it.
    assert judged["auc"]["value"] == pytest.approx(210 / 400)


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        ("audit images --out a", "data"),
        ("run images --out r", "train"),
        ("predict out images --out p.parquet", "data"),
    ],
)
def test_what_it_cannot_do_names_what_is_missing(
    install: Install, words: str, extra: str
) -> None:
    done = install.run(*words.split())
    assert done.returncode == 1
    assert f"pip install 'lentigo[{extra}]'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (install.folder / words.split()[-1]).exists()


def test_an_install_for_predictions_is_small(install: Install) -> None:
    files = [path for path in install.environment.rglob("*") if path.is_file()]
    taken = sum(path.stat().st_size for path in files if path.suffix != ".pyc")
    assert taken < MOST
    packages = next(install.environment.glob("lib/python*/site-packages"))
    assert not [name for name in ("torch", "timm", "cv2") if (packages / name).exists()]
