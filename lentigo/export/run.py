"""Export a run or a model folder: each network as ONNX beside its weights, then checked.

The export fails unless the ONNX networks predict as torch does on real images.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lentigo.errors import ConfigError, DatasetNotFoundError
from lentigo.export.agreement import Agreement, Int8Judged, check_agreement, judge_int8
from lentigo.export.images import (
    ImagesByRole,
    check_shown,
    given_sources,
    images_by_role,
    prepared,
    some_sources,
)
from lentigo.export.index import index_made
from lentigo.export.speed import speeds
from lentigo.files import copy_file
from lentigo.inference.diagnoses import common_names
from lentigo.inference.inputs import Source
from lentigo.inference.out_of_fold import sets_of_folds
from lentigo.inference.predict import model_folders
from lentigo.models.backend import EARLY, Images, Preparation
from lentigo.models.description import (
    checked_file,
    models_of,
    read_description,
    write_folder,
)
from lentigo.models.engines import load_members
from lentigo.models.index import INDEX, read_index
from lentigo.models.joined import index_copied, joined
from lentigo.models.network_view import network_views
from lentigo.models.schema import Description, Member
from lentigo.output import new_folder
from lentigo.progress import track
from lentigo.run_layout import REFIT, RunLayout, fold_of

_TO_COMPARE, _TO_CALIBRATE = 64, 128
"""Number of images on which predictions are compared, and number of training images by
which 8-bit networks are calibrated: enough to find a fault, few enough to be quick."""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """Result of an export: the folder, its description, and how well it matches torch."""

    folder: Path
    description: Description
    agreement: Agreement
    int8: Sequence[Int8Judged] = ()


def export(
    source: Path | str,
    out: Path | str,
    *,
    int8: bool = False,
    images: Sequence[Path | str] = (),
) -> Exported:
    """Write the model of a run folder, or of a model folder, as one folder for any machine.

    The folder holds each network as safetensors and as ONNX (with `int8` also as 8-bit
    ONNX), with its size and speed. `images` names files, folders or tables of images on
    which the predictions are compared; by default images of the run are used.

    Raises:
        ModelError: the ONNX networks differ from torch by more than 1e-4 in a probability,
            or the 8-bit networks by more than 0.002 in the AUC on held-out images, or
            refuse 5 % more of them, or call 1 % less of the melanomas at a threshold.
        DatasetNotFoundError: no `images` are given and `source` belongs to no run.
        ConfigError: the run's table names no image file, or for `int8` the held-out images
            of a network are not known.
        ImageError: none of the images can be decoded.
        RunError: `out` is not a new or empty folder.
    """
    source, out = Path(source), Path(out)
    folders = _trained(source)
    _check_files(folders)
    seen = images_by_role(source)
    sources = _to_compare(source, seen, images)
    check_shown(sources, way := _first_way(folders[0]))
    if int8:
        _check_known(source, folders, seen)
        for each in seen.values():
            check_shown(some_sources(each.learnt, _TO_CALIBRATE), way)
            check_shown(some_sources(each.held_out, _TO_COMPARE), way)
    with new_folder(out):
        members = _written(folders, out, seen)
        content = _content(source, folders, members)
        write_folder(out, content)
        agreement = check_agreement(out, sources)
        judged: Sequence[Int8Judged] = ()
        if int8:
            members = _quantised(out, seen)
            write_folder(out, {**content, "members": members})
            judged = judge_int8(out, {name: each.held_out for name, each in seen.items()})
        members = _timed(out, sources)
        description = write_folder(out, {**content, "members": members})
    return Exported(folder=out, description=description, agreement=agreement, int8=judged)


def _check_files(folders: Sequence[Path]) -> None:
    """Raise `ModelError` for weights or an index that cannot be read.

    Before the first network is written as ONNX, which takes seconds to minutes.
    """
    for folder in folders:
        known = read_description(folder)
        for member in known.members:
            if member.files.torch is not None:
                checked_file(folder, known, member.files.torch)
            if member.files.index is not None:
                read_index(checked_file(folder, known, member.files.index))


def _first_way(folder: Path) -> Preparation:
    imaging = read_description(folder).members[0].input.imaging()
    return Preparation(imaging.size, imaging.fit, imaging.max_pixels)


def _check_known(
    source: Path, folders: Sequence[Path], seen: dict[str, ImagesByRole]
) -> None:
    """Raise `ConfigError` unless each network's training and held-out images are known.

    8-bit networks are calibrated on training images and evaluated on held-out ones.
    """
    members = [each for folder in folders for each in read_description(folder).members]
    if any(fold_of(member.name) == REFIT for member in members):
        raise ConfigError(
            "An 8-bit network is judged on held-out images, and a refit network learnt "
            "from all. Export a fold (such as RUN/fold-0), or leave out --int8."
        )
    known = [seen.get(fold_of(member.name)) for member in members]
    if any(each is None or each.held_out.empty or each.learnt.empty for each in known):
        raise ConfigError(
            f"An 8-bit network is judged on held-out images, and {source} belongs to no "
            "run that knows them. Export the run folder, or leave out --int8."
        )


def _trained(source: Path) -> list[Path]:
    """Return the model folders of `source`, a run folder or itself a model folder."""
    return models_of(RunLayout(source)) or model_folders([source])


def _to_compare(
    source: Path, seen: dict[str, ImagesByRole], images: Sequence[Path | str]
) -> Sequence[Source]:
    if images:
        return given_sources(images, _TO_COMPARE)
    if not seen:
        raise DatasetNotFoundError(
            f"{source} belongs to no run, so no images are known on which the exported "
            "model could be compared. Name some with --images FOLDER."
        )
    first = next(iter(seen.values()))
    table = first.held_out if len(first.held_out) else first.learnt
    return some_sources(table, _TO_COMPARE)


def _written(
    folders: Sequence[Path], out: Path, seen: dict[str, ImagesByRole]
) -> list[dict[str, Any]]:
    """Write the networks of `folders` to `out`; return the description of each.

    `seen` maps the name of a fold to the images of its training; a network without an index
    gets one, if its fold is in it.
    """
    from lentigo.models.cost import multiply_adds
    from lentigo.models.onnx_export import write_onnx
    from lentigo.models.torch_engine import load_member

    found = [
        (folder, known, member)
        for folder in folders
        for known in [read_description(folder)]
        for member in known.members
    ]
    members = []
    for place, (folder, known, member) in enumerate(
        track(found, total=len(found), label="Writing ONNX")
    ):
        stem = "model" if len(found) == 1 else f"model-{place}"
        predictor = load_member(folder, known, member)
        network = predictor.network
        weights, onnx = f"{stem}.safetensors", f"{stem}.onnx"
        copy_file(checked_file(folder, known, str(member.files.torch)), out / weights)
        write_onnx(network, out / onnx, size=member.input.size)
        cost = {
            "parameters": sum(each.numel() for each in network.parameters()),
            "multiply_adds": multiply_adds(network, size=member.input.size),
        }
        number = None if len(found) == 1 else place
        index = index_copied(folder, known, member, out, number)
        told = member.model_dump(mode="json")
        if not index and (own := seen.get(fold_of(member.name))):
            name = INDEX if number is None else f"index-{number}.npz"
            if (found_limit := index_made(predictor, own, out / name)) is not None:
                index = {"index": name}
                told["abstention"] = found_limit.model_dump(mode="json")
        files = {"torch": weights, "onnx": onnx, **index}
        members.append({**told, "files": files, "cost": cost})
    return members


_NO_MEAN = (
    "Each image of the run was learnt from by some of the networks, so none of them can "
    "choose a threshold of their mean. Choose it on images of your own (lentigo calibrate)."
)


def _content(
    source: Path, folders: Sequence[Path], members: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return the description of the new folder.

    What differs between `folders` is left out.
    """
    known = [read_description(folder) for folder in folders]
    content = joined(known, members)
    if len(folders) > 1:
        content["operating_points"] = _of_no_mean(content["operating_points"])
        told = [each.others for one in known for each in one.members]
        sets = sets_of_folds(RunLayout(source), common_names(told))
        content["conformal"] = sets and sets.model_dump(mode="json")
    return content


