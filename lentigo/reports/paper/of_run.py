"""Describe data, split and training of a run in sentences for a manuscript."""

from __future__ import annotations

from collections.abc import Sequence

from lentigo.reports.run.run_folder import RunFolder
from lentigo.words import counted, listed


def answers(run: RunFolder) -> dict[str, str]:
    """Return by key the checklist answers that only a run folder can give, as sentences."""
    config, table = run.config, run.table
    members = config.of_members()
    backbones = list(dict.fromkeys(each.model.backbone for each in members))
    names = [str(name) for name in sorted(table["dataset"].dropna().unique())]
    found = {
        "data": f"Images are those of {listed(names)}: {_count(run)}.",
        "partition": _partition(run),
        "unit": "Nobody's images, and no copies of one image, are on two sides of a split.",
        "training": (
            f"{listed(backbones)} ({counted(len(members), 'network')} a fold) at "
            f"{listed(_sizes(run))} pixels, {listed(_epochs(run))} epochs, "
            f"{config.training.optimizer}; the epoch with the best validation "
            f"{config.training.monitor} was kept."
        ),
        "model": (
            f"{listed(backbones)}, "
            f"{'begun from' if config.model.pretrained else 'without'} earlier weights; "
            "the model folder holds weights, input and digests."
        ),
        "preparation": (
            f"Images were decoded to {config.imaging.size} pixels ({config.imaging.fit}); "
            f"views: {listed([str(view) for view in config.imaging.view])}. "
            + " ".join(run.notes)
        ).strip(),
        "predictors": (
            "The pixels of one image, and age, sex and site of the patient."
            if config.needs_metadata or run.evaluation.get("without_metadata")
            else "The pixels of one image; no age, sex or site."
        ),
        "imbalance": f"Rarity of melanoma in training: {config.training.imbalance}.",
        "characteristics": _characteristics(run),
        "roles": _roles(run),
    }
    if calibration := run.evaluation.get("calibration"):
        found["recalibration"] = _calibration(calibration.get("methods") or [])
    return {key: text for key, text in found.items() if text}


def _calibration(methods: Sequence[str]) -> str:
    fitted = [method for method in dict.fromkeys(map(str, methods)) if method != "none"]
    if not fitted:
        return "Of the maps that were tried on validation images none did better than none."
    return f"Logits were calibrated on validation images ({listed(fitted)})."


def _count(run: RunFolder) -> str:
    groups = run.table["group_id"].nunique()
    melanomas = counted(int(run.table["melanoma"].sum()), "melanoma")
    return f"{counted(len(run.table), 'image')} of {counted(groups, 'group')}, {melanomas}"


def _partition(run: RunFolder) -> str:
    split = run.config.split
    number = len(run.roles) or 1
    times = counted(split.repeats, "time")
    again = f", {times} with the groups dealt anew" if split.repeats > 1 else ""
    pairs = ", and each pair of folds, too" if split.nested else ""
    return (
        f"Whole groups (patient, else lesion, merged over copies of an image) were dealt "
        f"into {split.folds} folds; {counted(number, 'fold')} "
        f"{'was' if number == 1 else 'were'} held out in turn"
        f"{again}{pairs}, and "
        f"{100 * split.validation:g} % of the rest chose epochs and thresholds."
    )


def _sizes(run: RunFolder) -> list[str]:
    return _distinct(run, "image_size")


def _epochs(run: RunFolder) -> list[str]:
    return _distinct(run, "epochs")


def _distinct(run: RunFolder, name: str) -> list[str]:
    values = (str(getattr(each.training, name)) for each in run.config.of_members())
    return list(dict.fromkeys(values))


def _characteristics(run: RunFolder) -> str:
    table, said = run.table, []
    age = table["age"].dropna()
    if len(age):
        low, middle, high = (f"{age.quantile(q):.0f}" for q in (0.25, 0.5, 0.75))
        said.append(f"age {middle} (quarters {low} to {high}; {_missing(run, 'age')})")
    sexes = table["sex"].dropna()
    if len(sexes):
        share = f"{(sexes == 'female').mean():.0%} female"
        said.append(f"{share} ({_missing(run, 'sex')})")
    sites = table["site"].dropna()
    if len(sites):
        most = sites.value_counts(normalize=True).head(3)
        shares = listed([f"{name} {share:.0%}" for name, share in most.items()])
        said.append(f"sites: {shares} ({_missing(run, 'site')})")
    return f"Of all images: {'; '.join(said)}." if said else ""


def _missing(run: RunFolder, column: str) -> str:
    return f"{int(run.table[column].isna().sum()):,} not known"


def _roles(run: RunFolder) -> str:
    label = run.table.set_index("image_id")["melanoma"]
    said = []
    for fold, roles in run.roles.items():
        melanoma = roles["image_id"].map(label)
        parts = [
            f"{role} {len(rows):,} ({counted(int(melanoma[rows.index].sum()), 'melanoma')})"
            for role, rows in roles.groupby("role")
        ]
        said.append(f"fold {fold}: {', '.join(parts)}")
    return f"{'; '.join(said)}." if said else ""
