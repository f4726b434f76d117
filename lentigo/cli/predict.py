"""`lentigo predict`: compute a model's predictions for images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from lentigo.cli import options, predict_places, predict_said
from lentigo.cli import predict_options as asked
from lentigo.cli.say import say
from lentigo.cli.word_options import chooses_rows
from lentigo.errors import ImageError
from lentigo.output import check_new_folder
from lentigo.run_layout import UNFINISHED
from lentigo.stopping import exit_code

if TYPE_CHECKING:
    from datetime import datetime

    from lentigo.inference.decide import Decision
    from lentigo.inference.dicom_sr import Written
    from lentigo.inference.journal import Journal
    from lentigo.inference.predict import Answers, Model
    from lentigo.inference.sources import Source
    from lentigo.table_files.parts import Parts


class _Answering(NamedTuple):
    """The options of `lentigo predict` on how answers are made, under the same names.

    `resume` and `by_lesion` are the options --resume and --by lesion, `abstain` is False
    with --no-abstain; the commands' help explains each.
    """

    prevalence: float | None
    operating_point: str
    batch_size: int
    device: str
    engine: str
    views: int | None
    resume: bool
    by_lesion: bool
    dicom_sr: Path | None
    on: str
    ray_address: str | None
    format: str
    abstain: bool

    def decision(self, model: Model) -> Decision:
        """Return how the logits of `model` become probabilities and calls."""
        return model.decision(self.prevalence, self.operating_point, abstain=self.abstain)


@chooses_rows
def predict_command(
    model: asked.Model,
    inputs: asked.Inputs,
    out: asked.Out,
    submission: asked.Submission = None,
    like: asked.Like = None,
    also: asked.Also = None,
    by: asked.By = None,
    prevalence: options.Prevalence = None,
    operating_point: asked.Point = "auto",
    batch_size: asked.BatchSize = 32,
    device: asked.Device = "auto",
    engine: asked.Engine = "auto",
    views: asked.Views = None,
    resume: asked.Resume = False,
    dicom_sr: asked.DicomSr = None,
    no_abstain: asked.NoAbstain = False,
    on: options.On = "here",
    ray_address: options.RayAddress = None,
    format: asked.Format = "table",
    json: options.Json = False,
) -> None:
    """Write the probability of melanoma of each image.

    A broken file gets a row that says why.

    \b
    Example:
        lentigo predict runs/ham photos/ --out predictions.csv
    """
    predict_places.check(out, inputs, format, submission, like, resume=resume)
    models = [model, *(also or [])]
    answering = _Answering(
        prevalence, operating_point, batch_size, device, engine, views, resume,
        by_lesion=predict_places.is_by_lesion(by, out, inputs, format, resume=resume),
        dicom_sr=dicom_sr, on=on, ray_address=ray_address, format=format,
        abstain=not no_abstain,
    )  # fmt: skip
    if _is_there(models, inputs, out, answering, submission, like):
        return
    if dicom_sr is not None:
        check_new_folder(dicom_sr, option="--dicom-sr")
    answers, loaded, reports = _predicted(models, inputs, out, like, answering)
    decision = answering.decision(loaded)
    _warn_of_learnt(models, lambda: answers.parts(decision))
    said = _said(answers, loaded, out, answering, reports, reasons=json)
    said.show(as_json=json)
    if submission is not None:
        predict_places.write_submission(answers.table(decision), submission, like)
    if not said.tally.known:
        raise ImageError(f"No image has a probability; {out} says of each one why.")


def _said(
    answers: Answers,
    model: Model,
    out: Path,
    answering: _Answering,
    reports: Written | None,
    *,
    reasons: bool,
) -> predict_said.Said:
    from lentigo.inference.finished import views_of

    decision, own = answering.decision(model), views_of(model.folders, None)
    return predict_said.Said(
        tally=predict_said.Tally.of(answers.parts(decision), reasons=reasons),
        model=model,
        decision=decision,
        out=out,
        lesions=predict_places.lesions_beside(out) if answering.by_lesion else None,
        views=None if str(answering.views) == own else answering.views,
        reports=reports,
    )


def _write(
    answers: Answers,
    decision: Decision,
    places: list[Path],
    out: Path,
    answering: _Answering,
    when: datetime,
) -> None:
    """Write the answers to `out`; a FHIR bundle has the time `when` the work began.

    So a resumed command makes the same bytes, and knows a bundle as its own. With --by
    lesion the table of lesions is written first.
    """
    if answering.by_lesion:
        lesions = answers.lesions(decision)
        options.write_out(
            lesions, predict_places.lesions_beside(out), resume=answering.resume
        )
    if answering.format == "table":
        options.write_parts_out(
            lambda: answers.parts(decision), out, resume=answering.resume
        )
        return
    from lentigo.files import digest
    from lentigo.inference.fhir_answers import bundle_of
    from lentigo.json_files import write_json
    from lentigo.models.description import DESCRIPTION

    version = " ".join(digest(place / DESCRIPTION) for place in places)
    bundle = bundle_of(answers, decision, model=places[0].name, version=version, when=when)
    write_json(out, bundle, new=True, same=answering.resume)


def _predicted(
    models: list[Path],
    inputs: list[str],
    out: Path,
    like: Path | None,
    answering: _Answering,
) -> tuple[Answers, Model, Written | None]:
    """Return the answers, which are also written to `out`, the model and the reports."""
    journal = None
    try:  # the imports take long enough to be stopped in
        places, sources = _asked(models, inputs, like, answering)
        from lentigo.inference.finished import remember
        from lentigo.output import check_not_read

        check_not_read(out)
        # Of the files as they are now: one that is replaced meanwhile is another image.
        made = _made(places, sources, answering)
        loaded, journal = _begun(places, sources, out, answering)
        predict_places.check_theirs(
            out, journal, images=len(sources), by_lesion=answering.by_lesion
        )
        decision = answering.decision(loaded)
        answers = loaded.answers(
            sources,
            batch_size=answering.batch_size,
            device=answering.device,
            journal=journal,
        )
        with _reported(answers, loaded, places, answering) as reports:
            _write(answers, decision, places, out, answering, journal.when)
            # Within, so that reports are never there beside work that is left to do.
            remember(out, made | {"engine": loaded.engine})
            journal.finish()
    except KeyboardInterrupt as stop:
        say(_stopped(journal, out), err=True)
        raise typer.Exit(exit_code(stop)) from None
    finally:
        if journal is not None:
            journal.close()
    return answers, loaded, reports


@contextmanager
def _reported(
    answers: Answers, model: Model, places: list[Path], answering: _Answering
) -> Iterator[Written | None]:
    """Write DICOM structured reports if --dicom-sr is given; `with` gives what was written.

    `places` are the model folders. The reports are removed if the `with` block fails.
    Without the option it gives None.
    """
    if answering.dicom_sr is None:
        yield None
        return
    from lentigo.inference.dicom_sr import reported_by, write_reports
    from lentigo.inference.finished import views_of
    from lentigo.output import new_folder

    decision = answering.decision(model)
    settings = (
        f"engine={model.engine}",
        f"views={views_of(places, answering.views)}",
        f"abstains={'yes' if model.can_abstain else 'no'}",
    )
    by = reported_by(places, settings=settings, point=decision.point)
    with new_folder(answering.dicom_sr):
        table = answers.table(decision)
        yield write_reports(table, answers.sources, answering.dicom_sr, by)


def _begun(
    places: list[Path], sources: Sequence[Source], out: Path, answering: _Answering
) -> tuple[Model, Journal]:
    """Load the model, and open the journal of the images it has already predicted.

    `places` are the model folders; the journal is a file beside the table `out`.
    """
    from lentigo.inference.journal import Journal
    from lentigo.inference.predict import load, task

    loaded = load(
        places,
        engine=_engine(out, answering),
        views=answering.views,
        images=len(sources),
        device=answering.device,
        on=answering.on,
        ray_address=answering.ray_address,
    )
    how = [loaded.engine, answering.device, str(answering.views)]
    work = task(places, sources, how, answering.batch_size, loaded=loaded)
    return loaded, Journal(out, work, resume=answering.resume)


def _engine(out: Path, answering: _Answering) -> str:
    """Return the engine to use: a resumed prediction keeps the one it began with."""
    from lentigo.inference.journal import engine_of
    from lentigo.models.engines import AUTO, is_exact

    begun = engine_of(out) if answering.resume and answering.engine == AUTO else ""
    return begun if is_exact(begun) else answering.engine


def _is_there(
    models: list[Path],
    inputs: list[str],
    out: Path,
    answering: _Answering,
    submission: Path | None,
    like: Path | None,
) -> bool:
    """Tell whether --resume is given and `out` holds finished predictions; then print that.

    A `submission` that is not there yet is made of them. Raises `RunError` if these
    predictions are known to be made with other settings.
    """
    if not (answering.resume and predict_places.is_finished(out)):
        return False
    from lentigo.inference.finished import check_made

    places, sources = _asked(models, inputs, like, answering)
    known = check_made(out, _made(places, sources, answering))
    if known and answering.dicom_sr is not None:
        # Its command was killed at its last step: the reports are whole.
        (answering.dicom_sr / UNFINISHED).unlink(missing_ok=True)
    unknown = " Whether it was made by this model, of these images and so is not known."
    say(
        f"{out} is there, and none of its predictions is left to do."
        f"{'' if known else unknown} Give another --out to predict anew."
    )
    if submission is not None and not submission.exists():
        predict_places.submission_of(out, submission, like, known=known)
        say(f"The submission is made of it: {submission}")
    return True


def _made(
    places: list[Path], sources: Sequence[Source], answering: _Answering
) -> dict[str, str]:
    """Return, in words, the settings that decide the predictions, with their values.

    `places` are the model folders.
    """
    from lentigo.files import digest
    from lentigo.inference.finished import views_of
    from lentigo.inference.predict import task
    from lentigo.models.description import DESCRIPTION

    # The task knows the networks; calibration and thresholds stand in the description.
    described = [digest(place / DESCRIPTION) for place in places]
    engine = {} if answering.engine == "auto" else {"engine": answering.engine}
    sr = answering.dicom_sr
    return {
        "model": " ".join([task(places, [], [], 0).digest, *described]),
        "set of images": task([], sources, [], 0).digest,
        "number of views": views_of(places, answering.views),
        "share of melanoma": str(answering.prevalence),
        "operating point": answering.operating_point,
        **({"format": answering.format} if answering.format != "table" else {}),
        **({} if answering.abstain else {"way with strange images": "shown"}),
        **({"table of lesions": "yes"} if answering.by_lesion else {}),
        **({"folder of reports": str(sr.resolve())} if sr else {}),
        **engine,
    }


def _stopped(journal: Journal | None, out: Path) -> str:
    if journal is None or not journal.done:
        return "Stopped. No predictions were written."
    return (
        f"Stopped after {journal.progress()}. Give the same command with --resume to go "
        f"on; {out} is written at the end."
    )


def _asked(
    models: list[Path], inputs: list[str], like: Path | None, answering: _Answering
) -> tuple[list[Path], Sequence[Source]]:
    """Return the model folders and the images that the command line gives.

    Errors in them are raised before torch is loaded, which takes seconds.
    """
    from lentigo.cluster import check_place
    from lentigo.inference.decide import check_prevalence
    from lentigo.inference.inputs import find_sources
    from lentigo.inference.predict import check_views, model_folders
    from lentigo.models.backend import check_device
    from lentigo.models.description import check_folder
    from lentigo.models.engines import check_engine

    check_prevalence(answering.prevalence)
    check_device(answering.device)
    check_engine(answering.engine)
    check_views(answering.views)
    check_place(answering.on, answering.ray_address)
    places = model_folders(models)
    for place in places:
        check_folder(place)
    sources = find_sources(inputs)
    if answering.dicom_sr is not None:
        from lentigo.inference.dicom_sr import check_dicom

        check_dicom(sources)
    if answering.by_lesion:
        from lentigo.inference.lesions import check_lesions

        check_lesions(sources)
    if like is not None:
        from lentigo.inference.submission import check_ids, read_sample

        check_ids([source.image_id for source in sources], read_sample(like))
    return places, sources


def _warn_of_learnt(models: list[Path], parts: Parts) -> None:
    from lentigo.inference.learnt import learnt_images, unknowable
    from lentigo.progress import log
    from lentigo.words import some

    found = [name for model in models for name in learnt_images(model, parts())]
    if known := list(dict.fromkeys(found)):
        log.warning(
            "The model learnt from %d of these images (%s): predicting them is no test.",
            len(known),
            some(known),
        )
    for unknown in dict.fromkeys(filter(None, map(unknowable, models))):
        log.warning("%s", unknown)
