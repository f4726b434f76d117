"""The model card of a model folder, as Markdown: what to know before using the model.

The headings are those of a model card (Mitchell et al. 2019, doi:10.1145/3287560.3287596).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lentigo.models.calibration import Calibration
from lentigo.models.card_words import ENGLISH, IN_ENGLISH, CardWords
from lentigo.models.conformal import FEWEST_GROUPS, ConformalSets
from lentigo.models.context import Context
from lentigo.models.metadata import FIELDS
from lentigo.models.operating_point import read_points, unread_points
from lentigo.models.schema import Description, Member

_CORES = re.compile(r"\b(\d{1,9}) cores?\b")
_COLUMNS = ("network", "backbone", "parameters", "multiply_adds", "auc", "files")


def card_text(model: Description, words: CardWords = IN_ENGLISH) -> str:
    """Return the model card of a model folder: the intended use, then the other facts."""
    use = model.intended_use
    if use == ENGLISH["intended_use"]:
        use = words("intended_use")
    parts = [
        f"# {words('title')}",
        f"**{use}**" if use else "",
        f"## {words('input_title')}",
        *_input_lines(model, words),
        f"## {words('networks_title')}",
        _members_table(model, words),
        f"## {words('training_title')}",
        *_training_lines(model, words),
        f"## {words('calibration_title')}",
        *_calibration_lines(model, words),
        f"## {words('thresholds_title')}",
        *_threshold_lines(model, words),
        *_set_lines(model.conformal, words),
        f"## {words('made_title')}",
        _pairs(model.versions, words) or words("not_known"),
        words("licence", licence=_licence(model, words)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _licence(model: Description, words: CardWords) -> str:
    if model.licence == ENGLISH["licence_ours"]:
        return words("licence_ours")
    return model.licence or words("not_known")


def _input_lines(model: Description, words: CardWords) -> Iterator[str]:
    for member in model.members[:1] if _alike(model) else model.members:
        seen = member.input
        looks = words(f"looks_{seen.views}") if seen.views > 1 else ""
        yield _named(member, model) + words(
            "input",
            store=str(seen.store_size),
            fit=words.word("fit", seen.fit),
            size=str(seen.size),
            views=" + ".join(seen.view),
            looks=looks,
            most=words.number(f"{seen.max_pixels / 1e6:g}"),
        )
    several = f" {words('output_mean')}" if len(model.members) > 1 else ""
    yield words("output") + several
    if fields := _fields(model):
        named = [words.word("metadata", name) for name in fields]
        yield words("metadata", fields=words.listed(named))
    told = dict.fromkeys(name for each in model.members for name in each.diagnoses)
    if told:
        yield words("diagnoses", diagnoses=words.listed([*map(words.diagnosis, told)]))
    if model.prevalence is not None:
        share = words.number(f"{100 * model.prevalence:.3g}")
        yield words("prevalence", share=share)
    yield _limit(model, words)


def _fields(model: Description) -> list[str]:
    """Return which of age, sex and site at least one of the networks takes."""
    taken = [each.metadata.fields for each in model.members if each.metadata is not None]
    return [name for name in FIELDS if any(name in own for own in taken)]


def _limit(model: Description, words: CardWords) -> str:
    """Return a sentence on the limit of abstention, as `Ensemble.can_abstain` has it."""
    limits = [
        each.abstention
        for each in model.members
        if each.files.index is not None and each.abstention and each.abstention.limit
    ]
    if not limits:
        return words("abstains_never")
    on = words.word("on", limits[0].set_on) or words("not_known")
    images = words.counted(limits[0].n_images, "image")
    return words("abstains", on=on, images=images)


def _alike(model: Description) -> bool:
    return all(each.input == model.members[0].input for each in model.members)


def _named(member: Member, model: Description) -> str:
    return "" if _alike(model) else f"{member.name}: "


def _members_table(model: Description, words: CardWords) -> str:
    heads = [words(name) for name in _COLUMNS]
    rows = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for each in model.members:
        cost = each.cost
        files = [name for name in each.files.model_dump().values() if name]
        cells = [
            each.name,
            each.backbone,
            _millions(cost.parameters if cost else None, words),
            _millions(cost.multiply_adds if cost else None, words),
            _number(each.validation_auc, words),
            ", ".join(files),
        ]
        rows.append(f"| {' | '.join(map(_cell, cells))} |")
    found = {each.name: _speeds(each, words) for each in model.members}
    speeds = [f"{name}: {speed}" for name, speed in found.items() if speed]
    told = [words("speeds", speeds="; ".join(speeds))] if speeds else []
    return "\n".join(rows) + "\n\n" + "\n\n".join([words("auc_note"), *told])


def _training_lines(model: Description, words: CardWords) -> Iterator[str]:
    known = model.training
    if known.images is not None:
        counts = {
            f"{thing}s": words.counted(count, thing)
            for thing, count in (("group", known.groups), ("melanoma", known.melanomas))
            if count is not None
        }
        key = {0: "learnt", 2: "learnt_both"}.get(len(counts)) or f"learnt_{min(counts)}"
        yield words(key, images=words.counted(known.images, "image"), **counts)
    for each in known.archives:
        told = [word for word in (each.licence, each.citation) if word]
        yield f"- {each.name}" + (f": {'; '.join(told)}" if told else "")
    if known.recipe:
        yield words("recipe", recipe=known.recipe, seed=str(known.seed))
    if known.table_sha256:
        yield words("table", digest=known.table_sha256)
    if known.teacher_sha256:
        yield words("teacher", digest=known.teacher_sha256)


def _calibration_lines(model: Description, words: CardWords) -> Iterator[str]:
    several = len(model.members) > 1
    maps = [(each.name if several else "", each.calibration) for each in model.members]
    maps.append((words("calibration_mean") if several else "", model.calibration))
    told = [
        f"- {f'{name}: ' if name else ''}{_fit(known, words)}"
        for name, known in maps
        if known.fitted_on
    ]
    yield from told or [words("calibration_none")]
    yield from dict.fromkeys(_context(each, words) for each in model.context)


def _context(known: Context, words: CardWords) -> str:
    """Return a sentence on what a patient's other lesions add; empty if nothing."""
    if not known.is_used:
        return ""
    on, images = words.word("on", known.fitted_on), words.counted(known.n_images, "image")
    return words("context", on=on, images=images)


