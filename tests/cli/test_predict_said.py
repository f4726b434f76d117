"""What `lentigo predict` says of a table: counts, whose data was used, the share meant."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from lentigo.cli.predict_said import Said, Tally
from lentigo.imaging.kind.doubt import DOUBT

TALLY = Tally(
    images=5, known=4, metadata={"age": 1200, "sex": 0, "site": 3}, takes_context=True,
    beside_others=3, untold=2, told=1, called_beyond_sets=1,
)  # fmt: skip


def said(asked_for: float | None = None, **more: Any) -> Said:
    point = SimpleNamespace(
        name="s95", aim="for a sensitivity", confidence=0.9, without_metadata=False,
        only_untold=False,
    )  # fmt: skip
    decision: Any = SimpleNamespace(
        asked_for=asked_for, meant_for=0.1, point=point, abstain=more.pop("abstain", True)
    )
    vars(point).update(more)
    model: Any = SimpleNamespace(
        operating_points=[], can_abstain=True, patient_fields=("age", "site")
    )
    return Said(tally=TALLY, model=model, decision=decision, out=Path("p.csv"),
                lesions=None, views=None)  # fmt: skip


@pytest.mark.parametrize(("asked", "share"), [(None, 0.1), (0.02, 0.02)])
def test_the_share_of_melanoma_is_the_one_asked_for_else_that_of_the_model(
    asked: float | None, share: float
) -> None:
    told = said(asked)._as_dict()
    assert (told["prevalence"], told["meant_for"]) == (share, 0.1)
    assert told["metadata"] == {"age": 1200, "sex": 0, "site": 3}
    assert told["context"] == 3
    assert "lesions" not in told


def test_whose_data_was_used_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    # No network takes the sex: 0 would read as if the table's had not been understood.
    said()._show_metadata()
    said()._show_context()
    out = " ".join(capsys.readouterr().out.split())
    assert "patient's data the model used: age (1,200) and site (3)." in out
    assert "other lesions of the same patient: 3. 2 images with no other" in out


def test_only_columns_that_the_model_takes_are_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = replace(said(), tally=Tally(images=1, known=1, metadata={"age": 0, "site": 0}))
    told._show_metadata()
    out = " ".join(capsys.readouterr().out.split())
    assert "a table of the images with the columns age and site; 'lentigo read" in out


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "2 images had no age or site"),
        ({"only_untold": True}, "1 image had age or site"),
        ({"without_metadata": True}, None),
        ({"confidence": None}, None),
    ],
)
def test_a_guarantee_is_said_not_to_hold_for_images_of_the_other_kind(
    more: dict[str, Any], words: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    said(**more)._show_untold()
    out = capsys.readouterr().out
    assert (words in " ".join(out.split())) if words else out == ""


def test_a_call_beyond_the_sets_counts(capsys: pytest.CaptureFixture[str]) -> None:
    said()._show_beyond_sets()
    out = " ".join(capsys.readouterr().out.split())
    assert "1 image is called melanoma, and could_be says not melanoma" in out


def test_the_rows_of_a_table_are_tallied_by_what_became_of_them() -> None:
    tally = Tally.of(
        [
            pd.DataFrame(
                {
                    "image_id": ["a", "b", "c", "d"],
                    "probability": [0.9, None, None, 0.1],
                    "abstain": ["no", "", "yes", "yes"],
                    "reason": ["", "cannot be read", "strange", "strange"],
                    "metadata": ["age, site", "", "none", "age"],
                    "context": [1, 0, 0, 2],
                    "call": ["melanoma", "", "", "not melanoma"],
                    "could_be": ["not melanoma", "", "", "not melanoma"],
                }
            )
        ]
    )
    assert (tally.images, tally.known) == (4, 2)
    assert tally.failed.names == ["b"]
    assert tally.strange.names == ["c", "d"]
    assert tally.strange.as_rows()[1] == {"image_id": "d", "reason": "strange"}
    assert tally.metadata == {"age": 2, "sex": 0, "site": 1}
    assert (tally.takes_context, tally.beside_others) == (True, 2)
    assert tally.called_beyond_sets == 1


def test_without_json_only_the_reasons_of_failures_are_held() -> None:
    part = pd.DataFrame(
        {
            "image_id": ["a", "b", "c"],
            "probability": [0.2, None, None],
            "abstain": ["no", "", "yes"],
            "reason": [f"{DOUBT}: grey", "cannot be read", "strange"],
        }
    )
    tally = Tally.of([part, part], reasons=False)
    assert tally.failed.reasons == ["cannot be read"] * 2
    assert (tally.strange.names, tally.strange.reasons) == (["c", "c"], [])
    assert (tally.doubted.names, tally.doubted.reasons) == (["a", "a"], [])
