"""`lentigo prepare`: decode the images of a table once, for all later runs."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lentigo.cli import options
from lentigo.cli.say import say, say_json
from lentigo.cli.word_options import reads_tables
from lentigo.imaging.store.place import STORE, UNFINISHED, check_store_folder
from lentigo.stopping import exit_code

if TYPE_CHECKING:
    from lentigo.imaging.store.prepare import Preparation


Size = Annotated[int, typer.Option("--size", help="Side of the stored square, in pixels.")]
Fit = Annotated[
    str,
    typer.Option("--fit", help="Make it square: stretch, crop (middle) or pad (black)."),
]
Store = Annotated[
    Path | None,
    typer.Option("--out", help="Folder of the store; by default NAME-SIZE, here."),
]
Workers = Annotated[
    int, typer.Option("--workers", help="Processes that decode; 0 means one a core.")
]


@reads_tables
def prepare_command(
    table: Annotated[
        Path, typer.Argument(help="Lesion table, any CSV, or archive folder.")
    ],
    size: Size = 256,
    fit: Fit = "stretch",
    out: Store = None,
    workers: Workers = 0,
    on: options.On = "here",
    ray_address: options.RayAddress = None,
    json: options.Json = False,
) -> None:
    """Decode the images of a TABLE once, for every later training.

    A second call decodes only what is missing in the store. Images that cannot be decoded
    are listed with the reason. The exit status is 1 if no image can be used.

    \b
    Example:
        lentigo prepare ham.parquet --size 256 --out ham-256
    """
    folder = out or Path(_name(table, size, fit))
    check_store_folder(folder)  # before anything heavy is imported
    asked = {"imaging.size": size, "imaging.fit": fit, "imaging.workers": workers}
    done, notes = _prepared(table, folder, asked, (on, ray_address))
    if json:
        say_json({**done.as_dict(), "notes": notes})
    else:
        _show(done, notes)
    if done.usable == 0:
        raise typer.Exit(1)


def _prepared(
    table: Path, folder: Path, asked: dict[str, Any], where: tuple[str, str | None]
) -> tuple[Preparation, list[str]]:
    """Prepare the images of `table`; return the result and the notes on the table.

    The store is made in `folder`. `asked` maps names of settings to their values; `where`
    is (--on, --ray-address).
    """
    try:  # the imports take long enough to be stopped in
        from lentigo.cluster import check_place
        from lentigo.config import Config, with_settings
        from lentigo.datasets.any_table import read_any
        from lentigo.imaging.store.prepare import prepare_images

        on, address = where
        check_place(on, address)
        config = with_settings(Config(), asked).imaging
        read = read_any(table, own_words=True)
        done = prepare_images(read, folder, config=config, on=on, ray_address=address)
    except KeyboardInterrupt as stop:
        say(_stopped(folder), err=True)
        raise typer.Exit(exit_code(stop)) from None
    return done, list(read.notes)


def _stopped(folder: Path) -> str:
    if not any((folder / sign).exists() for sign in (STORE, UNFINISHED)):
        return "Stopped. Nothing was decoded yet; give the same command again."
    return f"Stopped. What is decoded stays in {folder}; the same command goes on there."


def _name(table: Path, size: int, fit: str) -> str:
    """Return the default name of a store, such as ham-256 or ham-256-crop."""
    from lentigo.table_files.door import table_name

    name = table.resolve().name if table.is_dir() else table_name(table)
    return f"{name}-{size}" if fit == "stretch" else f"{name}-{size}-{fit}"


def _show(done: Preparation, notes: list[str]) -> None:
    for note in notes:
        say(note)
    counts: dict[str, float] = {
        "images": len(done.store),
        "with pixels": done.usable,
        "broken": len(done.reasons),
        "without a file": len(done.store.failed) - len(done.reasons),
        "decoded now": done.work.decoded,
    }
    if done.work.decoded:
        counts["images a second"] = done.images_per_second
    counts["MB"] = done.megabytes
    for name, count in counts.items():
        say(f"{name:>22}  {count:,.0f}" if count >= 10 else f"{name:>22}  {count:.2g}")
    for reason in done.reasons[:3]:
        say(f"Cannot be used: {reason}")
    if done.failures is not None:
        say(f"Images without pixels, and why: {done.failures}")
    if not done.work.decoded:
        say("All was there already.")
    say(f"Store: {done.store.folder}")
    say(f"Use it: lentigo train {quote(str(done.table))} {_settings(done)} --out RUN")


def _settings(done: Preparation) -> str:
    size, fit = done.store.settings["size"], done.store.settings["fit"]
    settings = [f"imaging.size={size}", f"imaging.store={done.store.folder}"]
    if fit != "stretch":
        settings.insert(1, f"imaging.fit={fit}")
    return " ".join(f"--set {quote(setting)}" for setting in settings)
