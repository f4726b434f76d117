"""Where `lentigo predict` writes: its table, the table of lesions and the submission."""

from __future__ import annotations

from json import loads
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lentigo.cli import options
from lentigo.cli import predict_options as asked
from lentigo.errors import ConfigError, RunError
from lentigo.output import PREDICTIONS, Kind

if TYPE_CHECKING:
    import pandas as pd

    from lentigo.inference.journal import Journal


def check(
    out: Path,
    inputs: list[str],
    format: str,
    submission: Path | None,
    like: Path | None,
    *,
    resume: bool,
) -> None:
    """Raise an error if a table cannot be written, or --like lacks its --submission."""
    options.check_table_out(out, inputs, kind=_kind(format), resume=resume)
    if submission is not None:
        read: list[Path | str] = [out, *inputs, *([like] if like else [])]
        # It is written last: with predictions left to do, it is not theirs.
        options.check_table_out(submission, read, resume=resume and is_finished(out))
    elif like is not None:
        raise typer.BadParameter("it says what --submission is to be like; give both.")


def is_by_lesion(
    by: str | None, out: Path, inputs: list[str], format: str, *, resume: bool
) -> bool:
    """Tell whether --by lesion is given, after checking the place of its table.

    Raises `ConfigError` for any other value of --by and for a `format` that is no table,
    and what `check_table_out` raises.
    """
    from lentigo.inference.journal import journal_of

    if by is None:
        return False
    if by != "lesion":
        raise ConfigError(
            f"--by takes lesion, not {by}. Of a patient no mean is taken: one melanoma "
            "among many moles would be averaged away."
        )
    if format != "table":
        raise ConfigError(
            f"--by lesion writes a table; leave it out: --format {format} has an answer to "
            "each lesion that the images name."
        )
    begun = resume and (out.exists() or journal_of(out).exists())
    lesions, read = lesions_beside(out), [str(out), *inputs]
    options.check_table_out(lesions, read, kind=PREDICTIONS, resume=begun)
    return True


def check_theirs(out: Path, journal: Journal, *, images: int, by_lesion: bool) -> None:
    """Raise `RunError` if a table is there that a stopped prediction cannot have written.

    With predictions of the `images` left to do, none can be of it. Where none is left, the
    table is compared when it is written.
    """
    if journal.is_complete(images):
        return
    for place in (out, *([lesions_beside(out)] if by_lesion else [])):
        if place.exists() or place.is_symlink():
            raise RunError(
                f"{place} is there, and the prediction that was stopped cannot have "
                "written it: move it away, and give the same command again."
            )


def lesions_beside(out: Path) -> Path:
    """Return the path of the table of lesions, beside that of the images."""
    return out.with_name(f"{out.stem}.lesions{out.suffix}")


def is_finished(out: Path) -> bool:
    """Tell whether `out` is there and no journal says that predictions are left to do."""
    from lentigo.inference.journal import journal_of

    return out.exists() and not journal_of(out).exists()


def write_submission(predictions: pd.DataFrame, path: Path, like: Path | None) -> None:
    """Write `predictions` as a submission, in the manner of the sample `like`.

    Raises `RunError` if `path` exists, and what `submission_table` raises.
    """
    from lentigo.inference.submission import read_sample, submission_table

    sample = read_sample(like) if like is not None else None
    options.write_out(submission_table(predictions, sample), path)


def submission_of(out: Path, path: Path, like: Path | None, *, known: bool) -> None:
    """Write the submission of the finished predictions `out`.

    Raises `RunError` if `out` is no table, or is not `known` to be made as it is asked for,
    and what `write_submission` raises.
    """
    import pandas as pd

    table_like = out.suffix.lower() in {*PREDICTIONS.endings, *PREDICTIONS.others}
    if not (known and table_like):
        why = "how it was made is not known" if table_like else "it is no table"
        raise RunError(f"No submission is made of {out}: {why}. Give another --out.")
    table = _predictions(out)
    numbers = pd.to_numeric(table["probability"])
    write_submission(table.assign(probability=numbers), path, like)


def _predictions(out: Path) -> pd.DataFrame:
    import pandas as pd

    from lentigo.tables import read_any_table

    if out.suffix.lower() != ".jsonl":
        return read_any_table(out, text=True)
    with out.open(encoding="utf-8") as lines:
        return pd.DataFrame([loads(line) for line in lines if line.strip()])


def _kind(format: str) -> Kind:
    """Return the kind of file for --out; raise `ConfigError` for an unknown format."""
    if format not in asked.FORMATS:
        raise ConfigError(f"--format takes {' or '.join(asked.FORMATS)}, not {format}.")
    return asked.FORMATS[format]
