"""Measure what a network of one archive refuses to answer, and the cost of asking.

    python -P benchmarks/abstention.py RUN DATA --model MODEL [--engine onnx] [--cost 1000]

RUN is a run on DATA/ham10000 (`lentigo run DATA/ham10000 --recipe quick …`), MODEL its
exported folder (default RUN/model). Shown to it are the held-out lesions of the run, and
from DATA smartphone photographs (pad_ufes20), the same reduced to the 200 × 150 pixels of
the archive, natural photographs, odd originals, ISIC 2017, drawn pages of text, and the
DICOM files of pydicom's own tests. The photographs are divided by the hash of their names:
early features were chosen on the first half. Other choices (128 components, the half weight
of energy and views) were made with all of them and with held-out lesions in view, so the
shares of both halves, and that at home, are optimistic. `--cost N` compares the processor
time of a prediction of N images with that of the same model without an index; `--cost-only`
does nothing else, on the files of DATA/isic2017.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydicom.data
from PIL import Image, ImageDraw, ImageFilter

from lentigo.datasets import read_table
from lentigo.evaluation.discrimination import auc
from lentigo.evaluation.shares import clustered_share
from lentigo.export.images import images_by_role
from lentigo.imaging.decoding.image import read_image
from lentigo.inference.abstention.judge import Judged
from lentigo.inference.inputs import as_sources
from lentigo.inference.predict import Answers, Model, load

FIRST, SECOND = "first half", "second half"
WORDS = ["melanoma", "naevus", "lesion", "margin", "excised", "dermis", "report", "seen"]
REDUCED = ".reduced.jpg"
DERMOSCOPIES = "ISIC_*_original.jpg"


def half(path: Path) -> str:
    """Return to which half a photograph belongs, by its name."""
    name = path.name.removesuffix(REDUCED)
    odd = int(hashlib.sha256(name.encode()).hexdigest(), 16) % 2
    return SECOND if odd else FIRST


def shown(data: Path, folder: Path) -> dict[str, list[Path]]:
    """Return the files of each kind of picture; what has to be made is put in `folder`."""
    phone = sorted((data / "pad_ufes20" / "imgs_part_1").iterdir())
    odd = sorted(each for each in (data / "odd").glob("*.*") if each.suffix != ".csv")
    dermoscopies = set((data / "odd").glob(DERMOSCOPIES))
    medical = Path(pydicom.data.__file__).parent / "test_files"
    return {
        "smartphone photographs": phone,
        "the same at 200 × 150": [_reduced(each, folder) for each in phone],
        "natural photographs": sorted((data / "natural").glob("*.jpg")),
        "odd files, no dermoscopy": [each for each in odd if each not in dermoscopies],
        "other dermoscopies": sorted(dermoscopies),
        "pages of text": [_page(folder, seed) for seed in range(20)],
        "DICOM of other things": sorted(medical.glob("*.dcm")),
    }


def spoiled(paths: Sequence[Path], folder: Path) -> dict[str, list[Path]]:
    """Return lesions of the archive that nobody can judge, made of `paths`."""
    made: dict[str, list[Path]] = {"blurred": [], "darkened": [], "washed out": []}
    for path in paths:
        picture = Image.open(path).convert("RGB")
        changed = {
            "blurred": picture.filter(ImageFilter.GaussianBlur(picture.width / 40)),
            "darkened": picture.point(lambda level: level // 5),
            "washed out": picture.point(lambda level: 205 + level // 5),
        }
        for name, image in changed.items():
            image.save(out := folder / f"{path.stem}-{name}.png")
            made[name].append(out)
    return made


def _reduced(path: Path, folder: Path) -> Path:
    out = folder / f"{path.name}{REDUCED}"
    picture = Image.open(path).convert("RGB")
    picture.resize((200, 150), Image.Resampling.LANCZOS).save(out, quality=90)
    return out


def _page(folder: Path, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    page = Image.new("RGB", (600, 450), tuple(rng.integers(225, 256, 3).tolist()))
    draw, step = ImageDraw.Draw(page), int(rng.integers(14, 30))
    for line in range(20, 440, step):
        draw.text((20, line), " ".join(rng.choice(WORDS, 12)), fill=(20, 20, 30))
    page.save(out := folder / f"page-{seed}.png")
    return out


def told(name: str, answers: Answers, groups: Sequence[str] | None = None) -> str:
    """Return a row of the table for the images of `answers` that could be read."""
    judged = answers.model.strangeness(answers.logits)
    read = ~np.isnan(judged.strangeness)
    refused = judged.refused[read]
    doubted = np.array([each in answers.reasons for each in np.flatnonzero(read)], bool)
    names = np.arange(len(read)) if groups is None else np.asarray(groups)
    group = pd.factorize(names[read])[0].astype(np.intp)
    shares = [_share(hit, group) for hit in (refused, refused | doubted)]
    return f"| {name} | {read.sum():,} | {' | '.join(shares)} | {_why(judged)} |"


def _share(hit: np.ndarray, group: np.ndarray) -> str:
    if not len(hit):
        return "–"
    found = clustered_share(hit, group)
    return f"{100 * found.value:.1f} % ({100 * found.low:.0f}–{100 * found.high:.0f})"


def _why(judged: Judged) -> str:
    found = Counter(
        word for word, yes in zip(judged.words, judged.refused, strict=True) if yes
    )
    return ", ".join(f"{word} {count}" for word, count in found.most_common(3))


def carried(model: Model, table: pd.DataFrame) -> str:
    """Return a sentence on the AUC of an archive, with and without what is refused."""
    answers = model.answers(as_sources(table))
    refused = model.strangeness(answers.logits).refused
    logit = model.mean(answers.logits)[1]
    known = np.isfinite(logit) & table["melanoma"].notna().to_numpy()
    truth = table["melanoma"].fillna(False).to_numpy(bool)
    parts = [known, known & ~refused, known & refused]
    values = [auc(truth[part], logit[part]) for part in parts]
    count = [int(truth[part].sum()) for part in parts]
    return (
        f"{known.sum():,} images ({count[0]} melanomas): AUC {values[0]:.3f}; answered "
        f"{parts[1].sum():,} ({count[1]}): {values[1]:.3f}; refused {parts[2].sum():,} "
        f"({count[2]}): {values[2]:.3f}"
    )


def cost(folder: Path, paths: Sequence[Path], engine: str, *, at_once: int = 100) -> str:
    """Return by how much abstention raises the processor time of a prediction.

    The same `at_once` images are decoded once and asked for with and without an index, in
    turn and three times each, of which the shortest counts, so that whatever else the
    machine does meets both alike. The table is made once of all images, as `predict` does
    for up to 1,024. The interval is that of the ratio of sums over parts.
    """
    with tempfile.TemporaryDirectory() as place:
        models = {True: load(folder, engine=engine)}
        models[False] = load(without_index(folder, Path(place) / "bare"), engine=engine)
        taken, found = [], {True: [], False: []}
        for start in range(0, len(paths), at_once):
            images, decoding = timed(
                lambda part=paths[start : start + at_once]: [read_image(e) for e in part]
            )
            sources = as_sources(images)
            seconds: dict[bool, list[float]] = {True: [], False: []}
            for indexed in (True, False, False, True, True, False):
                model = models[indexed]
                answers, spent = timed(lambda m=model, s=sources: m.answers(s))
                seconds[indexed].append(decoding + spent)
                if len(seconds[indexed]) == 1:
                    found[indexed].append(answers)
            taken.append((min(seconds[True]), min(seconds[False])))
    tables = [_table(found[indexed], len(taken)) for indexed in (True, False)]
    taken = [tuple(np.add(each, tables)) for each in taken]
    own, bare = np.array(taken[1:]).T  # the first part opens what is opened once
    ratio = own.sum() / bare.sum()
    error = np.sqrt(((own - ratio * bare) ** 2).sum()) / bare.sum()
    low, high = (100 * (ratio - 1 + times * error) for times in (-1.96, 1.96))
    each = 1000 / (len(paths) - at_once)
    return (
        f"{len(paths):,} images: {each * bare.sum():.1f} ms of processor time an image "
        f"without an index, {each * own.sum():.1f} ms with one: {100 * (ratio - 1):+.1f} % "
        f"({low:+.1f} to {high:+.1f})"
    )


def _table(found: Sequence[Answers], parts: int) -> float:
    """Return the seconds of the table of all answers, divided by the number of parts."""
    whole = Answers(
        found[0].model,
        [source for each in found for source in each.sources],
        np.concatenate([each.logits for each in found], axis=1),
        {},
    )
    return min(timed(whole.table)[1] for _ in range(3)) / parts


def without_index(folder: Path, bare: Path) -> Path:
    """Copy a model folder to `bare`, without its index; return `bare`."""
    shutil.copytree(folder, bare)
    content = json.loads((bare / "model.json").read_text())
    for member in content["members"]:
        content["files"].pop(member["files"].pop("index"))
        member["abstention"] = None
    (bare / "model.json").write_text(json.dumps({**content, "abstention": None}))
    return bare


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return the result of `work` and the seconds of processor time that it took."""
    begun = time.process_time()
    return work(), time.process_time() - begun


