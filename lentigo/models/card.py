"""The model card of a model folder, as Markdown: what to know before using the model.

The headings are those of a model card (Mitchell et al. 2019, doi:10.1145/3287560.3287596).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lentigo.models.calibration import Calibration
from lentigo.models.operating_point import read_points
from lentigo.models.schema import Description, Member
from lentigo.words import counted, listed

_NOT_KNOWN = "not known"


def card_text(model: Description) -> str:
    """Return the model card of a model folder: the intended use, then the other facts."""
    parts = [
        "# Model card: melanoma from dermoscopy",
        f"**{model.intended_use}**" if model.intended_use else "",
        "## What goes in, what comes out",
        *_input_lines(model),
        "## Networks",
        _members_table(model),
        "## What it learnt from",
        *_training_lines(model),
        "## Calibration",
        *_calibration_lines(model),
        "## Thresholds",
        *_threshold_lines(model),
        "## Made with",
        _pairs(model.versions) or _NOT_KNOWN,
        f"Licence: {model.licence or _NOT_KNOWN}.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _input_lines(model: Description) -> Iterator[str]:
    for member in model.members[:1] if _alike(model) else model.members:
        seen = member.input
        views = " + ".join(seen.view)
        yield (
            f"{_named(member, model)}An image file is brought to {seen.store_size} × "
            f"{seen.store_size} pixels ({seen.fit}), shown to the network at {seen.size} × "
            f"{seen.size} ({views})"
            + _views(seen.views)
            + f". Files of more than {seen.max_pixels / 1e6:g} megapixels are refused."
        )
    several = " The answer is the mean of their logits." if len(model.members) > 1 else ""
    yield f"What comes out is the probability of melanoma, 0 to 1.{several}"
    if model.prevalence is not None:
        yield (
            f"The probabilities are meant for a share of {100 * model.prevalence:.3g} % "
            "melanomas."
        )


def _views(count: int) -> str:
    also = {1: "", 2: ", once more mirrored", 8: ", in 8 views (turned and mirrored)"}
    return also[count]


def _alike(model: Description) -> bool:
    return all(each.input == model.members[0].input for each in model.members)


def _named(member: Member, model: Description) -> str:
    return "" if _alike(model) else f"{member.name}: "


def _members_table(model: Description) -> str:
    rows = [
        "| network | backbone | parameters | multiply-adds | AUC on validation | files |",
        "|---|---|---|---|---|---|",
    ]
    for each in model.members:
        cost = each.cost
        files = [name for name in each.files.model_dump().values() if name]
        cells = [
            each.name,
            each.backbone,
            _millions(cost.parameters if cost else None),
            _millions(cost.multiply_adds if cost else None),
            _number(each.validation_auc),
            ", ".join(files),
        ]
        rows.append(f"| {' | '.join(map(_cell, cells))} |")
    speeds = [f"{each.name}: {_speeds(each)}" for each in model.members if _speeds(each)]
    told = (
        [f"Images a second where it was exported: {'; '.join(speeds)}."] if speeds else []
    )
    note = "The AUC on validation chose the epoch and is too good; see the report."
    return "\n".join(rows) + "\n\n" + "\n\n".join([note, *told])


def _training_lines(model: Description) -> Iterator[str]:
    known = model.training
    if known.images is not None:
        groups = f" of {counted(known.groups, 'group')}" if known.groups is not None else ""
        melanomas = (
            f", {counted(known.melanomas, 'melanoma')}"
            if known.melanomas is not None
            else ""
        )
        yield f"{counted(known.images, 'image')}{groups}{melanomas}."
    for each in known.archives:
        told = [word for word in (each.licence, each.citation) if word]
        yield f"- {each.name}" + (f": {'; '.join(told)}" if told else "")
    if known.recipe:
        yield f"Recipe {known.recipe}, seed {known.seed}."
    if known.table_sha256:
        yield f"Digest of ids, groups and labels: {known.table_sha256}."
    if known.teacher_sha256:
        yield f"Taught by a model whose model.json has the digest {known.teacher_sha256}."


def _calibration_lines(model: Description) -> Iterator[str]:
    several = len(model.members) > 1
    maps = [(each.name if several else "", each.calibration) for each in model.members]
    maps.append(("The mean" if several else "", model.calibration))
    told = [
        f"- {f'{name}: ' if name else ''}{_fit(known)}."
        for name, known in maps
        if known.fitted_on
    ]
    yield from told or ["None was fitted."]


def _fit(known: Calibration) -> str:
    if known.method == "spread":
        return (
            "not calibrated, but brought to the spread of the networks beside it on "
            f"{known.fitted_on} ({counted(known.n_images, 'image')})"
        )
    return (
        f"{known.method}, fitted on {known.fitted_on} "
        f"({counted(known.n_images, 'image')}, {counted(known.n_melanomas, 'melanoma')})"
    )


def _threshold_lines(model: Description) -> Iterator[str]:
    if not model.operating_points:
        yield "None was chosen."
    for point in read_points(model.operating_points):
        if point.threshold is None:
            yield f"- None {point.aim}. {point.absent}"
        else:
            yield (
                f"- {point.name}: from {point.threshold:.4g} upwards, chosen on "
                f"{point.chosen_on or _NOT_KNOWN} {point.aim}."
            )


def _speeds(member: Member) -> str:
    found = member.cost.images_a_second if member.cost else {}
    return _pairs({name: f"{speed:.3g}" for name, speed in found.items()})


def _pairs(values: Mapping[str, Any]) -> str:
    return listed([f"{name} {value}" for name, value in values.items()]) if values else ""


def _millions(value: int | None) -> str:
    return _NOT_KNOWN if value is None else f"{value / 1e6:,.4g} million"


def _number(value: float | None) -> str:
    return _NOT_KNOWN if value is None else f"{value:.3f}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
