"""Describe networks and training of a run in sentences for a manuscript."""

from __future__ import annotations

from collections.abc import Mapping

from lentigo.config import Config, TrainConfig
from lentigo.reports.run import training
from lentigo.reports.run.run_folder import RunFolder
from lentigo.words import listed


def of_training(run: RunFolder) -> dict[str, str]:
    """Return by key the checklist answers about networks and training, as sentences."""
    told = training.sentence(run.config, run.evaluation)
    return {
        "training": f"{told} {_choice(run)}".strip(),
        "choice": f"{_choice(run)} {training.refit_sentence(run.evaluation)}".strip(),
        "ensembling": _ensembling(run),
        "start": _start(run.config),
        "model": _folders(run),
        "predictors": _predictors(run),
        "predictor_handling": _handling(run),
        "imbalance": _imbalance(run.config),
    }


def _choice(run: RunFolder) -> str:
    """Say by what the epoch of each network was chosen; empty if none has epochs."""
    learnt = [
        each.training
        for each in run.config.of_members()
        if each.training.method != "logistic"
    ]
    monitors = list(dict.fromkeys(each.monitor for each in learnt))
    if not monitors:
        return ""
    stops = any(each.patience for each in learnt)
    early = ", and training stopped where it no longer improved" if stops else ""
    return (
        "Of each network that was trained the epoch with the best validation "
        f"{listed(monitors)} was kept{early}."
    )


def _ensembling(run: RunFolder) -> str:
    config = run.config
    views = {each.training.views for each in config.of_members()}
    many = max(views)
    mean = f"; each answer is a mean over {many} views of an image" if many > 1 else ""
    if not config.members:
        return f"One network a fold{mean}."
    first = training.sentence(config, run.evaluation).partition(" (recipe")[0]
    return f"{first}{mean}."


def _start(config: Config) -> str:
    """Say which weights the networks began from, and what of them is not known here."""
    known: dict[str, None] = {}
    for each in config.of_members():
        model = each.model
        if model.weights is not None:
            known[f"the weights in {model.weights.name}"] = None
        elif model.pretrained:
            known[f"timm's pretrained weights of {model.backbone}"] = None
        else:
            known["random weights"] = None
    rest = "" if list(known) == ["random weights"] else " Open: what they had learnt from."
    return f"Training began from {listed(list(known))}.{rest}"


def _folders(run: RunFolder) -> str:
    backbones = dict.fromkeys(each.model.backbone for each in run.config.of_members())
    there = any(fold.model.is_dir() for fold in run.layout.folds())
    folders = "; a model folder of each fold holds weights, input and digests"
    return f"{listed(list(backbones))}{folders if there else ''}."


def _predictors(run: RunFolder) -> str:
    said = "The pixels of one image"
    others = "age, sex and site of the patient" if _takes_metadata(run) else ""
    context = "the same patient's other images" if _takes_context(run) else ""
    beside = " and ".join(filter(None, (others, context)))
    without = "" if others else "; no age, sex or site"
    return f"{said}{', with ' if beside else ''}{beside}{without}."


def _handling(run: RunFolder) -> str:
    imaging = run.config.imaging
    said = f"Pixels entered as squares ({imaging.fit}); "
    if not _takes_metadata(run):
        return f"{said}age, sex and site did not enter."
    return (
        f"{said}age entered as a number in standard deviations, sex and site as a "
        "number from 0 to 1 for each value, and for each of the three whether it is "
        "missing."
    )


def _takes_metadata(run: RunFolder) -> bool:
    return bool(run.config.needs_metadata or run.evaluation.get("without_metadata"))


def _takes_context(run: RunFolder) -> bool:
    return bool(run.evaluation.get("without_context"))


_IMBALANCE: Mapping[str, str] = {
    "none": "nothing",
    "bias": "the output began at the share of melanoma",
    "class_weights": "both classes had the same weight in the loss, corrected afterwards",
    "oversample": "both classes were drawn equally often, corrected afterwards",
}
_BALANCE: Mapping[str, str] = {
    "class": "images of rare classes were drawn more often, corrected afterwards",
    "archive": "images of small data sets were drawn more often, corrected afterwards",
    "class_and_archive": "images of small data sets, and of rare classes in each, were "
    "drawn more often, corrected afterwards",
}


def _imbalance(config: Config) -> str:
    each = list(dict.fromkeys(_against(one.training) for one in config.of_members()))
    return f"Against the rarity of melanoma: {'; or '.join(each)}." if all(each) else ""


def _against(learnt: TrainConfig) -> str:
    if learnt.method == "logistic":
        return ""
    parts = [_IMBALANCE[learnt.imbalance], _BALANCE.get(learnt.balance, "")]
    if learnt.loss != "cross_entropy":
        parts.append(f"the loss was {learnt.loss.replace('_', ' ')}")
    return ", ".join(filter(None, parts))