def main() -> None:
    """Print the table, the two archives, and the cost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--engine", default="onnx")
    parser.add_argument("--half", choices=(FIRST, SECOND), help="this half only")
    parser.add_argument("--cost", type=int, default=0, metavar="IMAGES")
    parser.add_argument("--cost-only", action="store_true")
    parser.add_argument("--signals", type=Path, help="also write the signals, as .npz")
    given = parser.parse_args()
    folder = given.model or given.run / "model"
    other = read_table("isic2017", given.data / "isic2017")
    if given.cost:
        paths = [Path(each) for each in other["path"].dropna()[: given.cost]]
        print(cost(folder, paths, given.engine), flush=True)
    if given.cost_only:
        return
    model = load(folder, engine=given.engine)
    home = next(iter(images_by_role(given.run).values())).held_out
    answers = model.answers(as_sources(home))
    print("| pictures | read | refused | refused or doubted | reasons |")
    print("|---|---|---|---|---|")
    print(told("held out, at home", answers, home["group_id"].tolist()))
    kept = {"home": answers.logits}
    kept["groups"] = pd.factorize(home["group_id"])[0].astype(float)
    with tempfile.TemporaryDirectory() as place:
        for name, paths in shown(given.data, Path(place)).items():
            for part in (FIRST, SECOND) if given.half is None else (given.half,):
                own = [each for each in paths if half(each) == part]
                if own:
                    found = model.answers(as_sources(own))
                    kept[f"{name}, {part}"] = found.logits
                    print(told(f"{name}, {part}", found))
        for name, paths in spoiled(
            [Path(each) for each in home["path"][:100]], Path(place)
        ).items():
            print(told(f"held out, {name}", model.answers(as_sources(paths))))
    print(f"At home: {carried(model, home)}")
    print(f"ISIC 2017: {carried(model, other)}")
    if given.signals:
        np.savez(given.signals, **kept)


if __name__ == "__main__":
    main()
