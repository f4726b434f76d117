"""Time and memory of a whole `lentigo evaluate`, subgroups and all, beside the usual loop.

    python benchmarks/evaluation.py [--images 50000,100000,200000,400000] [--columns 10]

Once with 1,042 patients and once with each image as its own patient; 2,000 resamples. The
tables are in memory, as reading them is another matter. Each case runs in a process of its
own, whose highest memory is told.
"""

from __future__ import annotations

import argparse
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pandas as pd
from intervals import draw, seconds_of_the_loop

from lentigo.evaluation import evaluate


def tables(
    images: int, patients: int | None, columns: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predictions and truth with so many columns to divide by, of 2 to 8 values each."""
    rng = np.random.default_rng(1)
    sample = draw(images, max(images // 1000, 50), patients)
    names = [f"ISIC_{number:07}" for number in range(images)]
    truth = {"image_id": names, "melanoma": sample.truth, "group_id": sample.group}
    truth |= {
        f"column{place}": rng.choice(list("abcdefgh")[: 2 + place % 7], size=images)
        for place in range(columns)
    }
    return pd.DataFrame({"image_id": names, "probability": sample.score}), pd.DataFrame(
        truth
    )


def one(images: int, patients: int | None, columns: int) -> tuple[float, float, float, int]:
    """Seconds by the clock and of the processor, megabytes at most, and metrics."""
    predictions, truth = tables(images, patients, columns)
    start, busy = time.perf_counter(), time.process_time()
    by = [f"column{place}" for place in range(columns)]
    found = evaluate(predictions, truth, by=by)
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return seconds, busy, peak, len(found.metrics)


def main() -> None:
    """Print a line a case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", default="50000,100000,200000,400000")
    parser.add_argument("--columns", type=int, default=10)
    options = parser.parse_args()
    for images in map(int, options.images.split(",")):
        for patients in (1042, None):
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                seconds, busy, peak, metrics = pool.submit(
                    one, images, patients, options.columns
                ).result()
            loop = seconds_of_the_loop(
                draw(images, max(images // 1000, 50), patients), repeats=2000, rounds=2
            )
            whose = "1,042 patients" if patients else "every image its own patient"
            print(
                f"{images:,} images, {whose}: {metrics} metrics and {options.columns} "
                f"columns in {seconds:.1f} s ({busy:.1f} s of the processor), at most "
                f"{peak:.0f} MB; the loop over roc_auc_score {loop:.0f} s (extrapolated), "
                f"{loop / busy:.0f} times the processor's",
                flush=True,
            )


if __name__ == "__main__":
    main()
