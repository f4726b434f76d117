"""A prediction table in parts has the rows and columns of the whole one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lentigo.inference import answers as module
from lentigo.inference.answers import answers_of
from lentigo.inference.ensemble import Ensemble
from lentigo.inference.journal import Done
from lentigo.inference.predict import Model
from lentigo.inference.sources import Source, Sources


def test_the_parts_are_the_whole_table(monkeypatch: pytest.MonkeyPatch) -> None:
    network: Any = SimpleNamespace(diagnoses=(), engine="none", metadata=None)
    model = Model((Ensemble(members=(network,)),))
    # Only the last image has a group, and has it in a column of every part.
    images = [
        Source(str(n), path=Path(f"{n}.jpg"), group_id="P" if n == 4 else None)
        for n in range(5)
    ]
    done = [
        Done(0, np.array([[1.0, np.nan, -1.0]]), {1: "broken"}),
        Done(3, np.array([[0.5, 0.25]]), {4: "may be no dermoscopy"}),
    ]
    answers = answers_of(model, Sources.of(images), done)
    whole = answers.table()
    assert whole["image_id"].tolist() == list("01234")
    assert whole["logit"].tolist() == pytest.approx([1, np.nan, -1, 0.5, 0.25], nan_ok=True)
    monkeypatch.setattr(module, "PART", 2)
    parts = list(answers.parts())
    assert [len(each) for each in parts] == [2, 2, 1]
    assert all(list(each) == list(whole) for each in parts)
    # As text: a part without any group has None where the whole has NaN.
    assert pd.concat(parts).to_csv(index=False) == whole.to_csv(index=False)
