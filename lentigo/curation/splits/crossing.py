"""Find images that belong together but stand in different parts of a split, and why."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lentigo.curation.closure import components, same_key, through
from lentigo.curation.groups import published_pairs, ties
from lentigo.curation.splits.folds import LEFT_OUT
from lentigo.curation.splits.part_words import part_rank
from lentigo.errors import ColumnError
from lentigo.words import counted, verb

COLUMNS = ["a", "b", "part_a", "part_b", "why"]


def crossing_pairs(
    table: pd.DataFrame, role: pd.Series[Any], pairs: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the pairs of images that belong on one side of a split but are on two.

    `role` holds the part of each row of `table` (same index); a row whose role is missing
    or "left out" is on no side. Images belong together if they have identical files or the
    same ISIC id, lesion, patient or group, if the archive publishes them as duplicates, or
    if `pairs` (columns a, b, kind, perhaps similarity) lists them; also indirectly, through
    images that are left out or that only `pairs` names.

    The result has the columns a, b (`image_id`; a in the earlier part, training first),
    part_a, part_b and why. A patient, lesion or file with many images gives one pair for
    each further part that it reaches; a group is given only if no other pair in it is.
    """
    sides = _sides(table, role)
    # A table from elsewhere may list one image twice, unlike a lesion table.
    found = [_by_key(sides, table["image_id"], "same image")]
    found += [_by_key(sides, key, why) for why, key in ties(table)]
    known = [published_pairs(table), *([] if pairs is None else [pairs])]
    found += [_by_pair(sides, each) for each in known if len(each)]
    crossing = pd.concat(found, ignore_index=True)
    ends = pd.concat([each[["a", "b"]].astype("string") for each in known])
    crossing = pd.concat([crossing, _by_others(sides, table, ends, crossing)])
    if "group_id" in table:
        crossing = pd.concat([crossing, _by_group(sides, table, crossing)])
    crossing = crossing.drop_duplicates(["a", "b", "part_a", "part_b"])
    ordered = crossing.sort_values(["part_a", "part_b", "why", "a", "b"], ignore_index=True)
    return ordered.astype("string")


def check_roles(table: pd.DataFrame, role: pd.Series[Any]) -> None:
    """Raise `ColumnError` if a row has no part or group: its leaks would go unseen.

    `role` is the part of each row, with the index of `table`.
    """
    if not role.index.equals(table.index) or role.isna().any():
        raise ColumnError("Some rows of the table have no part in the split.")
    if table["group_id"].isna().any():
        raise ColumnError("Some rows have no group_id, so a leak could not be seen.")


def in_words(crossing: pd.DataFrame) -> str:
    """Describe the pairs that cross a split in a sentence: number and three examples."""
    kind = _kind(crossing)
    nth = kind.groupby(kind).cumcount()
    shown = crossing.loc[nth.sort_values(kind="stable").index[:3]]
    named = [
        f"{row.a} in {row.part_a} and {row.b} in {row.part_b} ({row.why})"
        for row in shown.itertuples()
    ]
    rest = len(crossing) - len(named)
    more = f"; and {rest:,} more" if rest else ""
    return (
        f"The split leaks: {counted(len(crossing), 'pair')} of images that belong together "
        f"{verb(len(crossing), 'stands', 'stand')} on two sides of it: "
        f"{'; '.join(named)}{more}."
    )


def kinds(crossing: pd.DataFrame) -> dict[str, int]:
    """Return the number of crossing pairs per kind of reason, the most frequent first."""
    return {str(name): int(count) for name, count in _kind(crossing).value_counts().items()}


def _kind(crossing: pd.DataFrame) -> pd.Series[Any]:
    return crossing["why"].str.replace(
        r"^(same \w+|near\S+|duplicates of) .*$", r"\1", regex=True
    )


def _sides(table: pd.DataFrame, role: pd.Series[Any]) -> pd.DataFrame:
    """Return the images on a side of the split: training first, then by name.

    Columns: `row` (the position in `table`), `image`, `part` and `rank` (of the part).
    """
    sides = pd.DataFrame(
        {
            "row": range(len(table)),
            "image": table["image_id"].astype("string").to_numpy(),
            "part": role.astype("string").to_numpy(),
        }
    )
    sides = sides[sides["part"].notna() & (sides["part"] != LEFT_OUT)]
    ranks = {part: part_rank(part) for part in sides["part"].unique()}
    sides["rank"] = sides["part"].map(ranks)
    return sides.sort_values(["rank", "part", "image"], ignore_index=True)


