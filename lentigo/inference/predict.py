"""Let a finished model look at images: files, folders, patterns, tables, arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from lentigo.errors import ConfigError, DatasetError, ImageError, LentigoError, ModelError
from lentigo.files import as_text, digest
from lentigo.imaging.decoding import packed
from lentigo.imaging.quality.unlike import DOUBT, unlike_dermoscopy
from lentigo.inference.inputs import ARRAY, Source
from lentigo.inference.squares import Squares, squares
from lentigo.models.batch import Batch, network_view
from lentigo.models.description import find_models
from lentigo.models.device import fastest_device
from lentigo.models.folder import LoadedModel, load_model_folder
from lentigo.models.forward import predict_logits
from lentigo.progress import log, track
from lentigo.run_layout import FoldLayout, RunLayout, run_of
from lentigo.tables import read_any_table

Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Model:
    """One network, or the mean of several that were trained on different folds."""

    members: tuple[LoadedModel, ...]

    def predict(
        self,
        images: Path | str | Images | pd.DataFrame | Sequence[Path | str | Images],
        *,
        batch_size: int = 32,
        device: str = "auto",
    ) -> pd.DataFrame:
        """The probability of melanoma of each image, as a prediction table.

        `images` is a path, an (H, W, 3) `uint8` RGB array, a list of either, or a lesion
        table. The answer has one row each, in order: `image_id` (the file's name without
        its ending; for an array its number), `path`, `group_id` (where a table gave it),
        `probability` from 0 to 1, `logit`, and `reason`: why there is no probability, for
        a file that cannot be shown, or why one is to be doubted, for an image that does not
        look like dermoscopy. The mean of several networks is taken over logits.

        Files are decoded in processes that may be killed, so that none can end the others.
        """
        from lentigo.inference.inputs import as_sources

        return self.predict_sources(
            as_sources(images), batch_size=batch_size, device=device
        )

    def predict_sources(
        self, sources: Sequence[Source], *, batch_size: int = 32, device: str = "auto"
    ) -> pd.DataFrame:
        """`predict` for sources that `lentigo.inference.inputs` found."""
        if not sources:
            raise DatasetError("There is no image to predict.")
        target = _device(device)
        for member in self.members:
            member.network.to(target)
        logits: NDArray[np.float64] = np.full(len(sources), np.nan)
        reasons: dict[int, str] = {}
        batches = squares(sources, self.members[0], batch_size=batch_size)
        total = -(-len(sources) // batch_size)
        with closing(batches):
            for batch in track(batches, total=total, label="Looking at images"):
                reasons |= batch.reasons
                if batch.places:
                    logits[batch.places] = self._logits(np.stack(batch.squares), target)
                    reasons |= _doubts(batch)
        return _table(sources, logits, reasons)

    def _logits(self, squares: Images, device: torch.device) -> NDArray[np.float64]:
        answers = [_member_logits(member, squares, device) for member in self.members]
        return np.asarray(np.mean(answers, axis=0))


def load(path: Path | str) -> Model:
    """The model of a run folder (of several folds, their mean) or of a model folder.

    Raises `DatasetNotFoundError` where there is neither, and `ModelError` where it is
    damaged.
    """
    found = find_models(path)
    folder = Path(path)
    several = found[0] not in (folder, FoldLayout(folder).model)
    if several and not RunLayout(folder).is_trained():
        log.warning("%s is not finished: only %d folds of it answer.", folder, len(found))
    members = tuple(load_model_folder(place) for place in found)
    for place, member in zip(found, members, strict=True):
        if _shown_as(member) != _shown_as(members[0]):
            raise ModelError(
                f"{place} and {found[0]} prepare their images differently, so they cannot "
                "answer together. Give one of the two."
            )
    return Model(members)


def _shown_as(member: LoadedModel) -> tuple[object, ...]:
    """Return what the squares of a model depend on."""
    return member.store_size, member.fit, member.max_pixels


def learnt_images(path: Path, predictions: pd.DataFrame) -> list[str]:
    """Those of the predicted images that the model in `path` was trained or chosen on.

    Its run folder knows their names and their bytes, so a renamed copy is found as well.
    Predictions for them are no test of the model. Empty where there is no run folder.
    """
    runs = [layout for layout in run_of(path) if _is_run(layout)]
    try:
        return _learnt(path, runs[0], predictions) if runs else []
    except (LentigoError, KeyError, TypeError, ValueError) as error:
        log.warning(
            "Whether the model learnt from these images cannot be told: the tables of %s "
            "cannot be read (%s).",
            runs[0].folder,
            " ".join(str(error).split())[:200],
        )
        return []


def _learnt(path: Path, run: RunLayout, predictions: pd.DataFrame) -> list[str]:
    # A model of one fold did not learn from what the others did.
    place = path.absolute()
    all_folds = run.folds()
    folds = [fold for fold in all_folds if fold.folder in (place, *place.parents)]
    roles = [read_any_table(fold.roles) for fold in folds or all_folds]
    names = {
        name for role in roles for name in role.loc[role["role"] != "test", "image_id"]
    }
    table = read_any_table(run.table)
    digests = set(table.loc[table["image_id"].isin(names), "sha256"].dropna())
    shown = predictions["probability"].notna()
    return [
        str(name)
        for name, path, predicted in zip(
            predictions["image_id"], predictions["path"], shown, strict=True
        )
        if name in names or (predicted and _digest(str(path)) in digests)
    ]


def _is_run(layout: RunLayout) -> bool:
    return layout.is_prepared() and any(fold.roles.is_file() for fold in layout.folds())


def _digest(path: str) -> str:
    """Of the bytes of an image file; empty for an array, or a file that has gone since."""
    with suppress(OSError, ImageError):
        if packed.is_there(path):
            return hashlib.sha256(packed.read_bytes(path)).hexdigest()
        if path != ARRAY and Path(path).is_file():
            return digest(Path(path))
    return ""


def _device(name: str) -> torch.device:
    if name == "auto":
        return fastest_device()
    try:
        device = torch.device(name)
        if device.type not in {"cpu", "cuda", "mps"}:
            raise NotImplementedError(device.type)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ConfigError(
            f"There is no device {name!r} here. Give cpu, or auto for the fastest there is."
        ) from error
    return device


def _member_logits(
    member: LoadedModel, squares: Images, device: torch.device
) -> NDArray[np.float64]:
    views = np.stack(
        [network_view(square, member.image_size, view=member.view) for square in squares]
    )
    images = torch.from_numpy(np.ascontiguousarray(views)).permute(0, 3, 1, 2).to(device)
    nothing = torch.zeros(len(images))
    logits, _ = predict_logits(
        member.network,
        [Batch(images, nothing, nothing)],
        mirror=member.mirror,
        context=nullcontext(),
    )
    return logits.cpu().double().numpy() - member.logit_shift


NO_NUMBER = (
    "the network's answer is no number (NaN or infinite); its weights are of no use for "
    "this image"
)


def _doubts(batch: Squares) -> dict[int, str]:
    """For each image of a batch that looks like no dermoscopy, what it looks like."""
    told = zip(batch.places, batch.squares, strict=True)
    return {place: doubt for place, square in told if (doubt := unlike_dermoscopy(square))}


def _table(
    sources: Sequence[Source], logits: NDArray[np.float64], reasons: Mapping[int, str]
) -> pd.DataFrame:
    told = dict(reasons)
    for place in np.flatnonzero(~np.isfinite(logits)).tolist():
        if not (source := told.get(place)) or source.startswith(DOUBT):
            told[place] = NO_NUMBER
    logits = np.where(np.isfinite(logits), logits, np.nan)
    with np.errstate(over="ignore"):  # of a logit far below 0 the probability is 0
        probability = 1 / (1 + np.exp(-logits))
    table = pd.DataFrame(
        {
            "image_id": [source.image_id for source in sources],
            "path": [as_text(source.path) if source.path else ARRAY for source in sources],
            "group_id": [source.group_id for source in sources],
            "probability": probability,
            "logit": logits,
            "reason": [told.get(place, "") for place in range(len(sources))],
        }
    )
    return table.drop(columns="group_id") if table["group_id"].isna().all() else table
