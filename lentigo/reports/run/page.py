"""Write a self-contained HTML page about a run, to read, print and send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from lentigo.baselines.logistic import known_features
from lentigo.datasets import FORMATS
from lentigo.files import write_text
from lentigo.notice import NOTICE
from lentigo.reports.glossary import glossary, title
from lentigo.reports.numbers import result_rows
from lentigo.reports.paper import write_paper
from lentigo.reports.paper.facts import NEEDED
from lentigo.reports.paper.of_run import answers, figures_of, judged_of
from lentigo.reports.run import cohort, training
from lentigo.reports.run.drawings import draw_curves, draw_refusals, draw_results
from lentigo.reports.run.examples import galleries, pictures_from
from lentigo.reports.run.judged_parts import (
    calibration_rows,
    calibration_sentence,
    part_rows,
    threshold_rows,
)
from lentigo.reports.run.limits import knows_best, limits
from lentigo.reports.run.refused import diagnosis_sets, refusals, sets
from lentigo.reports.run.run_folder import RunFolder, read_run, threshold
from lentigo.reports.run.verdict import verdict
from lentigo.reports.template import fill
from lentigo.run_layout import EVALUATION, PREDICTIONS
from lentigo.words import count, counted, listed

MOST_ROWS = 50
"""Most failed files, and most duplicate pairs, on the page; a CSV in the run has all."""


def write_report(run: Path) -> Path:
    """Write `report.html` into a run folder and return its path.

    Only the run folder (and the pixel store that its settings name) is read. Figures are
    written to `figures/` and, with a few example images, into the page itself, so that it
    can be sent as one file. The page says which files of the folder are missing. Parts for
    a manuscript are written to `paper/`, unless an earlier version made the run.

    Raises:
        RunError: the folder holds no finished run, or cannot be written.
    """
    folder = read_run(Path(run))
    path = folder.layout.report
    write_text(path, render(folder))
    judged = judged_of(folder)
    if set(judged) >= NEEDED:  # an older run may have told less
        drawn = figures_of(folder.layout)
        write_paper(judged, folder.layout.paper, run=answers(folder), figures=drawn)
    return path


def render(run: RunFolder) -> str:
    """The page as HTML."""
    return fill(
        "report.html.j2",
        **_head(run),
        **_data(run),
        **_learning(run),
        **_results(run),
        **_not_answered(run),
        **_making(run),
    )


@dataclass(frozen=True)
class Named:
    """The first rows of a list, its `total` length, and how many `more` rows it has."""

    sentence: str
    rows: list[dict[str, str]]
    total: int
    more: str


def _head(run: RunFolder) -> dict[str, Any]:
    datasets = [_called(name) for name in cohort.datasets(run.table)]
    about = [
        f"recipe {run.config.recipe}",
        " + ".join(dict.fromkeys(each.model.backbone for each in run.config.of_members())),
        _moment(run.environment.get("started")),
    ]
    used = known_features(run.table, run.config.evaluation.baseline)
    head = verdict(run.evaluation, baseline_features=used)
    return {
        "title": f"Melanoma or not: {listed(datasets)}" if datasets else "Melanoma or not",
        "subtitle": " · ".join(part for part in about if part),
        "version": str(run.environment.get("lentigo") or ""),
        "notice": NOTICE,
        "verdict": replace(head, warnings=[*_mismatch(run), *head.warnings]),
    }


def _called(dataset: str) -> str:
    """Return the usual name of a data set that is a known archive, else its own name."""
    known = FORMATS.get(dataset)
    return known.summary.split(":")[0] if known else dataset


def _sources(run: RunFolder) -> list[str]:
    """Return citation and licence of each data set that is a known archive."""
    known = [FORMATS[name] for name in cohort.datasets(run.table) if name in FORMATS]
    return [
        f"{_called(item.name)}: {item.citation}; licence {item.licence}."
        for item in known
        if item.citation
    ]


def _mismatch(run: RunFolder) -> list[str]:
    """Return a warning if the evaluation and the predictions differ in their images."""
    judged = (run.evaluation.get("model") or {}).get("n_images")
    if judged is None or judged == len(run.scored):
        return []
    return [
        f"{EVALUATION} judged {counted(judged, 'image')}, but {PREDICTIONS} holds "
        f"{count(len(run.scored))} with a label: numbers and figures may not "
        "belong together."
    ]


def _moment(started: Any) -> str:
    """A time in ISO 8601 as "2026-01-02 03:04 UTC"; other text as it is."""
    try:
        moment = datetime.fromisoformat(str(started or ""))
    except ValueError:
        return str(started or "")
    return f"{moment:%Y-%m-%d %H:%M} {moment.tzname() or ''}".strip()


def _data(run: RunFolder) -> dict[str, Any]:
    splits = cohort.splits(run.table, run.roles)
    keep, sentence = cohort.sentence_on_groups(splits)
    return {
        "totals": cohort.totals(run.table),
        "sources": _sources(run),
        "panels": cohort.panels(run.table),
        "notes": list(run.notes),
        "failures": _failures(run),
        "duplicates": _duplicates(run),
        "splits": splits,
        "groups_keep": keep,
        "groups_sentence": sentence,
    }


def _failures(run: RunFolder) -> Named:
    failures = run.failures
    sentence = "Every file named in the table was found and could be decoded."
    if failures is not None and len(failures):
        sentence = (
            f"{counted(len(failures), 'file')} could not be found or decoded. "
            "They took no part in training or in judging"
        )
        among = failures["image_id"].isin(run.table["image_id"]).any()
        sentence += "." if among else ", and are not in the counts above."
    return _named(sentence, failures, ("image_id", "path", "reason"))


def _duplicates(run: RunFolder) -> Named:
    pairs = run.duplicates
    if pairs is None or pairs.empty:
        looked = "No identical images were found among different images of the table."
        if run.config.split.near_duplicates:
            looked = "No identical or near-identical images were found."
        return _named(looked, None, ("a", "b", "kind"))
    kinds = listed([f"{many} {kind}" for kind, many in cohort.kinds(pairs)])
    sentence = (
        f"Pairs of images with the same content: {count(len(pairs))} ({kinds}). The groups "
        "of each pair were made one, so that both images are on the same side."
    )
    return _named(sentence, pairs, ("a", "b", "kind"))


def _named(sentence: str, table: pd.DataFrame | None, columns: tuple[str, ...]) -> Named:
    if table is None:
        return Named(sentence, [], 0, "")
    rows = table.reindex(columns=list(columns)).head(MOST_ROWS).astype("string").fillna("")
    more = len(table) - len(rows)
    return Named(
        sentence,
        [
            {str(key): str(value) for key, value in row.items()}
            for row in rows.to_dict("records")
        ],
        len(table),
        count(more) if more else "",
    )


def _learning(run: RunFolder) -> dict[str, Any]:
    return {
        "training_sentence": training.sentence(run.config, run.evaluation),
        "refit_sentence": training.refit_sentence(run.evaluation),
        "trained": training.trained(run.histories, run.evaluation.get("members")),
        "curves": draw_curves(run),
    }


def _results(run: RunFolder) -> dict[str, Any]:
    rows = result_rows(run.evaluation)
    model = run.evaluation.get("model") or {}
    figures = draw_results(run)
    return {
        "results": rows,
        "results_caption": _caption(run, model),
        "calls": _calls(model),
        "thresholds": threshold_rows(run.evaluation),
        "absent_thresholds": run.evaluation.get("absent_operating_points") or [],
        "calibration": calibration_rows(run.evaluation),
        "calibration_sentence": calibration_sentence(run.evaluation),
        "parts": part_rows(model),
        "evaluation_notes": [str(note) for note in model.get("notes") or []],
        "figures": figures,
        "no_figures": "There are no curves: they need images of melanomas and of others.",
        "pictures_from": pictures_from(run),
        "galleries": galleries(run),
        "limits": limits(run),
        "glossary": glossary((row.name for row in rows), best_known=knows_best(run)),
    }


def _not_answered(run: RunFolder) -> dict[str, Any]:
    return {
        "refusals": refusals(run.evaluation),
        "sets": sets(run.evaluation),
        "diagnosis_sets": diagnosis_sets(run.evaluation),
        "refusal_figures": draw_refusals(run),
    }


def _caption(run: RunFolder, model: Mapping[str, Any]) -> str:
    words = (
        "A difference is model minus metadata only: above 0 is better for AUC and average "
        "precision, below 0 for Brier score and log loss. "
    )
    words += f"Calls are made from a probability of {threshold(run):g} upwards."
    if model.get("n_groups"):
        words += f" Intervals resample {counted(model['n_groups'], 'group')}"
        words += (
            f" {counted(model.get('repeats') or run.config.evaluation.repeats, 'time')},"
        )
        words += f" from seed {model.get('seed', run.config.seed)}."
    return words


def _calls(evaluation: Mapping[str, Any]) -> str:
    """Return sentences on the confusion matrix; empty if the run did not store it."""
    cells = evaluation.get("confusion")
    if not cells:
        return ""
    return (
        f"Of {counted(cells['tp'] + cells['fn'], 'melanoma')}, the model called "
        f"{count(cells['tp'])} and missed {count(cells['fn'])}. Of "
        f"{counted(cells['fp'] + cells['tn'], 'other image')}, it rightly did not call "
        f"{count(cells['tn'])}, and {count(cells['fp'])} were false alarms."
    )


def _making(run: RunFolder) -> dict[str, Any]:
    known = dict(run.environment)
    known.pop("given", None)  # said in the headline
    packages = known.pop("packages", None)
    packages = packages if isinstance(packages, Mapping) else {}
    facts = [
        (_TOLD.get(name) or title(name), _setting(value)) for name, value in known.items()
    ]
    if "seed" not in known:
        facts.append(("Seed", str(run.config.seed)))
    return {
        "command": run.command,
        "environment": facts,
        "packages": [(str(name), str(value)) for name, value in packages.items()],
        "configuration": run.config.to_yaml(),
    }


_TOLD = {
    "lentigo": "lentigo version",
    "data_digest": "Digest of the data",
    "cpu": "Processor",
}


def _setting(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    return "not recorded" if value is None else str(value)
