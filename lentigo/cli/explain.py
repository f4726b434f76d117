"""`lentigo explain`: draw heat maps of what a model used in an image, and test them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lentigo.cli import options
from lentigo.cli.each_image import Images, check_out
from lentigo.cli.say import say, say_json
from lentigo.cli.word_options import chooses_rows
from lentigo.notice import RESEARCH_ONLY
from lentigo.words import names_in

if TYPE_CHECKING:
    import pandas as pd

    from lentigo.reports.explanations.write import Explanations


@chooses_rows
def explain_command(
    model: Annotated[Path, typer.Argument(help="Run folder or model folder.")],
    images: Images,
    out: Annotated[Path, typer.Option("--out", help="New folder for maps and their page.")],
    method: Annotated[
        list[str] | None,
        typer.Option(
            "--method",
            metavar="NAMES",
            help="occlusion, grad_cam, grad_cam_plus_plus, integrated_gradients, "
            "attention_rollout, with commas between, or once each; by default what the "
            "model allows.",
        ),
    ] = None,
    engine: Annotated[
        str,
        typer.Option("--engine", help="What computes the model (lentigo list engines)."),
    ] = "auto",
    mask: options.Mask = None,
    json: options.Json = False,
) -> None:
    """Draw heat maps of what a model used in each image.

    Each map is tested, and all are on one page.

    \b
    Example:
        lentigo explain runs/ham lesion.jpg --out explained/
    """
    check_out(out, images)  # before anything heavy is imported
    from lentigo.reports.explanations.write import write_explanations

    names = names_in(method or ["all"])
    done = write_explanations(
        model, images, out, methods=names or ["all"], engine=engine, mask=mask
    )
    _show(done, as_json=json)
    if len(done.failed) == len(done.table):
        raise typer.Exit(1)


def _show(done: Explanations, *, as_json: bool) -> None:
    shown = done.table[done.table["method"].notna()]
    doubted = shown[shown["doubt"] != ""].drop_duplicates("image_id")
    nothing = shown[shown["says_nothing"].eq(True)]
    if as_json:
        rows = done.failed[["path", "reason"]].to_dict("records")
        said = {"methods": list(done.methods), "maps": len(shown), "failed": rows}
        refused = done.refused[["path", "reason"]].to_dict("records")
        doubts = doubted[["path", "doubt"]].to_dict("records")
        more = {"say_nothing": len(nothing), "refused": refused, "doubts": doubts}
        say_json({**said, **more, "out": str(done.folder)})
        return
    for reason in done.failed["reason"]:
        say(f"Not explained: {reason}", err=True)
    for row in done.refused.itertuples():
        say(f"{row.image_id}: {row.reason}", err=True)
    for row in doubted.itertuples():
        say(f"{row.image_id}: {row.doubt}", err=True)
    for name in done.methods:
        part = shown[shown["method"] == name]
        say(f"{name}: {_checked(part)}")
    say(f"Page: {done.folder / 'index.html'}")
    say(RESEARCH_ONLY)


def _checked(maps: pd.DataFrame) -> str:
    """Return how many maps of a method fail the sanity check, and how many are even."""
    from lentigo.words import counted, verb

    nothing, told = maps["says_nothing"].eq(True), maps["likeness"].notna()
    failing, even = int((nothing & told).sum()), int((nothing & ~told).sum())
    if not told.any() and not even:
        return "not checked with shuffled weights, which needs torch"
    said = []
    if told.any():
        fails = verb(failing if len(maps) > 1 else 1, "fails", "fail")
        said.append(f"{failing:,} of {counted(len(maps), 'map')} {fails} the sanity check")
    if even:
        of = "" if said else f" of {counted(len(maps), 'map')}"
        said.append(f"{even:,}{of} {verb(even, 'is', 'are')} the same everywhere")
    return ", ".join(said)
