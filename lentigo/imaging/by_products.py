"""Tell pictures that were made of an image, or of a study, from the images themselves.

Beside photographs lie masks, superpixels, heat maps and figures. They are PNG or JPEG
files, too; read as images, they would be predicted, counted as patients and learnt from.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence

from lentigo.files import as_text
from lentigo.imaging.search import composed, is_image
from lentigo.words import counted, some, verb

MASK_FOLDERS = {"mask", "masks", "segmentation", "segmentations", "superpixels"}
"""Folders in which a picture that is called as an image outside of them is its mask."""
FIGURE = "lentigo figure"
"""What the PNG files of figures say under `Software`, which says that they are no image."""

_ENDING = re.compile(r"\.[a-z0-9]{2,5}$", re.I)
_OF_OTHERS = re.compile(
    r"(?P<image>.+?)(?P<of>[._ -](?:lesion|binary|segmentation))?[._ -](?:"
    r"mask|segmentation|superpixels"
    r"|attribute_(?:globules|milia_like_cyst|negative_network|pigment_network|streaks)"
    r")"
)
"""How archives call what belongs to an image: `ISIC_0000000_superpixels`. Words such as
`_seg` and `_lesion` are not among them: photographs may be called so."""

OUR_WORDS = (
    "mask", "overlay", "abcd", "sheet", "outline", "rgb", "gray", "hls", "hsv", "lab",
    "gaussian_blur", "hsv_blur", "local_mean", "hsv_local_mean", "clahe", "shades_of_gray",
    "max_rgb", "dullrazor", "crop_frame", "melanin", "haemoglobin", "occlusion", "grad_cam",
    "grad_cam_plus_plus", "integrated_gradients", "attention_rollout",
)  # fmt: skip
"""Words before the ending of a PNG file that our commands make of one image."""
_OF_OURS = re.compile(rf"(?P<image>.+)\.(?:{'|'.join(OUR_WORDS)})(?:\.map)?")


def photographs(files: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the image files among `files`, and sentences on what is left out of them.

    Left out are masks, superpixels and pictures of our commands whose names are that of
    another image and a word for what they are (`N1_mask.png` beside an `N1.jpg`, in any
    folder), and figures of ours, by what the file says of itself. A mask whose image is not
    there is kept: it may be a name like any other.
    """
    images = [name for name in files if is_image(name)]
    made = made_of_images(images)
    figures = {name for name in images if name not in made and _is_figure(name)}
    kept = [name for name in images if name not in made and name not in figures]
    return kept, [
        *_said(sorted(made), "made of another image (a mask or a view)"),
        *_said(sorted(figures), "drawn by lentigo (a figure)"),
    ]


def made_of_images(images: Sequence[str]) -> set[str]:
    """Return those of `images` that, by their names, were made of another one of them."""
    sources = {name: found for name in images if (found := _sources(name))}
    if not sources:  # the usual folder, which may hold 400,000 photographs
        return set()
    stems = {_stem(name) for name in images if _folder(name) not in MASK_FOLDERS}
    return {name for name, found in sources.items() if not stems.isdisjoint(found)}


def _sources(name: str) -> list[str]:
    """Return what the image may be called of which the file `name` was made."""
    stem = _stem(name)
    if found := _OF_OTHERS.fullmatch(stem):
        return [found["image"], found["image"] + (found["of"] or "")]
    if _folder(name) in MASK_FOLDERS:
        return [stem]
    if name.lower().endswith(".png") and (found := _OF_OURS.fullmatch(stem)):
        return [found["image"], re.sub(r"-\d+$", "", found["image"])]
    return []


def _folder(name: str) -> str:
    return os.path.basename(os.path.dirname(name)).casefold()  # noqa: PTH119, PTH120


def _stem(name: str) -> str:
    return _ENDING.sub("", composed(os.path.basename(name))).casefold()  # noqa: PTH119


def _is_figure(name: str) -> bool:
    """Tell whether the first chunks of a PNG file say that it is a figure of ours."""
    if not name.lower().endswith(".png"):
        return False
    try:
        if not os.path.isfile(name):  # noqa: PTH113 (a pipe could be waited for)
            return False
        with open(name, "rb") as file:  # noqa: PTH123
            return b"tEXtSoftware\0" + FIGURE.encode() in file.read(1024)
    except (OSError, ValueError):
        return False


def _said(names: list[str], what: str) -> list[str]:
    if not names:
        return []
    count = len(names)
    shown = some([as_text(os.path.basename(name)) for name in names])  # noqa: PTH119
    return [
        f"{counted(count, 'picture')} {verb(count, 'was', 'were')} {what} and "
        f"{verb(count, 'is', 'are')} left out: {shown}. Name a file itself to read it."
    ]
