"""Names that differ are shown different, however long they are and wherever they differ."""

from __future__ import annotations

import pytest

from lentigo.figures.lettering import fitted, fitted_apart

CLINIC = "Klinik für Dermatologie und Allergologie am Universitätsklinikum "
MODEL = "EfficientNet-B4 380 px, trained on HAM10000 and ISIC 2017 and more, seed "


@pytest.mark.parametrize("lines", [1, 2])
@pytest.mark.parametrize(
    "names",
    [
        [f"{CLINIC}{letter}" for letter in "ABC"],
        [f"{MODEL}{seed}" for seed in (1, 2)],
        [f"{'左' * 40}{letter}" for letter in "ab"],
        [f"{CLINIC}{letter}{CLINIC}" for letter in "AB"],  # alike at both ends
    ],
)
def test_names_that_differ_in_one_letter_stay_different(
    names: list[str], lines: int
) -> None:
    shown = fitted_apart(names, width=30, lines=lines)
    assert len({fitted(name, width=30, lines=lines) for name in names}) == 1  # cut alone
    assert len(set(shown)) == len(names)
    assert all(name.count("\n") < lines for name in shown)
    assert all(len(line) <= 30 for name in shown for line in name.split("\n"))


def test_the_end_that_differs_is_what_is_shown() -> None:
    assert fitted_apart([f"{CLINIC}A", f"{CLINIC}B"], width=30, lines=1) == [
        "Klinik für Derm…tätsklinikum A", "Klinik für Derm…tätsklinikum B",
    ]  # fmt: skip


def test_other_names_are_shown_as_ever_and_one_name_may_come_twice() -> None:
    names = ["arm", "nose", f"{CLINIC}A", "arm"]
    assert fitted_apart(names) == [fitted(name) for name in names]


def test_names_are_numbered_among_those_that_look_the_same() -> None:
    names = ["Same", "same ", "same", "a  b", "a b"]
    assert fitted_apart(names) == ["Same", "same (1)", "same (2)", "a b (1)", "a b (2)"]
