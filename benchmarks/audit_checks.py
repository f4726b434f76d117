"""CPU time of the checks that read a table only, at the size of two archives.

    python benchmarks/audit_checks.py [--siim ../shared/data/siim2020] [--images 400000]

The first table is SIIM-ISIC 2020's training part where it is given, else one made up to
its size; the second is made up. Both get made-up facts of files. Beside target_leaks stands
what the usual loop over scikit-learn's `roc_auc_score` would take for as many intervals,
timed on one feature and five rounds, and beside artefact_ties what resampling groups would
take, from ten resamples of each score. `--images-folder` times `file_facts` on real files
beside opening each with Pillow.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from lentigo.audit.checks.artefact_ties import artefact_ties
from lentigo.audit.checks.collisions import collisions
from lentigo.audit.checks.contradictions import contradictions
from lentigo.audit.checks.table_one import table_one, unbalanced
from lentigo.audit.checks.target_leaks import target_leaks
from lentigo.curation import assign_groups
from lentigo.evaluation.intervals import resample
from lentigo.evaluation.sums import Ranking, Sample
from lentigo.imaging.artefacts import ARTEFACTS
from lentigo.imaging.decoding.file_facts import file_facts
from lentigo.tables import check_table

BUDGET = 20.0
"""Seconds that all checks together may take at 33,126 images."""
_REPEATS = 500


def draw(images: int, *, patients: int, seed: int = 0) -> pd.DataFrame:
    """A table of an archive that never was, 2 % of it melanomas."""
    rng = np.random.default_rng(seed)
    patient = rng.integers(patients, size=images)
    lesion = rng.integers(10, size=images)
    melanoma = rng.random(images) < 0.02
    return check_table(
        pd.DataFrame(
            {
                "image_id": [f"ISIC_{number:07}" for number in rng.permutation(images)],
                "dataset": np.where(patient % 3 == 0, "first", "second"),
                "patient_id": [f"P{number}" for number in patient],
                "lesion_id": [f"P{a}L{b}" for a, b in zip(patient, lesion, strict=True)],
                "sex": np.where(patient % 2, "female", "male"),
                "age": (patient % 16 + 2) * 5.0,
                "site": rng.choice(["torso", "head/neck", "palms/soles"], size=images),
                "melanoma": melanoma,
                "malignant": melanoma,
                "diagnosis": np.where(melanoma, "melanoma", "nevus"),
                "part": np.where(patient % 5 == 0, "test", "train"),
            }
        ),
        source="the made-up archive",
    )


def draw_facts(table: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Twenty facts of files that mean nothing."""
    rng = np.random.default_rng(seed)
    columns: dict[str, object] = {
        f"number {number}": rng.normal(size=len(table)) for number in range(12)
    }
    for number in range(8):
        columns[f"word {number}"] = rng.choice(["JPEG", "PNG", "TIFF"], size=len(table))
    return pd.DataFrame(columns, index=table.index)


def timed(name: str, work: Callable[[], object]) -> tuple[float, object]:
    """The CPU seconds of `work`, printed, and what it gave."""
    start = time.process_time()
    answer = work()
    seconds = time.process_time() - start
    print(f"  {name}: {seconds:.2f} s", flush=True)
    return seconds, answer


def seconds_of_the_loop(table: pd.DataFrame, looks: int, *, rounds: int = 5) -> float:
    """As many AUCs by the usual loop that draws images, extrapolated from `rounds`."""
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    known = table["melanoma"].notna().to_numpy()
    truth = table.loc[known, "melanoma"].to_numpy(bool)
    score = rng.normal(size=len(truth))
    start = time.process_time()
    for _ in range(rounds):
        rows = rng.integers(len(truth), size=len(truth))
        roc_auc_score(truth[rows], score[rows])
    return (time.process_time() - start) / rounds * _REPEATS * looks


_DIAGNOSES, _SHARES = list("abcdefgh"), [0.67, 0.11, 0.11, 0.05, 0.03, 0.01, 0.01, 0.01]
"""As nevi, melanomas and the others are shared out in HAM10000."""


