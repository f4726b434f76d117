"""Describe data, split and training of a run in sentences for a manuscript."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from lentigo.config import BY_SOURCE
from lentigo.curation.groups import lesion_keys, patient_keys
from lentigo.datasets import FORMATS
from lentigo.datasets.reading.chosen import LEFT_OUT
from lentigo.evaluation.intervals import Interval
from lentigo.figures.registry import FIGURES
from lentigo.models.calibration import WITHOUT_LABELS
from lentigo.reports.numbers import as_value
from lentigo.reports.paper.facts import Facts, size
from lentigo.reports.paper.of_training import of_training
from lentigo.reports.paper.wording import OPEN_PART, among_them, shown
from lentigo.reports.run.run_folder import RunFolder
from lentigo.run_layout import RunLayout
from lentigo.version import __version__
from lentigo.visible import visible
from lentigo.words import counted, listed, verb

_DRAWN = "synthetic"


def answers(run: RunFolder) -> dict[str, str]:
    """Return by key the checklist answers that only a run folder can give, as sentences."""
    software = f"lentigo {run.environment.get('lentigo') or __version__}"
    found = {
        "data": _data(run),
        "judged_data": _judged_data(run),
        "public": _public(run),
        "benchmark": _benchmark(run),
        "partition": _partition(run),
        "separation": separation(run),
        "preparation": _preparation(run),
        "characteristics": _characteristics(run),
        "diagnoses": _diagnoses(run),
        "roles": _roles(run),
        "left_out": _left_out(run),
        "missing": _missing_data(run),
        "missing_in_development": _missing_data(run),
        "software": f"All was computed with {software} (Apache-2.0){_packages(run)}.",
        "trained_with": f"{software}{_packages(run)}.",
        "prediction": f"By the networks of each fold, with {software}.",
        "beside": _beside(run),
        **_judged_where(run),
        **_recalibration(run.evaluation.get("calibration")),
        **of_training(run),
    }
    found["development"] = f"{found['training']} {found['roles']}".strip()
    return {key: text for key, text in found.items() if text}


def separation(run: RunFolder) -> str:
    """Say which patients, lesions and copies of images may be on two sides of a split.

    The ids of the table are counted, and so is in how many parts of a fold each is found.
    """
    table = run.table
    patient, lesion = table["patient_id"].notna(), table["lesion_id"].notna()
    only_lesion, neither = int((lesion & ~patient).sum()), int((~patient & ~lesion).sum())
    said = [_apart(run)]
    if only_lesion or neither:
        said.append(
            f"Of {counted(len(table), 'image')} {int(patient.sum()):,} "
            f"{verb(int(patient.sum()), 'names', 'name')} a patient, {only_lesion:,} a "
            f"lesion alone, {neither:,} neither: images of one person may be on both sides."
        )
    near = run.config.split.near_duplicates
    said.append(
        "Copies of one image that were found, nearly identical ones too, are on one side."
        if near
        else "Identical files are on one side; nearly identical images were not looked for."
    )
    if any(each.model.pretrained or each.model.weights for each in run.config.of_members()):
        said.append(f"{OPEN_PART} what the first weights had learnt from.")
    return " ".join(said)


def _apart(run: RunFolder) -> str:
    """Return how many groups, patients and lesions are in several parts of one fold."""
    kinds = {
        "group": run.table["group_id"],
        "patient": patient_keys(run.table),
        "lesion": lesion_keys(run.table),
    }
    if not run.roles:
        return "Which images are in which part is not on record here."
    crossing = {
        name: _crossing(run, key) for name, key in kinds.items() if key.notna().any()
    }
    bad = [counted(number, name) for name, number in crossing.items() if number]
    if bad:
        return f"On more than one side of a split: {listed(bad)}."
    return f"No {' and no '.join(crossing)} that is named is on two sides of a split."


def _crossing(run: RunFolder, key: pd.Series[Any]) -> int:
    """Count the values of `key`, one a row of the table, that are in several parts."""
    known = pd.Series(key.to_numpy(), index=run.table["image_id"].to_numpy())
    found: set[str] = set()
    for roles in run.roles.values():
        rows = roles[roles["role"].isin(("train", "validation", "test"))]
        parts = rows["role"].groupby(rows["image_id"].map(known)).nunique()
        found.update(map(str, parts.index[parts > 1]))
    return len(found)


def _names(run: RunFolder) -> list[str]:
    return [visible(str(name)) for name in sorted(run.table["dataset"].dropna().unique())]


def _data(run: RunFolder) -> str:
    groups = counted(int(run.table["group_id"].nunique()), "group")
    melanomas = counted(int(run.table["melanoma"].fillna(False).sum()), "melanoma")
    number = f"{counted(len(run.table), 'image')} of {groups}, {melanomas}"
    names = _names(run)
    return f"Images are those of {listed(names)}: {number}." if names else f"{number}."


def _judged_data(run: RunFolder) -> str:
    """Name the archives of the held-out images, and count these."""
    known = judged_of(run)
    if not {"n_images", "n_melanomas", "n_groups", "unit"} <= known.keys():
        return ""
    names = sorted(map(str, run.scored["dataset"].dropna().unique()))
    of = f" of {visible(listed(names))}" if names else ""
    return f"Held-out images{of}: {size(Facts(known, __version__))}"


def _public(run: RunFolder) -> str:
    """Name the public archives that the data are of; empty if some are no known archive."""
    names = _names(run)
    if not names or run.table["dataset"].isna().any() or not set(names) <= set(FORMATS):
        return ""
    if names == [_DRAWN]:
        return "The images are made up: a program drew them."
    cited = [f"{name} ({FORMATS[name].citation})" for name in names]
    return f"By the names in the table: {listed(cited)}." if _DRAWN not in names else ""


def _benchmark(run: RunFolder) -> str:
    judged = run.scored["dataset"].dropna().unique()
    if not len(judged) or not set(judged) <= set(FORMATS) - {_DRAWN, "csv"}:
        return ""
    auc = _auc(run.evaluation.get("model") or {})
    return f"Held-out images of {listed(sorted(map(str, judged)))}: AUC {auc}."


def _partition(run: RunFolder) -> str:
    split = run.config.split
    copies = "identical and nearly identical" if split.near_duplicates else "identical"
    whole = f"whole groups (patient, else lesion, else image, merged over {copies} images)"
    held = len(run.roles) or 1
    if split.scheme == BY_SOURCE:
        divided = f"Each data set is a fold, {whole} on one side"
    else:
        divided = f"The images are in {counted(_folds(run), 'fold')} of {whole}"
    again = f", {split.repeats:,} times with other folds" if split.repeats > 1 else ""
    pairs = ", and each pair of folds, too" if split.nested else ""
    turns = f"{counted(held, 'fold')} {'was' if held == 1 else 'were'} held out"
    return (
        f"{divided}; {turns}{' in turn' if held > 1 else ''}{again}{pairs}. About "
        f"{100 * split.validation:g} % of the rest were validation images."
    )


def _folds(run: RunFolder) -> int:
    return int(run.table["fold"].nunique()) or int(run.config.split.folds or 0)


def _judged_where(run: RunFolder) -> dict[str, str]:
    """Return the AUC on internal and on external data, each if there was such a test."""
    model = run.evaluation.get("model") or {}
    if run.config.split.scheme != BY_SOURCE:
        return {
            "internal": "Held-out images of the data sets that the models learnt from: AUC "
            f"{_auc(model)}."
        }
    parts = (model.get("by_dataset") or {}).get("parts") or []
    each = [f"{visible(part['name'])} {_auc(part)}" for part in parts]
    if not each:
        held_out = sorted(map(str, run.scored["dataset"].dropna().unique()))
        each = [f"{visible(listed(held_out))} {_auc(model)}"]
    said = "Each data set was judged by a model that learnt from the others alone"
    rest = f"{OPEN_PART} whether they are of other clinics."
    return {"external": f"{said}: AUC {'; '.join(each)}. {rest}"}


def _auc(judged: Mapping[str, Any]) -> str:
    return shown(as_value(judged.get("auc")) or Interval(float("nan")))


def _preparation(run: RunFolder) -> str:
    imaging = run.config.imaging
    views = dict.fromkeys(v for each in run.config.of_members() for v in each.imaging.view)
    return (
        f"Images were decoded to {imaging.size} pixels ({imaging.fit}); "
        f"views: {listed([str(view) for view in views])}. "
        + " ".join(visible(note) for note in run.notes)
    ).strip()


def _left_out(run: RunFolder) -> str:
    """Say which images of the table that was given were not used, and why."""
    chosen = [visible(note) for note in run.notes if note.endswith(LEFT_OUT)]
    model = run.evaluation.get("model") or {}
    said = [*chosen, _lost(run.evaluation.get("given"), "image", " of the table")]
    judged = {
        "images": model.get("n_named"),
        "left_out": model.get("left_out"),
        "melanomas_left_out": model.get("n_melanomas_left_out"),
    }
    said.append(_lost(judged, "held-out image"))
    return " ".join(filter(None, said))


def _lost(counts: Mapping[str, Any] | None, what: str, where: str = "") -> str:
    if not counts or counts.get("left_out") is None:
        return ""
    lost = {str(why): int(number) for why, number in counts["left_out"].items() if number}
    if not lost:
        return f"None of the {what}s{where} was left out."
    parts = listed([f"{number:,} {why}" for why, number in lost.items()])
    of = f" of {counted(int(counts['images']), what)}" if counts.get("images") else ""
    among = among_them(counts.get("melanomas_left_out"))
    return f"Left out{of}{where}: {parts}{among}."


def _missing_data(run: RunFolder) -> str:
    lacking = [
        f"{name} of {int(run.table[name].isna().sum()):,}"
        for name in ("age", "sex", "site", "diagnosis")
        if run.table[name].isna().any()
    ]
    if not lacking:
        return _left_out(run).strip()
    known = f"Not known of {counted(len(run.table), 'image')}: {listed(lacking)}."
    return f"{_left_out(run)} {known}".strip()


def _packages(run: RunFolder) -> str:
    packages = run.environment.get("packages") or {}
    named = [f"{name} {packages[name]}" for name in ("torch", "timm") if packages.get(name)]
    return f", {' and '.join(named)}" if named else ""


def _beside(run: RunFolder) -> str:
    baseline = run.evaluation.get("baseline") or {}
    if as_value(baseline.get("auc")) is None:
        return ""
    return f"AUC of age, sex and site alone, on the same images: {_auc(baseline)}."


def _recalibration(known: Mapping[str, Any] | None) -> dict[str, str]:
    methods = [str(method) for method in (known or {}).get("methods") or []]
    if not known or not methods:
        return {}
    fitted = sorted(set(methods) - WITHOUT_LABELS)
    if not fitted:
        return {"recalibration": "Probabilities were left uncalibrated."}
    number = sum(method in fitted for method in methods)
    said = (
        f"Logits of {number:,} of {counted(len(methods), 'network')} were calibrated on "
        f"validation images ({listed(fitted)})."
    )
    return {"recalibration": said, "recalibrated": _result_of(known)}


def _result_of(known: Mapping[str, Any]) -> str:
    before, after = (known.get(name) or {} for name in ("before", "after"))
    each = [
        f"{name.replace('_', ' ')} {shown(one)} before, {shown(other)} after"
        for name in ("log_loss", "calibration_error", "calibration_slope")
        if (one := as_value(before.get(name))) and (other := as_value(after.get(name)))
    ]
    return f"On held-out images: {'; '.join(each)}." if each else ""


def _characteristics(run: RunFolder) -> str:
    table, said = run.table, []
    age = table["age"].dropna()
    if len(age):
        low, middle, high = (f"{age.quantile(q):.0f}" for q in (0.25, 0.5, 0.75))
        said.append(f"age {middle} (quarters {low} to {high}; {_unknown(run, 'age')})")
    sexes = table["sex"].dropna()
    if len(sexes):
        share = f"{(sexes == 'female').mean():.0%} female"
        said.append(f"{share} ({_unknown(run, 'sex')})")
    sites = table["site"].dropna()
    if len(sites):
        most = sites.value_counts(normalize=True).head(3)
        shares = listed([f"{name} {share:.0%}" for name, share in most.items()])
        said.append(f"sites: {shares} ({_unknown(run, 'site')})")
    return f"Of all images: {'; '.join(said)}." if said else ""


def _diagnoses(run: RunFolder) -> str:
    names = run.table.set_index("image_id")["diagnosis"].astype("string")
    others = run.scored.loc[~run.scored["melanoma"], "image_id"].map(names)
    counts = others.dropna().value_counts()
    if counts.empty:
        return ""
    each = [f"{visible(str(name))} {many:,}" for name, many in counts.items()]
    lacking = int(others.isna().sum())
    each += [f"not known {lacking:,}"] if lacking else []
    return f"Held-out images that are not melanoma: {', '.join(each)}."


def _unknown(run: RunFolder, column: str) -> str:
    return f"{int(run.table[column].isna().sum()):,} not known"


def _roles(run: RunFolder) -> str:
    label = run.table.set_index("image_id")["melanoma"].fillna(False).astype(bool)
    said = []
    for fold, roles in run.roles.items():
        melanoma = roles["image_id"].map(label)
        parts = [
            f"{role} {len(rows):,} ({counted(_number(melanoma[rows.index]), 'melanoma')})"
            for role, rows in roles.groupby("role")
        ]
        said.append(f"fold {fold}: {', '.join(parts)}")
    return f"{'; '.join(said)}." if said else ""


def _number(melanoma: Iterable[Any]) -> int:
    return sum(each is True or each == 1 for each in melanoma)


def judged_of(run: RunFolder) -> dict[str, Any]:
    """Return the evaluation of the model with the operating points of the run beside it."""
    points = run.evaluation.get("operating_points")
    judged = dict(run.evaluation.get("model") or {})
    return {**judged, "operating_points": points} if points else judged


def figures_of(layout: RunLayout) -> list[str]:
    """Return the names of the figures in a run folder, but for those of the training."""
    names = {path.stem for path in layout.figures.glob("*.svg")}
    return sorted(names & set(FIGURES))
