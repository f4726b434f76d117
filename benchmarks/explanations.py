"""Methods that draw what a model used: faithfulness, sanity, and share inside the lesion.

    python benchmarks/explanations.py RUN [--shared ../shared] [--images 300]

Images that the run held out, of HAM10000, whose masks were drawn by people; half of them
melanomas where there are enough. 95 % intervals by lesion. Deletion small and insertion
large is good; their difference is the faithfulness of a map. `random` is a map of smooth
noise, the yardstick: a method that does no better tells nothing.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from lentigo.evaluation.means import clustered_mean, clustered_mean_difference
from lentigo.evaluation.shares import clustered_share
from lentigo.explanation.faithfulness import deletion_insertion
from lentigo.explanation.run import Explainer, load_explainer
from lentigo.imaging.decoding.image import read_image
from lentigo.imaging.segmentation import given_outline
from lentigo.inference.predict import model_folders
from lentigo.models.description import read_description
from lentigo.models.metadata import Patients
from lentigo.models.torch_predictor import TorchPredictor
from lentigo.models.trained import predictor_of

MASKS = "HAM10000_segmentations_lesion_tschandl"
Rows = list[dict[str, object]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    beside = Path(__file__).resolve().parents[2] / "shared"
    parser.add_argument("run", type=Path)
    parser.add_argument("--shared", type=Path, default=beside)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--every", type=int, default=20, help="Print so often.")
    parser.add_argument(
        "--rows", type=Path, help="A row a map, as CSV: written, and gone on with."
    )
    given = parser.parse_args()
    cv2.setNumThreads(1)
    explainer = by_onnx(load_explainer(given.run), given.run)
    table = held_out(given.run, given.images)
    rows: Rows = []
    if given.rows and given.rows.is_file():
        rows = pd.read_csv(given.rows).to_dict("records")  # type: ignore[assignment]
    done = len(rows) // (len(explainer.methods) + 1)
    for number, row in enumerate(table.itertuples(), start=1):
        if number <= done:
            continue
        image = read_image(row.path)
        name = str(row.image_id).rpartition(":")[2]
        mask = given.shared / "data/ham10000" / MASKS / f"{name}_segmentation.png"
        inside = read_image(mask).max(axis=2) > 127
        told = Patients.of([row.age], [row.sex], [row.site])
        rows += explained(
            explainer, image, inside, seed=number, group=row.group_id, patient=told
        )
        if number % given.every == 0 or number == len(table):
            show(pd.DataFrame(rows), number, int(table["melanoma"][:number].sum()))
            if given.rows:
                pd.DataFrame(rows).to_csv(given.rows, index=False)


def by_onnx(explainer: Explainer, run: Path) -> Explainer:
    """Let ONNX Runtime answer for covered and blurred images; it needs half the time.

    Maps from inside of a network stay with torch.
    """
    (folder,) = model_folders([run])
    description = read_description(folder)
    for networks in (explainer.model.members, explainer.random):
        for predictor, member in zip(networks, description.members, strict=True):
            if isinstance(predictor, TorchPredictor):
                fast = predictor_of(predictor.network, member, passes=10**9)
                object.__setattr__(predictor, "answers", fast.answers)
    return explainer


def held_out(run: Path, images: int) -> pd.DataFrame:
    """Images of HAM10000 that the first fold judged, melanomas and others in turn."""
    seen = pd.read_csv(run / "fold-0" / "predictions.csv")["image_id"].astype(str)
    table = pd.read_parquet(run / "table.parquet")
    mine = table["image_id"].isin(seen) & (table["dataset"] == "ham10000")
    table = table[mine].sample(frac=1, random_state=0)
    table["turn"] = table.groupby("melanoma").cumcount()
    return table.sort_values("turn", kind="stable").head(images).reset_index(drop=True)


def explained(
    explainer: Explainer,
    image: np.ndarray,
    mask: np.ndarray,
    *,
    seed: int,
    group: str,
    patient: Patients,
) -> Rows:
    found = explainer.explain(image, given_outline(image, mask), patient=patient)
    rows: Rows = [
        {
            "method": each.method, "faithful": each.insertion - each.deletion,
            "deletion": each.deletion, "insertion": each.insertion, "fails": each.fails,
            "alike": each.likeness, "lesion": each.lesion, "group": group,
            "concentration": ratio(each.lesion, each.lesion_area),
        }
        for each in found
    ]  # fmt: skip
    square = explainer.square(image)
    noise = np.random.default_rng(seed).random(square.shape[:2]).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), len(square) / 12)
    noise -= noise.min()
    deleted, inserted = deletion_insertion(
        explainer.model.members[0], square, noise, patient=patient
    )
    plane = np.repeat(255 * mask.astype(np.uint8)[..., None], 3, axis=2)
    lesion = explainer.square(plane)[..., 0] > 127
    share = float(noise[lesion].sum() / noise.sum())
    rows.append(
        {
            "method": "random", "faithful": inserted - deleted, "deletion": deleted,
            "insertion": inserted, "fails": False, "alike": math.nan, "lesion": share,
            "concentration": ratio(share, float(lesion.mean())),
            "group": group,
        }
    )  # fmt: skip
    return rows


def ratio(share: float, area: float) -> float:
    return share / area if area else math.nan


def show(rows: pd.DataFrame, images: int, melanomas: int) -> None:
    print(f"\n{images} images, {melanomas} melanomas\n")
    print(
        "| method | insertion − deletion | the same less random | deletion | insertion "
        "| fail sanity | even | correlation | heat inside | times its area |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    random = rows[rows["method"] == "random"].reset_index(drop=True)
    for name in dict.fromkeys(rows["method"]):
        part = rows[rows["method"] == name].reset_index(drop=True)
        group = pd.factorize(part["group"])[0]
        beyond = (part["faithful"] - random["faithful"]).to_numpy(float)
        signed = [part["faithful"].to_numpy(float), beyond]
        means = [
            clustered_mean_difference(each, group, freedom=len(set(group)) - 1)
            for each in signed
        ]
        means += [mean(part, each) for each in ("deletion", "insertion")]
        # A map that is the same everywhere says nothing, too, but has no correlation.
        nothing, even = part["fails"].to_numpy(bool), part["alike"].isna().to_numpy(bool)
        means += [
            clustered_share(nothing & ~even, group),
            clustered_share(nothing & even, group),
            *(mean(part, each) for each in ("alike", "lesion", "concentration")),
        ]
        cells = [f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})" for one in means]
        print(f"| `{name}` | " + " | ".join(cells) + " |", flush=True)


def mean(part: pd.DataFrame, name: str):  # type: ignore[no-untyped-def]
    known = part[part[name].notna()]
    group = pd.factorize(known["group"])[0]
    if name == "alike":
        return clustered_mean_difference(
            known[name].to_numpy(float), group, freedom=max(len(set(group)) - 1, 1)
        )
    return clustered_mean(known[name].to_numpy(float), group)


if __name__ == "__main__":
    main()