def seconds_of_ties(table: pd.DataFrame) -> float:
    """Scores that mean nothing against melanoma and eight diagnoses."""
    rng = np.random.default_rng(0)
    scores = {name: np.maximum(rng.normal(size=len(table)), 0) for name in ARTEFACTS}
    measures = pd.DataFrame(scores, index=table.index)
    diagnosis = pd.Series(rng.choice(_DIAGNOSES, size=len(table), p=_SHARES), table.index)
    group, total = table["group_id"], 0.0
    for label in (table["melanoma"], diagnosis.rename("diagnosis")):
        work = partial(artefact_ties, measures, label, group)
        total += timed(f"artefact_ties, {label.name}", work)[0]
    loop = sum(
        seconds_of_resampling(diagnosis.to_numpy() == name, measures["hair"], group)
        for name in _DIAGNOSES
    )
    print(f"  resampling 500 times would take {loop * len(ARTEFACTS):.0f} s (extrapolated)")
    return total


def seconds_of_resampling(
    truth: np.ndarray, score: pd.Series, group: pd.Series, *, rounds: int = 10
) -> float:
    """An interval of one score and class from resampling groups, from `rounds` of them."""
    codes, names = pd.factorize(group)
    sample = Sample(truth, score.to_numpy(), codes.astype(np.intp), len(names))
    start = time.process_time()
    resample([Ranking(sample)], groups=len(names), repeats=rounds, seed=0)
    return (time.process_time() - start) / rounds * _REPEATS


def run(name: str, table: pd.DataFrame) -> float:
    """All checks on one table; the seconds of all together."""
    print(f"{name}: {len(table):,} images")
    grouped = assign_groups(table)
    facts = draw_facts(grouped)
    half = grouped["dataset"].to_numpy() == grouped["dataset"].iloc[0]
    other = grouped[~half] if (~half).any() else grouped.assign(dataset="again")
    total = timed("contradictions", lambda: contradictions(grouped))[0]
    total += timed("collisions", lambda: collisions([grouped[half], other]))[0]
    leaks, found = timed("target_leaks", lambda: target_leaks(grouped, facts=facts))
    total += leaks + seconds_of_ties(grouped)
    total += timed("table_one", lambda: table_one(grouped))[0]
    total += timed("unbalanced", lambda: unbalanced(grouped))[0]
    assert isinstance(found, tuple)
    looks = len(found[0])
    loop = seconds_of_the_loop(grouped, looks)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"  all: {total:.1f} s; {looks} features; the usual loop for as many intervals "
        f"{loop:.0f} s (extrapolated), {loop / leaks:.0f} times as long; "
        f"peak memory {peak:.0f} MB",
        flush=True,
    )
    return total


def run_files(folder: Path) -> None:
    """Facts of every file below `folder`, beside opening each with Pillow."""
    from PIL import Image

    paths = sorted(path for path in folder.rglob("*.jpg") if path.is_file())

    def peer() -> None:
        for path in paths:
            with Image.open(path) as image:
                image.getexif()

    print(f"Files: {len(paths):,} in {folder.name}")
    peer()  # so that both find the files in memory
    ours, _ = timed("file_facts", lambda: file_facts(paths))
    theirs, _ = timed("Pillow's open and getexif", peer)
    print(f"  {theirs / ours:.2f} times ours")


def main() -> None:
    """Print a line a check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--siim", type=Path)
    parser.add_argument("--images", type=int, default=400_000)
    parser.add_argument("--images-folder", type=Path)
    options = parser.parse_args()
    if options.siim is not None:
        from lentigo.datasets.archives.siim2020 import read

        small = read(options.siim, part="train")
    else:
        small = draw(33_126, patients=2_056)
    seconds = run("Small", small)
    print(f"  budget of {BUDGET:.0f} s: {'kept' if seconds <= BUDGET else 'MISSED'}")
    run("Large", draw(options.images, patients=options.images // 10))
    if options.images_folder is not None:
        run_files(options.images_folder)


if __name__ == "__main__":
    main()
