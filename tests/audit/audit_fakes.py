"""An audit put together by hand, so that its page can be looked at piece by piece."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from lentigo.audit.checks.finding import Finding
from lentigo.audit.look import measured
from lentigo.audit.result import Audit
from lentigo.config import ImagingConfig
from lentigo.imaging.store.build import PixelStore, build_store
from lentigo.tables import check_table

Colour = tuple[int, int, int]


def table_of(names: Sequence[str], **columns: Any) -> pd.DataFrame:
    """Two sides of one table, the first half melanomas."""
    count = len(names)
    rows = {
        "image_id": list(names),
        "dataset": "made",
        "diagnosis": ["melanoma" if n < count / 2 else "nevus" for n in range(count)],
        "melanoma": [n < count / 2 for n in range(count)],
        "group_id": [f"G{n}" for n in range(count)],
        "table": "made",
        "side": ["train" if n % 2 == 0 else "test" for n in range(count)],
    }
    return check_table(pd.DataFrame(rows | columns), source="test")


def store_of(
    table: pd.DataFrame, colours: Mapping[str, Colour], folder: Path
) -> tuple[pd.DataFrame, PixelStore]:
    """A store in which each image of `colours` is all of its colour, and its table."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{number}.png" for number, name in enumerate(colours)}
    for name, colour in colours.items():
        Image.new("RGB", (64, 64), colour).save(paths[name])
    files = table["image_id"].map(lambda name: str(paths[name]) if name in paths else None)
    table = table.assign(path=files.astype("string"))
    return table, build_store(table, folder / "pixels", config=ImagingConfig(size=64))


def pairs_of(
    pairs: Sequence[tuple[str, str]], *, where: str = "within a set"
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "a": pd.Series([a for a, _ in pairs], dtype="string"),
            "b": pd.Series([b for _, b in pairs], dtype="string"),
            "kind": "near-duplicate",
            "similarity": np.linspace(0.9, 0.99, len(pairs)),
            "where": where,
        }
    )


def audit_of(
    table: pd.DataFrame,
    *,
    findings: Sequence[Finding] = (),
    pairs: pd.DataFrame | None = None,
    store: PixelStore | None = None,
    **more: Any,
) -> Audit:
    tables = {} if store is None else {"measures": measured(table, store, workers=1)}
    return Audit(
        folder=Path("out"),
        table=table,
        duplicates=pairs_of([]) if pairs is None else pairs,
        findings=tuple(findings),
        tables=tables | more.pop("tables", {}),
        **more,
    )
