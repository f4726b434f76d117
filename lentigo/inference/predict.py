"""Predict images with a trained model: files, folders, patterns, tables, arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

from lentigo.errors import DatasetError
from lentigo.inference.answers import Answers as Answers
from lentigo.inference.answers import answers_of
from lentigo.inference.decide import AUTO, Decision
from lentigo.inference.ensemble import Images, load_ensemble
from lentigo.inference.inputs import Source, patients_of
from lentigo.inference.journal import Done, Journal
from lentigo.inference.networks import Networks
from lentigo.inference.places import check_views as check_views
from lentigo.inference.places import model_folders as model_folders
from lentigo.inference.places import task as task
from lentigo.inference.rows import Looks, looked_at
from lentigo.inference.sharing import (
    Answer,
    Asked,
    Cluster,
    answer_of,
    asked_of,
    check_cluster_device,
    check_same_model,
    cluster_of,
    done_there,
    parts_of,
    threads_of,
)
from lentigo.inference.squares import Squares, squares
from lentigo.models.backend import Logits
from lentigo.models.engines import AUTO as AUTO_ENGINE
from lentigo.models.engines import engine_for
from lentigo.models.fastest import fastest
from lentigo.models.metadata import Patients
from lentigo.progress import track


@dataclass(frozen=True)
class Model(Networks):
    """A loaded model: one model folder, or the mean of several, such as a run's folds."""

    views: int | None = None
    """Number of views of each image; None for that of each network. See `load`."""
    folders: tuple[Path, ...] = ()
    """The model folders, from which the machines of a cluster load the model."""
    cluster: Cluster | None = None
    """The cluster that computes; None for this process."""

    def predict(
        self,
        images: Path | str | Images | pd.DataFrame | Sequence[Path | str | Images],
        *,
        batch_size: int = 32,
        device: str = "auto",
        prevalence: float | None = None,
        operating_point: str = AUTO,
        abstain: bool = True,
    ) -> pd.DataFrame:
        """Return the probability of melanoma of each image, as a prediction table.

        `images` is a path, an (H, W, 3) `uint8` RGB array, a list of either, or a lesion
        table. The result has one row per image, in the given order, with the columns:

        - `image_id` (the file's name without its ending; for an array its number), `path`,
          `group_id` (if a table gave it);
        - `probability` from 0 to 1, `logit`, `raw_logit` (before calibration);
        - `metadata`, if a network takes age, sex and site: those that were used;
        - `context`, if the model compares a patient's lesions: how many other lesions of
          the patient in `images` the answer counts (0: the networks' own answer);
        - `meant_for` and `prevalence`: the share of melanoma that the model's own
          probabilities, and these, are meant for;
        - `could_be`, if the model has prediction sets: the classes that stay possible at
          90 % (melanoma, not melanoma, or both);
        - `could_be_diagnoses`, if it also has them over its diagnoses: those that stay
          possible, with "; " between them, melanoma first;
        - `call` and `operating_point`: whether the image is called melanoma, and by which
          of the model's `operating_points`;
        - `probability_melanoma` and one column per other diagnosis (`probability_nevus`),
          which sum to 1, if the networks distinguish the same `diagnoses`;
        - `abstain` (yes or no) and `strangeness` (the out-of-distribution score, above 1
          for yes), if the model has an index of its training images. An image with yes has
          no probability, unless `abstain=False`;
        - `reason`: why there is no probability, or why to doubt it, such as for an image
          that does not look like dermoscopy.

        Each of several networks gets an image in its own size and view. Their logits are
        averaged, and the probability is that of the mean. An image without a finite logit
        from every network has no probability. `prevalence` adjusts the probabilities to a
        clinic with this share of melanoma. Files are decoded in sandboxed processes, so
        that a damaged file does not stop the prediction of others.

        Raises what `lentigo.inference.inputs.as_sources` raises for `images`, and
        `lentigo.inference.decide.decision` for `prevalence` and `operating_point`.
        """
        from lentigo.inference.inputs import as_sources

        return self.predict_sources(
            as_sources(images),
            batch_size=batch_size,
            device=device,
            decision=self.decision(prevalence, operating_point, abstain=abstain),
        )

    def predict_sources(
        self,
        sources: Sequence[Source],
        *,
        batch_size: int = 32,
        device: str = "auto",
        decision: Decision | None = None,
        journal: Journal | None = None,
    ) -> pd.DataFrame:
        """Return predictions of `sources` from `lentigo.inference.inputs`; see `predict`.

        Batches that `journal` holds are not computed again; each new batch is added to it.
        Raises `DatasetError` without `sources`.
        """
        answers = self.answers(
            sources, batch_size=batch_size, device=device, journal=journal
        )
        return answers.table(decision)

    def predict_lesions(
        self,
        images: pd.DataFrame | Path | str,
        *,
        batch_size: int = 32,
        device: str = "auto",
        prevalence: float | None = None,
        operating_point: str = AUTO,
        abstain: bool = True,
    ) -> pd.DataFrame:
        """Return the probability of melanoma of each lesion, one row per `lesion_id`.

        The logits of a lesion's images are averaged, and the mean is calibrated. `n_images`
        counts the images in the mean. To have predictions of images and of lesions, call
        `answers`.

        Raises `ColumnError` if no image has a lesion id, and `DatasetError` if two data
        sets use the same one.
        """
        from lentigo.inference.inputs import as_sources
        from lentigo.inference.lesions import check_lesions

        sources = as_sources(images)
        check_lesions(sources)
        answers = self.answers(sources, batch_size=batch_size, device=device)
        return answers.lesions(self.decision(prevalence, operating_point, abstain=abstain))

    def answers(
        self,
        sources: Sequence[Source],
        *,
        batch_size: int = 32,
        device: str = "auto",
        journal: Journal | None = None,
    ) -> Answers:
        """Return the outputs of all networks; arguments as in `predict_sources`.

        Raises `DatasetError` without `sources`.
        """
        if not sources:
            raise DatasetError("There is no image to predict.")
        done = self._done(sources, batch_size, device, journal)
        return answers_of(self, sources, done)

    def _done(
        self,
        sources: Sequence[Source],
        batch_size: int,
        device: str,
        journal: Journal | None,
    ) -> Iterator[Done]:
        """Yield all batches: those of the journal, then new ones, which are added to it."""
        known = journal.done if journal is not None else []
        yield from known
        start = len(known) * batch_size  # a journal knows whole batches
        compute = self.computed if self.cluster is None else self._shared
        for batch in compute(sources, start, batch_size, device):
            if journal is not None:
                journal.add(batch)
            yield batch

    def _shared(
        self, sources: Sequence[Source], start: int, batch_size: int, device: str
    ) -> Iterator[Done]:
        """Yield the batches of `computed`, computed by the machines of the cluster.

        Images before the position `start` are left out.
        """
        parts = parts_of(sources, start, batch_size)
        if self.cluster is None or not parts:
            return
        check_cluster_device(device)
        asked = asked_of(self.folders, self.engine, self.views, batch_size)
        threads = threads_of({each.engine for each in self.ensembles})
        answer = partial(_answer_part, asked)
        yield from done_there(self.cluster, answer, parts, threads=threads)

    def computed(
        self, sources: Sequence[Source], start: int, batch_size: int, device: str
    ) -> Iterator[Done]:
        """Yield the networks' outputs for `sources` from position `start` on, by batch."""
        for member in self.members:
            member.use(device)
        ways = [member.preparation for member in self.members]
        left = sources[start:]
        if not left:
            return
        batches = squares(left, ways, batch_size=batch_size)
        total = -(-len(left) // batch_size)
        with closing(batches):
            tracked = track(batches, total=total, label="Looking at images")
            for number, batch in enumerate(tracked):
                place = number * batch_size
                count = min(batch_size, len(left) - place)
                logits = np.full((self.rows, count), np.nan)
                reasons = dict(batch.reasons)
                if batch.places:
                    found = looked_at(batch, sides=self.sides)
                    shown = [left[each] for each in batch.places]
                    logits[:, np.subtract(batch.places, place)] = self.network_logits(
                        batch, found, patients_of(shown)
                    )
                    reasons |= found.doubts
                told = {start + each: reason for each, reason in reasons.items()}
                yield Done(start + place, logits, told)

    def network_logits(
        self, batch: Squares, found: Looks, patients: Patients | None = None
    ) -> Logits:
        """Return the outputs of all networks for a batch; see `Answers.logits`.

        `found` is the result of the image checks for the batch (`looked_at`); `patients`
        has age, sex and site for each image of the batch; by default unknown.
        """
        stacked = {way: np.stack(squares) for way, squares in batch.squares.items()}
        parts = [
            each.said(stacked, found.pictures, views=self.views, patients=patients)
            for each in self.ensembles
        ]
        said = [each for part in parts for each in part.answers]
        signals = [each for part in parts for each in part.signals]
        logits = [each[:1] for each in said] + [each[1:] for each in said]
        return np.concatenate([*logits, *signals])


def load(
    path: Path | str | Sequence[Path | str],
    *,
    engine: str = "auto",
    views: int | None = None,
    images: int = 0,
    device: str = "auto",
    on: str = "here",
    ray_address: str | None = None,
) -> Model:
    """Load the model of a run folder (of several folds, their mean) or of a model folder.

    With several paths, the model is the mean of all their networks, which may take images
    of different sizes and views. `engine` is the library that computes them, one of
    `lentigo.models.engines.ENGINES`; `auto` takes ONNX Runtime if the folder has its files,
    else torch. `images` is how many will be predicted: for many, `auto` measures which
    engine is fastest on this machine (`lentigo.models.fastest`), but takes never an 8-bit
    one. `device` is where they will be predicted: for a GPU `auto` takes torch; it serves
    only for this choice, and `predict` is given it anew. `views` is the number of views of
    each image whose logits are averaged: 1 the image itself, 2 also mirrored, 8 also turned
    by quarters; by default that with which each network was judged, for which calibration
    and thresholds were chosen. With `on="ray"` a Ray cluster computes: that at
    `ray_address` (or at RAY_ADDRESS), else a local one of this machine's cores.

    Raises:
        DatasetNotFoundError: a path holds neither a run nor a model.
        ModelError: a model is damaged, or has no file for the engine.
        ConfigError: a model was given twice or none, `views` is not 1, 2 or 8, or a
            cluster is to compute on a GPU.
        UnknownNameError: there is no such engine.
        LentigoError: the engine, or Ray, is not installed, or no cluster answers.
    """
    check_views(views)
    cluster = cluster_of(on, ray_address, device)
    places = model_folders([path] if isinstance(path, str | Path) else path)
    chosen = engine_for(engine, device)
    if chosen == AUTO_ENGINE:
        chosen = fastest(places, images=images, device=device)
    ensembles = tuple(load_ensemble(place, chosen) for place in places)
    return Model(ensembles, views=views, folders=tuple(places), cluster=cluster)


def _answer_part(asked: Asked, part: tuple[int, Sequence[Source]]) -> Answer:
    """Compute the batches of `part`, on one of the machines of a cluster."""
    start, sources = part
    done = _loaded(asked).computed(sources, 0, asked.batch_size, "cpu")
    return answer_of(done, start, sources)


@cache
def _loaded(asked: Asked) -> Model:
    check_same_model(asked)
    return load(asked.folders, engine=asked.engine, views=asked.views, device="cpu")
