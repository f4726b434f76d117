"""Find model folders, and read and write their description (`model.json`).

Reading a folder runs no code from it and downloads nothing. All content is validated before
it is used; `lentigo.models.schema` defines what is allowed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lentigo.errors import (
    ConfigError,
    DatasetNotFoundError,
    ExchangedError,
    ModelError,
    UnreadableFileError,
    mistake,
)
from lentigo.files import digest, opened, write_text
from lentigo.json_files import read_json_object, to_json, write_json
from lentigo.models.card import card_text
from lentigo.models.format_one import as_format_two
from lentigo.models.holes import is_hollow
from lentigo.models.operating_point import OperatingPoint, read_points, unread_said
from lentigo.models.schema import FORMAT, Description
from lentigo.models.weights_header import length_by_header
from lentigo.progress import log
from lentigo.run_layout import FIRST_FOLD, MODEL, FoldLayout, RunLayout
from lentigo.words import some

DESCRIPTION, WEIGHTS, CARD = "model.json", "model.safetensors", "card.md"
_LONGEST_VERSION = 12
_LONGEST = 1_000_000
"""Highest size of `model.json` in bytes; those of our own models have 5,000."""
_MOST_WEIGHTS, _MOST_OTHER = 16_000_000_000, 2_000_000_000
"""Highest size in bytes of a safetensors file, and of every other file of a model: a sparse
file of terabytes takes no place on the disk, and its digest would take hours."""
_TENSORS, _BESIDE = ".safetensors", 100_000_000
"""Ending of files of tensors, and the bytes they may have beside four times the ONNX."""


def find_models(path: Path | str) -> list[Path]:
    """Return the model folders at `path`: a model folder, a fold folder or a run folder.

    A run folder gives the model folder of each fold, or only that of the model trained on
    all rows, if there is one.

    Raises `DatasetNotFoundError` if `path` is no folder or holds no finished model.
    """
    folder = Path(path)
    if folder.is_file():
        raise DatasetNotFoundError(
            f"{folder} is a file; give the folder of a run or of a model."
        )
    if not folder.is_dir():
        raise DatasetNotFoundError(f"There is no run or model folder {folder}.")
    for place in (folder, FoldLayout(folder).model):
        if (place / DESCRIPTION).exists():
            return [place]
    found = models_of(RunLayout(folder))
    if not found:
        raise DatasetNotFoundError(
            f"{folder} holds no finished model: there is neither a {DESCRIPTION} nor a "
            f"{FIRST_FOLD}/{MODEL}. If its training was interrupted, go on with --resume."
        )
    return found


def models_of(run: RunLayout) -> list[Path]:
    """Return the finished model folders of a run, whose mean logit is the run's answer.

    That is the model trained on all rows (`refit`) if there is one, else one for each fold.
    """
    if (run.refit.model / DESCRIPTION).exists():
        return [run.refit.model]
    models = [fold.model for fold in run.folds()]
    return [model for model in models if (model / DESCRIPTION).exists()]


def read_description(folder: Path) -> Description:
    """Read and validate the description of the model in `folder`; format 1 is converted.

    Raises:
        DatasetNotFoundError: there is no `model.json`.
        ModelError: `model.json` is damaged, of a later format, or has invalid values.
    """
    path = folder / DESCRIPTION
    if not path.exists():
        raise DatasetNotFoundError(
            f"{folder} is no model folder: it has no {DESCRIPTION}. Give a run folder of "
            f"'lentigo train', or the folder '{MODEL}' inside one."
        )
    try:
        content = read_json_object(path, most=_LONGEST)
        found = content.get("format")
        if type(found) is int and found > FORMAT:
            raise ModelError(f"{path} was written by a later lentigo; upgrade to read it.")
        if type(found) is int and found < FORMAT:
            content = as_format_two(content)
        return _valid(content)
    except UnreadableFileError as error:
        raise ModelError(str(error)) from error
    except ValidationError as error:
        raise _no_model(path, some([mistake(each) for each in error.errors()])) from error
    except ConfigError as error:
        raise _no_model(path, str(error).rstrip(".")) from error


def _valid(content: dict[str, Any]) -> Description:
    description = Description.model_validate(content)
    # Refused here what settings refuse: unknown views, arguments that open files …
    for member in description.members:
        member.model()
        member.input.imaging()
    try:
        to_json(content).encode()  # as `export` and `calibrate` write it again
    except UnicodeEncodeError:
        raise ConfigError("it holds letters that no file can hold.") from None
    return description


def version_of(folders: Sequence[Path]) -> str:
    """Return the version of a model: 12 hexadecimal digits of a digest of its descriptions.

    A description holds the digests of all other files, so any change gives a new version.
    """
    whole = "".join(digest(folder / DESCRIPTION) for folder in folders)
    return hashlib.sha256(whole.encode()).hexdigest()[:_LONGEST_VERSION]


def check_version(folders: Sequence[Path], version: str) -> None:
    """Raise `ExchangedError` unless the model in `folders` still has this `version`."""
    try:
        same = version_of(folders) == version
    except OSError:
        same = False
    if not same:
        raise ExchangedError(
            f"The model in {some([str(each) for each in folders])} was changed since it "
            "was loaded. Load it again."
        )


def _no_model(path: Path, wrong: str) -> ModelError:
    return ModelError(
        f"{path} does not describe a model: {wrong}. Train again, or copy the folder again "
        "from where it came."
    )


def is_export_of(folder: Path, sources: Sequence[Path]) -> bool:
    """Tell whether `folder` has the same weights (SHA-256) as the folders `sources`."""
    if not (folder / DESCRIPTION).is_file():
        return False
    return _weights(folder) == {each for source in sources for each in _weights(source)}


def _weights(folder: Path) -> set[str]:
    known = read_description(folder)
    return {known.files[str(each.files.torch)].sha256 for each in known.members}


def check_folder(folder: Path) -> None:
    """Check quickly that the files of a model folder are there, without reading them.

    Raises what `read_description` raises, and `ModelError` if a file is missing.
    """
    for name in read_description(folder).files:
        if not (folder / name).exists():
            raise ModelError(
                f"There is no file {folder / name}. Copy the folder again from where it "
                "came."
            )


def checked_file(folder: Path, description: Description, name: str) -> Path:
    """Return the path of the file `name` of a model folder after checking its SHA-256.

    Raises `ModelError` if the file is missing, no ordinary file, longer than models' files
    are, or not the one described.
    """
    path, facts = folder / name, description.files[name]
    try:
        with opened(path) as file:  # no pipe, no device: those are never waited for
            size = path.stat().st_size
            most = _longest(folder, description, name)
            if size > most:
                raise UnreadableFileError(
                    f"{path} is longer than {most / 1e9:.1f} GB, and lentigo writes no "
                    "such file. Copy it again from where it came."
                )
            if path.suffix == _TENSORS and length_by_header(file) != size:
                raise UnreadableFileError(
                    f"{path} cannot be read as a safetensors file: its header tells of "
                    "tensors that need another length. Copy it again from where it came."
                )
            if is_hollow(file, size):
                raise UnreadableFileError(
                    f"{path} is longer than what stands in it: most of it are holes, which "
                    "no weights have. Copy it again from where it came."
                )
        same = facts.bytes in {None, size} and digest(path) == facts.sha256
    except FileNotFoundError:
        raise ModelError(
            f"There is no file {path}. Copy the folder again from where it came."
        ) from None
    except (UnreadableFileError, OSError) as error:
        raise ModelError(str(error)) from error
    if not same:
        raise ModelError(
            f"{path} is not the file that {DESCRIPTION} speaks of (its SHA-256 differs), "
            "so it was changed or damaged. Copy the folder again from where it came, or "
            "train again."
        )
    return path


def _longest(folder: Path, description: Description, name: str) -> int:
    """Return the most bytes that the file `name` of a model folder may have.

    Weights have about the size of the same network as ONNX, where there is one.
    """
    if not name.endswith(_TENSORS):
        return _MOST_OTHER
    for member in description.members:
        network = member.files.onnx
        if member.files.torch == name and network and (folder / network).is_file():
            return min(_MOST_WEIGHTS, 4 * (folder / network).stat().st_size + _BESIDE)
    return _MOST_WEIGHTS


def write_folder(folder: Path, content: Mapping[str, Any]) -> Description:
    """Write `card.md` and `model.json` to `folder`, which already has the network files.

    `content` is a description without `files`; this function adds `files`, the size and
    digest of each file.
    """
    members = content["members"]
    names = sorted({name for each in members for name in each["files"].values() if name})
    facts = {name: _facts(folder / name) for name in names}
    draft = Description.model_validate({**content, "files": facts})
    write_text(folder / CARD, card_text(draft))
    facts[CARD] = _facts(folder / CARD)
    description = draft.model_copy(
        update={"files": Description.model_validate({**content, "files": facts}).files}
    )
    # Last: a folder with a model.json is whole.
    write_json(folder / DESCRIPTION, description.model_dump(mode="json"))
    return description


def _facts(path: Path) -> dict[str, Any]:
    return {"sha256": digest(path), "bytes": path.stat().st_size}


def points_of(folder: Path) -> tuple[OperatingPoint, ...]:
    """Return the operating points of a model folder; a warning names unreadable ones."""
    entries = read_description(folder).operating_points
    if said := unread_said(entries):
        log.warning("%s: %s", folder, said)
    return read_points(entries)