def _fit(known: Calibration, words: CardWords) -> str:
    on, images = words.word("on", known.fitted_on), words.counted(known.n_images, "image")
    if known.method == "spread":
        return words("calibration_spread", on=on, images=images)
    if known.method == "ranks":
        return words("calibration_ranks", on=on, images=images)
    melanomas = words.counted(known.n_melanomas, "melanoma")
    if known.method == "none" and len(known.compared) < 2:
        return words("calibration_none")
    if known.method == "none":
        return words("calibration_as_it_is", on=on, images=images, melanomas=melanomas)
    method = words.word("method", known.method)
    return words("calibration", method=method, on=on, images=images, melanomas=melanomas)


def _threshold_lines(model: Description, words: CardWords) -> Iterator[str]:
    if not model.operating_points:
        yield words("thresholds_none")
    for point in read_points(model.operating_points):
        aim = words.aim(point)
        if point.threshold is None:
            yield "- " + words("threshold_absent", aim=aim, absent=words.absent(point))
        else:
            on = words.word("on", point.chosen_on) or words("not_known")
            threshold = words.number(f"{point.threshold:.4g}")
            yield "- " + words(
                "threshold", name=point.name, threshold=threshold, on=on, aim=aim
            )
    if unread := unread_points(model.operating_points):
        yield "- " + words("thresholds_unread", names=words.listed(unread))


def _set_lines(sets: ConformalSets | None, words: CardWords) -> Iterator[str]:
    """Yield what is known of the prediction sets; nothing for a model without them."""
    if sets is None:
        return
    yield f"## {words('sets_title')}"
    share = words.number(f"{100 * sets.coverage:g}")
    yield words(
        "sets",
        share=share,
        on=words.word("on", sets.set_on),
        images=words.counted(sets.n_images, "image"),
        melanoma=words.counted(sets.n_melanoma_groups, "group"),
        other=words.counted(sets.n_other_groups, "group"),
    )
    for key, is_set in (("sets_diagnoses", True), ("sets_always", False)):
        own = [each for each in sets.diagnoses if each.is_set == is_set]
        if own:
            named = [
                f"{words.diagnosis(each.name)} ({words.counted(each.n_groups, 'group')})"
                for each in own
            ]
            fewest = words.number(str(FEWEST_GROUPS))
            yield words(key, share=share, fewest=fewest, names=words.listed(named))


def _speeds(member: Member, words: CardWords) -> str:
    found = member.cost.images_a_second if member.cost else {}
    speeds = {
        _CORES.sub(lambda found: words.counted(int(found[1]), "core"), name): words.number(
            f"{speed:.3g}"
        )
        for name, speed in found.items()
    }
    return _pairs(speeds, words)


def _pairs(values: Mapping[str, Any], words: CardWords) -> str:
    return words.listed([f"{name} {value}" for name, value in values.items()])


def _millions(value: int | None, words: CardWords) -> str:
    if value is None:
        return words("not_known")
    return words("millions", n=words.number(f"{value / 1e6:,.4g}"))


def _number(value: float | None, words: CardWords) -> str:
    return words("not_known") if value is None else words.number(f"{value:.3f}")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
