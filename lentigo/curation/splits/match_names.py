"""Match names of one image: with or without its folder, with or without its data set."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lentigo.datasets.reading.columns import SUFFIX, without_point
from lentigo.datasets.reading.isic_ids import isic_ids
from lentigo.errors import ColumnError
from lentigo.words import some


def whole_names(names: pd.Series[Any]) -> pd.Series[Any]:
    """Return each name with its folders, in one spelling.

    Removed are a leading "./", the file extension, and the ".0" of a whole number (100.0 is
    100); "\\" becomes "/".
    """
    plain = names.astype("string").str.strip().str.replace("\\", "/", regex=False)
    plain = plain.str.replace(SUFFIX, "", regex=True)
    return without_point(plain.str.replace(r"^(\./)+", "", regex=True))


def match_names(
    asked: pd.Series[Any], images: pd.DataFrame, *, source: str
) -> pd.Series[Any]:
    """Return the `image_id` in `images` that each name in `asked` means, or missing.

    A name is compared first with the whole names (column `listed`, as written in a file,
    and `image_id`), then without its data set ("b" is "ham:b"), then by its id of the ISIC
    archive, and last without its folders, unless two names in `asked`, such as train/1 and
    test/1, would then be equal.

    Raises `ColumnError`, which mentions `source`, if a name fits several images.
    """
    wanted = whole_names(asked)
    ids = images["image_id"].astype("string")
    both = [ids, *([images["listed"]] if "listed" in images else [])]
    written = whole_names(pd.concat(both, ignore_index=True))
    meant = pd.concat([ids] * len(both), ignore_index=True)
    found = pd.Series(pd.NA, index=asked.index, dtype="string")
    for shorten in (_whole, _without_set, isic_ids, _stem):
        open_ = found.isna() & wanted.notna()
        if not open_.any():
            break
        keys = shorten(wanted[open_])
        if shorten is _stem:
            keys = keys.mask(_are_several(keys, wanted[open_]))
        known = pd.DataFrame({"key": shorten(written), "image": meant}).dropna()
        known = known.drop_duplicates()
        if shorten is not isic_ids:
            _check_clear(keys, known, source=source)
        # An ISIC id is one image in whatever data set: the first will do.
        image = known.drop_duplicates("key").set_index("key")["image"]
        # If no name is known, pandas returns a numeric column.
        found[open_] = keys.map(image).astype("string")
    return found


def _whole(names: pd.Series[Any]) -> pd.Series[Any]:
    return names


def _without_set(names: pd.Series[Any]) -> pd.Series[Any]:
    return names.str.rpartition(":")[2]


def _stem(names: pd.Series[Any]) -> pd.Series[Any]:
    return names.str.replace(r"^.*[/:]", "", regex=True)


def _are_several(keys: pd.Series[Any], names: pd.Series[Any]) -> pd.Series[Any]:
    return names.groupby(keys).transform("nunique").fillna(1) > 1


def _check_clear(keys: pd.Series[Any], known: pd.DataFrame, *, source: str) -> None:
    several = known[known["key"].duplicated(keep=False) & known["key"].isin(keys)]
    # The ISIC archive's own id is never two images.
    several = several[isic_ids(several["key"]).isna()]
    if len(several):
        name = several["key"].iloc[0]
        images = several.loc[several["key"] == name, "image"].tolist()
        raise ColumnError(
            f"{source}: the image {name} may be {some(images)}. Name it with its folder or "
            "its data set."
        )