def _of_no_mean(points: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return operating points without thresholds, for the mean of several folds' networks.

    Their thresholds were chosen for single folds, so each is replaced by this reason.
    """
    aims = ("name", "kind", "sensitivity", "confidence", "cost_miss", "cost_excision")
    return [
        {name: point[name] for name in aims if name in point} | {"absent": _NO_MEAN}
        for point in points
    ]


def _quantised(out: Path, seen: dict[str, ImagesByRole]) -> list[dict[str, Any]]:
    """Write an 8-bit version of each network, calibrated on its own training images.

    Returns the descriptions of the networks, with the names of these files.
    """
    from lentigo.models.onnx_int8 import write_int8

    known = read_description(out)
    members = []
    for member, predictor in zip(known.members, load_members(out, known), strict=True):
        name = str(member.files.onnx).replace(".onnx", "-int8.onnx")
        calibrating = some_sources(seen[fold_of(member.name)].learnt, _TO_CALIBRATE)
        squares = prepared(calibrating, predictor.preparation)
        write_int8(
            out / str(member.files.onnx), out / name, views=_views(squares, member),
            unknown=None if member.metadata is None else member.metadata.unknown,
            exact=_told_exactly(member),
        )  # fmt: skip
        dumped = member.model_dump(mode="json")
        dumped["files"]["onnx_int8"] = name
        members.append(dumped)
    return members


def _told_exactly(member: Member) -> list[str]:
    """Return the outputs that 8-bit numbers must not change: early features with a limit.

    Their distance counts small differences: computed in 8 bits, they refused all of 1,603
    held-out images of a network that refused 5 % of them.
    """
    signals = member.abstention.signals if member.abstention else []
    return [EARLY] if any(each.name == EARLY for each in signals) else []


def _views(squares: Iterator[Images], member: Member) -> Iterator[Images]:
    view = tuple(member.input.imaging().view)
    for batch in squares:
        yield network_views(batch, member.input.size, view=view)


def _timed(out: Path, sources: Sequence[Source]) -> list[dict[str, Any]]:
    """Return the descriptions of the networks with the images per second of each engine."""
    known = read_description(out)
    found = speeds(out, known, sources)
    members = []
    for member, own in zip(known.members, found, strict=True):
        dumped = member.model_dump(mode="json")
        dumped["cost"]["images_a_second"] = own
        members.append(dumped)
    return members
