"""Write the epochs of a training for TensorBoard or MLflow, to files of the run folder."""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lentigo.config import Config, flat_settings
from lentigo.files import cannot_write, written_beside
from lentigo.run_layout import MLFLOW, TENSORBOARD, FoldLayout
from lentigo.training.checkpoint import Row
from lentigo.training.fold import AfterEpoch

if TYPE_CHECKING:
    from mlflow import MlflowClient

_EVENTS = "events.out.tfevents.lentigo"


def watcher(config: Config, layout: FoldLayout, out: Path) -> AfterEpoch | None:
    """Return the function to call after each epoch of a training; None if `watch` is off.

    It writes the numbers of `metrics.csv`: with `training.watch` "tensorboard" to
    `out/tensorboard`, with one folder for each trained network; with "mlflow" to the SQLite
    file `out/mlflow.db`, with one MLflow run for each trained network. Nothing is sent to
    another computer. A resumed training writes to the same place, and adds finished epochs
    that are missing there because the process was killed.
    """
    known: Mapping[str, Callable[[Config, FoldLayout, Path], AfterEpoch]] = {
        "tensorboard": _tensorboard,
        "mlflow": _mlflow,
    }
    way = known.get(config.training.watch)
    return way(config, layout, out) if way else None


def numbers_of(row: Row) -> dict[str, float]:
    """Return the columns of an epoch's row except `epoch`, as floats; True becomes 1."""
    return {name: float(value) for name, value in row.items() if name != "epoch"}


def _tensorboard(_config: Config, layout: FoldLayout, out: Path) -> AfterEpoch:
    path = out / TENSORBOARD / layout.name.replace(" ", "-") / _EVENTS
    written = 0

    def told(rows: Sequence[Row]) -> None:
        nonlocal written
        try:
            if not written:
                # Anew in each process: a kill may have left half a record at the end.
                with written_beside(path) as temporary, temporary.open("wb") as file:
                    file.write(_records(rows))
            elif len(rows) > written:
                with path.open("ab") as file:
                    file.write(_records(rows, after=written))
        except OSError as error:
            raise cannot_write(path, error) from error
        written = len(rows)

    return told


def _records(rows: Sequence[Row], *, after: int = 0) -> bytes:
    """Return the rows after the first `after` as TensorBoard records; a header if 0."""
    import io

    with _quiet():
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.record_writer import RecordWriter

    buffer = io.BytesIO()
    writer = RecordWriter(buffer)
    moments = _moments(rows)
    if not after:
        head = Event(wall_time=moments[0], file_version="brain.Event:2")
        writer.write(head.SerializeToString())
    for row, moment in list(zip(rows, moments, strict=True))[after:]:
        values = [
            Summary.Value(tag=name, simple_value=value)
            for name, value in numbers_of(row).items()
        ]
        event = Event(
            wall_time=moment, step=int(row["epoch"]), summary=Summary(value=values)
        )
        writer.write(event.SerializeToString())
    return buffer.getvalue()


def _moments(rows: Sequence[Row]) -> list[float]:
    """Estimate the Unix time at which each epoch ended, in seconds, as if without breaks.

    The last epoch counts as just ended; earlier times follow from the epochs' seconds.
    """
    moments, moment = [], time.time()
    for row in reversed(rows):
        moments.append(moment)
        moment -= float(row.get("seconds", 0.0))
    return moments[::-1]


def _mlflow(config: Config, layout: FoldLayout, out: Path) -> AfterEpoch:
    path = out / MLFLOW
    written: int | None = None

    def told(rows: Sequence[Row]) -> None:
        nonlocal written
        with _quiet(), _client(path) as client:
            run = _run_of(client, layout.name, config)
            if written is None:
                there = client.get_metric_history(run, "seconds")
                written = len({each.step for each in there})
            _log(client, run, rows, after=written)
            done = len(rows) == written
            client.update_run(run, status="FINISHED" if done else "RUNNING")
            written = len(rows)

    return told


def _log(client: MlflowClient, run: str, rows: Sequence[Row], *, after: int) -> None:
    """Log each row after the first `after` to the MLflow run, each in one transaction."""
    from mlflow.entities import Metric

    for row, moment in list(zip(rows, _moments(rows), strict=True))[after:]:
        values = [
            Metric(name, value, int(moment * 1000), int(row["epoch"]))
            for name, value in numbers_of(row).items()
        ]
        client.log_batch(run, metrics=values)


def _run_of(client: MlflowClient, name: str, config: Config) -> str:
    """Return the id of the MLflow run called `name`; create the run if it is missing.

    Raises `LookupError` if the experiment "lentigo" is missing in the file.
    """
    experiment = client.get_experiment_by_name("lentigo")
    if experiment is None:
        raise LookupError("the experiment lentigo is gone")
    for run in client.search_runs([experiment.experiment_id]):
        if run.info.run_name == name:
            return str(run.info.run_id)
    run = client.create_run(experiment.experiment_id, run_name=name)
    for setting, value in flat_settings(config).items():
        client.log_param(run.info.run_id, setting, str(value)[:500])
    return str(run.info.run_id)


@contextmanager
def _client(path: Path) -> Iterator[MlflowClient]:
    """Give a client of the SQLite file `path`, which is created atomically if missing."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # it reports its use otherwise
    os.environ["DO_NOT_TRACK"] = "true"
    from mlflow import MlflowClient

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    if not path.is_file():
        with written_beside(path) as temporary:
            artifacts = str(path.with_suffix("").absolute())
            MlflowClient(_address(temporary)).create_experiment(
                "lentigo", artifact_location=artifacts
            )
    yield MlflowClient(_address(path))


def _address(path: Path) -> str:
    from sqlalchemy import URL

    return URL.create("sqlite", database=str(path.absolute())).render_as_string()


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide the warnings of TensorBoard and MLflow about their internals from the user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
