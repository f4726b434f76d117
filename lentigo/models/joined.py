"""Build a model folder from the networks of several model folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lentigo.files import copy_file
from lentigo.models.calibration import Calibration, mean_prevalence
from lentigo.models.context import Context
from lentigo.models.description import checked_file, read_description
from lentigo.models.index import INDEX
from lentigo.models.schema import Description, Member


def joined(
    known: Sequence[Description], members: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Return the content of a `model.json` for the networks `members`, without `files`.

    `known` holds the descriptions of the folders from which the networks come. Settings and
    versions that differ between the folders are left out; the operating points are those of
    the first folder.
    """
    said = [each.model_dump(mode="json") for each in known]
    content: dict[str, Any] = {**said[0], "members": list(members)}
    content.pop("files")
    if len(said) > 1:
        # Both were set on images that some of them learnt from.
        content |= {"abstention": None, "conformal": None}
        content |= {name: _alike(said, name) for name in ("settings", "versions")}
        content["prevalence"] = mean_prevalence([each["prevalence"] for each in said])
        content["training"] = _together([each["training"] for each in said])
        content["context"] = _contexts(known)
    return content


def _contexts(known: Sequence[Description]) -> list[dict[str, Any]]:
    """Return the contexts of several folders; one that has none gets one that adds 0."""
    if not any(each.context for each in known):
        return []
    found = [each.context or [Context(members=len(each.members))] for each in known]
    return [one.model_dump(mode="json") for own in found for one in own]


def with_weights_copied(
    folders: Sequence[Path], out: Path, calibrations: Sequence[Calibration]
) -> list[dict[str, Any]]:
    """Copy the weights and index of single networks to `out`; return their descriptions.

    Each of `folders` holds one network, and `calibrations` has one entry for each, which
    replaces the network's own calibration.
    """
    members = []
    for number, (folder, calibration) in enumerate(zip(folders, calibrations, strict=True)):
        known = read_description(folder)
        member: Member = known.members[0]
        name = f"model-{number}.safetensors"
        copy_file(checked_file(folder, known, str(member.files.torch)), out / name)
        changed = member.model_copy(update={"calibration": calibration})
        files = {"torch": name, **index_copied(folder, known, member, out, number)}
        members.append({**changed.model_dump(mode="json"), "files": files})
    return members


def index_copied(
    folder: Path, known: Description, member: Member, out: Path, number: int | None
) -> dict[str, str]:
    """Copy the index of a network to `out`; return {"index": its name}, or {} if none.

    `number` is the number of the network in the new folder; None if it is the only one.
    """
    if member.files.index is None:
        return {}
    name = INDEX if number is None else f"index-{number}.npz"
    copy_file(checked_file(folder, known, member.files.index), out / name)
    return {"index": name}


def _alike(said: Sequence[dict[str, Any]], name: str) -> dict[str, Any]:
    return {
        key: value
        for key, value in said[0][name].items()
        if all(each[name].get(key) == value for each in said)
    }


def _together(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Join the training data of several networks: all archives, the counts of the largest.

    The digest of the table is kept only if it is the same for all networks.
    """
    archives = {each["name"]: each for part in parts for each in part["archives"]}
    most = max(parts, key=lambda part: part["images"] or 0)
    digests = {each["table_sha256"] for each in parts}
    digest = digests.pop() if len(digests) == 1 else None
    return {**most, "archives": list(archives.values()), "table_sha256": digest}
