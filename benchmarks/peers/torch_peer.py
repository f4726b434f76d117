"""The loop that everybody writes: timm's Xception, a DataLoader, torchvision, 32 bits.

    PYTHON torch_peer.py FOLDER SIZE EPOCHS BATCH

FOLDER holds train.csv and validation.csv (path, melanoma). Prints the validation AUC after
each epoch.
"""

import csv
import os
import sys
from pathlib import Path

import timm
import torch
from PIL import Image
from sklearn.metrics import roc_auc_score
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

FOLDER, SIZE, EPOCHS, BATCH = Path(sys.argv[1]), *map(int, sys.argv[2:5])


class Squares(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    def __init__(self, name: str, *, training: bool) -> None:
        with (FOLDER / f"{name}.csv").open() as rows:
            self.rows = [(r["path"], float(r["melanoma"])) for r in csv.DictReader(rows)]
        steps = [v2.RandomHorizontalFlip()] if training else []
        self.transform = v2.Compose(
            [
                v2.ToImage(), v2.Resize((SIZE, SIZE), antialias=True), *steps,
                v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5] * 3, [0.5] * 3),
            ]
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, k: int) -> tuple[torch.Tensor, torch.Tensor]:
        path, label = self.rows[k]
        with Image.open(path) as image:
            return self.transform(image.convert("RGB")), torch.tensor(label)


def main() -> None:
    torch.manual_seed(0)
    workers = len(os.sched_getaffinity(0))
    train = DataLoader(
        Squares("train", training=True), BATCH, shuffle=True, num_workers=workers,
        persistent_workers=True,
    )  # fmt: skip
    validation = DataLoader(
        Squares("validation", training=False), BATCH, num_workers=workers,
        persistent_workers=True,
    )  # fmt: skip
    network = timm.create_model("legacy_xception", num_classes=1)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    loss_of = torch.nn.BCEWithLogitsLoss()
    print("begins", flush=True)
    for epoch in range(EPOCHS):
        network.train()
        for images, labels in train:
            optimizer.zero_grad()
            loss_of(network(images)[:, 0], labels).backward()
            optimizer.step()
        network.eval()
        with torch.inference_mode():
            judged = [(network(images)[:, 0], labels) for images, labels in validation]
        logits, labels = (torch.cat(each).numpy() for each in zip(*judged, strict=True))
        auc = roc_auc_score(labels, logits)
        print(f"epoch {epoch + 1}: validation AUC {auc:.4f}", flush=True)


if __name__ == "__main__":
    main()
