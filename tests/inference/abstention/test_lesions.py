"""A photograph that is refused by itself moves no answer of its lesion."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lentigo.inference.abstention.signals import Familiar
from lentigo.inference.ensemble import Ensemble
from lentigo.inference.inputs import Source
from lentigo.inference.predict import Answers, Model
from lentigo.models.abstention import Abstention, Signal

LIMIT = Abstention(signals=[Signal(name="neighbours", middle=0, spread=1)], limit=1.0)
LOGITS = [[0.0, 4.0, 0.0, 2.0, 1.0]]
STRANGE = [[0.5, 1.4, 0.2, 3.0, 2.0]]


@pytest.fixture
def answers() -> Answers:
    """Two photographs of a, the second strange; one of b; two of c, both strange."""
    network: Any = SimpleNamespace(diagnoses=(), engine="none", metadata=None)
    index: Any = None
    model = Model((Ensemble(members=(network,), familiar=(Familiar(index, LIMIT, 1),)),))
    sources = [Source(str(n), lesion_id=each) for n, each in enumerate("aabcc")]
    return Answers(model, tuple(sources), np.array([*LOGITS, *STRANGE]), {})


def test_only_the_photographs_that_are_answered_for_are_in_the_mean(
    answers: Answers,
) -> None:
    found = answers.lesions().set_index("lesion_id")
    assert found["logit"].tolist() == pytest.approx([0.0, 0.0, np.nan], nan_ok=True)
    assert found["n_images"].tolist() == [1, 1, 0]
    assert found["abstain"].tolist() == ["no", "no", "yes"]
    assert found["strangeness"].tolist() == pytest.approx([0.5, 0.2, 2.0])
    assert found.loc["a", "reason"] == (
        "1 is left out: not answered: looks like nothing I learnt from (1.40 times the "
        "limit)"
    )
    assert str(found.loc["c", "reason"]).count("not answered") == 2


def test_with_no_abstain_all_of_them_are(answers: Answers) -> None:
    shown = replace(answers.model.decision(), abstain=False)
    found = answers.lesions(shown)
    assert found["logit"].tolist() == [2.0, 0.0, 1.5]
    assert found["abstain"].tolist() == ["no", "no", "yes"]
