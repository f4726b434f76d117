"""Find model folders, and read what they say of themselves (`model.json`).

Loading a folder runs no code and fetches nothing, and nothing in it is believed before it
was checked; `schema` says what may stand there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lentigo.errors import (
    ConfigError,
    DatasetNotFoundError,
    ModelError,
    UnreadableFileError,
    mistake,
)
from lentigo.files import digest, opened, write_text
from lentigo.json_files import read_json_object, write_json
from lentigo.models.card import card_text
from lentigo.models.format_one import as_format_two
from lentigo.models.schema import FORMAT, Description
from lentigo.run_layout import FIRST_FOLD, MODEL, FoldLayout, RunLayout
from lentigo.words import some

DESCRIPTION, WEIGHTS, CARD = "model.json", "model.safetensors", "card.md"
_LONGEST = 1_000_000
"""Bytes; ours have 5,000."""


def find_models(path: Path | str) -> list[Path]:
    """The model folders of a run folder, or the one that was given.

    Those of a run are one a fold, or the one that was trained on all rows afterwards.

    Raises `DatasetNotFoundError` where there is neither.
    """
    folder = Path(path)
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
    """Return the finished model folders whose mean is the answer of a run.

    That is the one which learnt from all rows, where there is one, else those of the folds.
    """
    if (run.refit.model / DESCRIPTION).exists():
        return [run.refit.model]
    models = [fold.model for fold in run.folds()]
    return [model for model in models if (model / DESCRIPTION).exists()]


def read_description(folder: Path) -> Description:
    """Return what `folder` says of its model.

    Raises:
        DatasetNotFoundError: there is no `model.json`.
        ModelError: it is damaged, of a later format, or says what cannot be.
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
        description = Description.model_validate(content)
        # Refused here what settings refuse: unknown views, arguments that open files …
        for member in description.members:
            member.model()
            member.input.imaging()
    except UnreadableFileError as error:
        raise ModelError(str(error)) from error
    except ValidationError as error:
        raise _no_model(path, some([mistake(each) for each in error.errors()])) from error
    except ConfigError as error:
        raise _no_model(path, str(error).rstrip(".")) from error
    return description


def _no_model(path: Path, wrong: str) -> ModelError:
    return ModelError(
        f"{path} does not describe a model: {wrong}. Train again, or copy the folder again "
        "from where it came."
    )


def is_export_of(folder: Path, sources: Sequence[Path]) -> bool:
    """Tell whether a model folder holds the very weights of the folders `sources`."""
    if not (folder / DESCRIPTION).is_file():
        return False
    return _weights(folder) == {each for source in sources for each in _weights(source)}


def _weights(folder: Path) -> set[str]:
    known = read_description(folder)
    return {known.files[str(each.files.torch)].sha256 for each in known.members}


def check_folder(folder: Path) -> None:
    """Refuse a model folder of which it shows at a glance that it cannot be loaded.

    Raises what `read_description` raises, and `ModelError` where a file is not there.
    """
    for name in read_description(folder).files:
        if not (folder / name).exists():
            raise ModelError(
                f"There is no file {folder / name}. Copy the folder again from where it "
                "came."
            )


def checked_file(folder: Path, description: Description, name: str) -> Path:
    """Return the place of a file of a model folder whose bytes are those described.

    Raises `ModelError` for another one: missing, a pipe, changed or damaged.
    """
    path, facts = folder / name, description.files[name]
    try:
        with opened(path):  # no pipe, no device: those are never waited for
            size = path.stat().st_size
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


def write_folder(folder: Path, content: Mapping[str, Any]) -> Description:
    """Write `card.md` and `model.json` beside the files that `content` speaks of.

    `content` is a description without `files`: their digests are taken here.
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
