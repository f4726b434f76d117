"""Artefact detectors: how fast, how often right, and where `dermoscopic` comes from.

    python benchmarks/artefacts.py [--shared ../shared]

Where the folder of real images is not there, only the times are shown. Peers in the same
run: the hair mask of `dullrazor`, and one decoding of the same image from a JPEG.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from PIL import Image as Pillow

from lentigo.audit.checks.picture_findings import UNEVEN_LIGHT
from lentigo.config import ImagingConfig
from lentigo.datasets import read_table
from lentigo.datasets.synthetic import Photograph, draw_with_truth
from lentigo.datasets.synthetic.cohort import draw_features
from lentigo.datasets.synthetic.model import lesion_of
from lentigo.imaging.artefacts import ARTEFACTS
from lentigo.imaging.decoding.square import to_square
from lentigo.imaging.kind.dermoscopic import FEATURES, kind_features
from lentigo.imaging.kind.page import page
from lentigo.imaging.kind.unlike import PAGE
from lentigo.imaging.quality import measure_image
from lentigo.imaging.quality.scene import uneven_light
from lentigo.imaging.store.build import build_store
from lentigo.imaging.views.hair import hair_mask

SIDE = 256
LABELS = (
    Path(__file__).parents[1] / "tests" / "imaging" / "artefacts" / "artefact_labels.csv"
)
Array = np.ndarray[Any, np.dtype[Any]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    beside = Path(__file__).resolve().parents[2] / "shared"
    parser.add_argument("--shared", type=Path, default=beside)
    data = parser.parse_args().shared / "data"
    cv2.setNumThreads(1)
    show_times(drawn(24))
    if not data.is_dir():
        print(f"{data} is not there: nothing is counted on real images.")
        return
    with tempfile.TemporaryDirectory() as folder:
        archives = {
            name: stored(data, Path(folder), name) for name in ("isic2017", "ham10000")
        }
        show_labels(archives)
        other = others(data)
        fit_kind(archives, other)
        show_scenes(archives, other)


def drawn(count: int) -> list[Array]:
    """Drawn lesions with a bit of everything."""
    table = draw_features(3 * count, seed=3).head(count)
    pictures = []
    for view, row in enumerate(table.to_dict("records")):
        photograph = Photograph(
            view=view, hair=0.5 * (view % 2), ruler=view % 3 == 0, sticker=view % 4 == 0,
            bubbles=view % 5 == 0, vignette=0.3 * (view % 3),
        )  # fmt: skip
        lesion = lesion_of({str(name): value for name, value in row.items()})
        seed = int(row["lesion_seed"])
        pictures.append(draw_with_truth(lesion, photograph, size=SIDE, seed=seed).image)
    return pictures


def show_times(images: Sequence[Array]) -> None:
    ways: dict[str, Callable[[Array], object]] = {
        **{name: artefact.function for name, artefact in ARTEFACTS.items()},
        "all, and quality": measure_image,
        "peer: dullrazor's mask": hair_mask,
        "peer: JPEG decoding": decode,
    }
    laps: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(3):
        for name, way in ways.items():
            started = time.process_time()
            for image in images:
                way(image)
            laps[name].append((time.process_time() - started) / len(images))
    print(f"CPU time an image of {SIDE} px, one core, {len(images)} drawn lesions")
    for name, times in laps.items():
        print(f"  {name:<24} {1000 * min(times):7.2f} ms")


def decode(image: Array) -> Array:
    """Written once and read: reading is the smaller part."""
    file = io.BytesIO()
    Pillow.fromarray(image).save(file, "JPEG", quality=90)
    return np.asarray(Pillow.open(file).convert("RGB"))


def stored(data: Path, folder: Path, name: str) -> tuple[pd.DataFrame, Array]:
    """The table and pixels of an archive; of HAM10000 the same 2,000 images each time."""
    table = read_table(name, data / name)
    table = table[table["path"].notna()].reset_index(drop=True)
    if name == "ham10000":
        table = table.sample(2000, random_state=0).sort_index().reset_index(drop=True)
    store = build_store(table, folder / name, config=ImagingConfig(size=SIDE))
    return table, store.images


def show_labels(archives: dict[str, tuple[pd.DataFrame, Array]]) -> None:
    """Sensitivity and specificity on the labelled images, with 95 % Wilson intervals."""
    labels = pd.read_csv(LABELS)
    for (name, sample), rows in labels.groupby(["dataset", "sample"]):
        table, images = archives[str(name)]
        place = pd.Index(table["image_id"]).get_indexer(rows["image_id"])
        scores = pd.DataFrame([measure_image(np.array(images[row])) for row in place])
        print(f"{name}, {sample} ({len(rows)} images)")
        for artefact in ARTEFACTS.values():
            truth = rows[artefact.name].to_numpy()
            called = (scores[artefact.name] >= artefact.limit).to_numpy()
            found, clear = called[truth == "yes"], ~called[truth == "no"]
            print(f"  {artefact.name:<9} found {share(found)}   left alone {share(clear)}")


def share(right: Array) -> str:
    """Right of all, and the Wilson interval."""
    total, z = len(right), 1.959964
    if not total:
        return "none"
    p = right.mean()
    centre, room = (
        p + z * z / (2 * total),
        z * np.sqrt(p * (1 - p) / total + z * z / (4 * total**2)),
    )
    low, high = (centre - room) / (1 + z * z / total), (centre + room) / (1 + z * z / total)
    return f"{right.sum()}/{total} = {p:.3f} ({low:.3f} to {high:.3f})"


def others(data: Path) -> dict[str, list[Array]]:
    """Pictures that are no dermoscopy: of other things, and smartphone photographs."""
    import skimage
    from sklearn.datasets import load_sample_images

    folder = Path(skimage.__file__).parent / "data"
    names = (
        "coffee.png astronaut.png chelsea.png rocket.jpg hubble_deep_field.jpg color.png "
        "motorcycle_left.png retina.jpg ihc.png camera.png coins.png moon.png page.png "
        "text.png brick.png grass.png gravel.png cell.png horse.png logo.png"
    )
    odd = (
        "pillow_hopper_orientation_6.jpg",
        "pillow_hopper_gray.jpg",
        "pillow_icc_profile_big.jpg",
    )
    paths = sorted((data / "natural").iterdir())
    paths += [folder / name for name in names.split()] + [
        data / "odd" / name for name in odd
    ]
    things = [square(path) for path in paths]
    things += [to_square(image, size=SIDE) for image in load_sample_images().images]
    phone = read_table("pad_ufes20", data / "pad_ufes20")["path"].dropna()
    return {"things": things, "smartphone": [square(Path(path)) for path in phone]}


def square(path: Path) -> Array:
    return to_square(np.array(Pillow.open(path).convert("RGB")), size=SIDE)


def fit_kind(
    archives: dict[str, tuple[pd.DataFrame, Array]], other: dict[str, list[Array]]
) -> None:
    """The coefficients of `dermoscopic`, and results on images not used to fit."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import KFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    groups = {name: images for name, (_, images) in archives.items()} | other
    features = {
        n: np.array([kind_features(np.array(i)) for i in g]) for n, g in groups.items()
    }
    features = {n: f[~np.isnan(f).any(axis=1)] for n, f in features.items()}
    kind = np.concatenate([[name] * len(rows) for name, rows in features.items()])
    x, y = np.concatenate(list(features.values())), np.isin(kind, list(archives))
    model = make_pipeline(
        StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=2000)
    )
    folds = KFold(5, shuffle=True, random_state=0)
    score = cross_val_predict(model, x, y, cv=folds, method="predict_proba")[:, 1]
    print("dermoscopic, five-fold, images not used to fit")
    for archive, name in [(a, n) for a in archives for n in other]:
        chosen = np.isin(kind, [archive, name])
        auc = roc_auc_score(y[chosen], score[chosen])
        print(f"  ROC AUC {archive} / {name}: {auc:.3f}")
    limit = min(np.quantile(score[kind == archive], 0.01) for archive in archives)
    below = {n: f"{(score[kind == n] < limit).sum()} of {(kind == n).sum()}" for n in other}
    print(f"  below {limit:.4f}, as 1 % of the worse archive: {below}")
    model.fit(x, y)
    scaler, logistic = model[0], model[1]
    coefficients = logistic.coef_[0] / scaler.scale_
    intercept = float(logistic.intercept_[0] - coefficients @ scaler.mean_)
    print("  coefficients of", ", ".join(FEATURES))
    print("  ", coefficients.round(3).tolist(), "intercept", round(intercept, 3))
    value = 1 / (1 + np.exp(-(x @ coefficients + intercept)))
    for name in features:
        here = kind == name
        for what, column in (("score", value[here]), ("skin", x[here, 0])):
            low = np.quantile(column, [0.005, 0.01, 0.5]).round(4).tolist()
            print(f"  {what} of {name}, 0.5 %, 1 % and 50 %: {low}")


def show_scenes(
    archives: dict[str, tuple[pd.DataFrame, Array]], other: dict[str, list[Array]]
) -> None:
    """How many of each kind the checks for other things than dermoscopy name."""
    groups = {name: images for name, (_, images) in archives.items()} | other
    ways = {"uneven_light": (uneven_light, UNEVEN_LIGHT), "page": (page, PAGE)}
    for name, (way, limit) in ways.items():
        print(f"{name} above {limit:g}")
        for kind, images in groups.items():
            beyond = np.array([way(np.array(image)) > limit for image in images])
            print(f"  {kind:<10} {share(beyond)}")


if __name__ == "__main__":
    main()
