"""fastai with timm's Xception, as its guide to images writes it.

    PYTHON fastai_peer.py FOLDER SIZE EPOCHS BATCH

FOLDER holds train.csv and validation.csv (path, melanoma). It runs with a Python that has
fastai and timm; lentigo does not need fastai. Prints the validation AUC after each epoch.
"""

import os
import sys
from pathlib import Path

import pandas as pd
import timm
from fastai.vision.all import (
    BCEWithLogitsLossFlat,
    Callback,
    DataBlock,
    Flip,
    ImageBlock,
    Learner,
    Normalize,
    RegressionBlock,
    Resize,
    ResizeMethod,
    set_seed,
)
from sklearn.metrics import roc_auc_score

FOLDER, SIZE, EPOCHS, BATCH = Path(sys.argv[1]), *map(int, sys.argv[2:5])


class Told(Callback):
    def before_validate(self) -> None:
        self.logits, self.labels = [], []

    def after_batch(self) -> None:
        if not self.training:
            self.logits += self.learn.pred.flatten().tolist()
            self.labels += self.learn.yb[0].flatten().tolist()

    def after_epoch(self) -> None:
        auc = roc_auc_score(self.labels, self.logits)
        print(f"epoch {self.epoch + 1}: validation AUC {auc:.4f}", flush=True)


def main() -> None:
    set_seed(0)
    parts = {name: pd.read_csv(FOLDER / f"{name}.csv") for name in ("train", "validation")}
    table = pd.concat([part.assign(judged=name != "train") for name, part in parts.items()])
    block = DataBlock(
        blocks=(ImageBlock, RegressionBlock(n_out=1)),
        get_x=lambda row: row["path"],
        get_y=lambda row: float(row["melanoma"]),
        splitter=lambda rows: (
            [k for k, judged in enumerate(rows["judged"]) if not judged],
            [k for k, judged in enumerate(rows["judged"]) if judged],
        ),
        item_tfms=Resize(SIZE, method=ResizeMethod.Squish),
        batch_tfms=[Flip(), Normalize.from_stats([0.5] * 3, [0.5] * 3)],
    )
    loaders = block.dataloaders(
        table.reset_index(drop=True), bs=BATCH, num_workers=len(os.sched_getaffinity(0))
    )
    network = timm.create_model("legacy_xception", num_classes=1)
    learner = Learner(loaders, network, loss_func=BCEWithLogitsLossFlat(), cbs=[Told()])
    print("begins", flush=True)
    with learner.no_bar(), learner.no_logging():
        learner.fit(EPOCHS, 1e-3)


if __name__ == "__main__":
    main()