def _by_key(sides: pd.DataFrame, key: pd.Series[Any], why: str) -> pd.DataFrame:
    """Pair the first image of each key with the first image in each further part.

    `sides` is the result of `_sides`, `key` a value for each row of the table, and `why`
    the reason to be given; one that begins with "same" is followed by the key.
    """
    codes = pd.factorize(key)[0][sides["row"]]
    known = codes >= 0
    if not _on_two_sides(codes[known], sides["part"][known]):
        return pd.DataFrame(columns=COLUMNS, dtype="string")
    rows = sides.assign(key=key.to_numpy()[sides["row"]])
    rows = rows[known].drop_duplicates(["key", "part"])
    rows = rows[rows["key"].duplicated(keep=False)]
    others = rows[rows["key"].duplicated()]
    first = rows.drop_duplicates("key").set_index("key").loc[others["key"]]
    ids = others["key"].astype("string").str.replace(r"(?s)^.*\0", "", regex=True)
    named = why + " " + ids if why.startswith("same") else ids.map(lambda _: why)
    return _frame(first, others, named)


def _on_two_sides(codes: np.ndarray[Any, Any], part: pd.Series[Any]) -> bool:
    """Whether any of the numbers, (N,), stands in two parts; the usual answer is no."""
    parts, names = pd.factorize(part)
    pairs = codes * len(names) + parts
    return len(np.unique(pairs)) > len(np.unique(codes))


def _by_pair(sides: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    places = sides[["image"]].assign(place=sides.index)
    ends = pairs.assign(why=_said(pairs))[["a", "b", "why"]].astype("string")
    both = ends.merge(places, left_on="a", right_on="image").merge(
        places, left_on="b", right_on="image", suffixes=("_1", "_2")
    )
    found = both[["place_1", "place_2"]]
    one, two = sides.loc[found.min(axis=1)], sides.loc[found.max(axis=1)]
    crosses = one["part"].to_numpy() != two["part"].to_numpy()
    return _frame(one[crosses], two[crosses], both.loc[crosses, "why"])


def _by_others(
    sides: pd.DataFrame, table: pd.DataFrame, pairs: pd.DataFrame, crossing: pd.DataFrame
) -> pd.DataFrame:
    """Return pairs that cross only through other images: b and c, if a is paired with both.

    They connect two parts of one set of linked images for which `crossing` has no pair.
    """
    count = len(table)
    names = pd.concat([table["image_id"], pairs["a"], pairs["b"]]).astype("string")
    codes, _ = pd.factorize(names)
    rows, ends = codes[:count], codes[count:].reshape(2, -1).T
    edges = [rows[same_key(key)] for _, key in ties(table)]
    linked = components(np.concatenate([*edges, ends]), int(codes.max(initial=-1)) + 1)
    whole = pd.Series(linked[rows], index=table.index)
    found = _by_key(sides, whole, "")
    if found.empty:
        return found
    of_image = pd.Series(linked[codes], index=names.to_numpy())
    of_image = of_image[~of_image.index.duplicated()]
    known = {_parts_in(row, of_image) for row in crossing.itertuples()}
    new = [_parts_in(row, of_image) not in known for row in found.itertuples()]
    found = found[np.asarray(new, dtype=bool)]
    return found.assign(why=through(found["a"], found["b"], pairs))


def _parts_in(row: Any, of_image: pd.Series[Any]) -> tuple[int, str, str]:
    return int(of_image[row.a]), row.part_a, row.part_b


def _by_group(
    sides: pd.DataFrame, table: pd.DataFrame, crossing: pd.DataFrame
) -> pd.DataFrame:
    """Return pairs of one group on two sides, for groups without an image in `crossing`."""
    named = table["image_id"].isin(crossing["a"]) | table["image_id"].isin(crossing["b"])
    group = table["group_id"]
    return _by_key(sides, group.mask(group.isin(group[named])), "same group")


def _said(pairs: pd.DataFrame) -> pd.Series[Any]:
    if "kind" not in pairs:
        return pd.Series("duplicate", index=pairs.index, dtype="string")
    kind = pairs["kind"].astype("string").fillna("duplicate")
    kind = kind.replace("published", "published duplicate")
    if "similarity" not in pairs:
        return kind
    likeness = pd.to_numeric(pairs["similarity"], errors="coerce")
    near = kind.str.startswith("near") & likeness.notna()
    return kind.mask(near, kind + " " + likeness.map("{:.2f}".format).astype("string"))


def _frame(one: pd.DataFrame, two: pd.DataFrame, why: pd.Series[Any]) -> pd.DataFrame:
    columns = (one["image"], two["image"], one["part"], two["part"], why)
    return pd.DataFrame(
        {name: values.to_numpy() for name, values in zip(COLUMNS, columns, strict=True)},
        dtype="string",
    )
