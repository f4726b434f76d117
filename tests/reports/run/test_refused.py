"""The section on what a model did not answer: counted rows, or why there are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from lentigo.evaluation.refusals import refusals_of
from lentigo.json_files import to_json
from lentigo.reports.run.page import write_report
from lentigo.reports.run.refused import NOT_TOLD, refusals
from tests.reports.report_fakes import EVALUATION, write_run


def evaluation() -> dict[str, object]:
    """48 images of which 5 are refused."""
    import json

    rng = np.random.default_rng(0)
    melanoma = np.arange(48) % 5 == 0
    table = pd.DataFrame(
        {
            "melanoma": melanoma,
            "probability": np.clip(0.3 * melanoma + rng.uniform(0, 0.7, 48), 0, 1),
            "group": np.arange(48) // 2,
            "abstain": np.where(np.arange(48) < 5, "yes", "no"),
            "strangeness": rng.uniform(0, 1, 48) + (np.arange(48) < 5),
            "reason": np.where(
                np.arange(48) < 5, "not answered: too dark to judge (2.00 times)", ""
            ),
        }
    )
    found = refusals_of(table, seed=0)
    assert found is not None
    model = {**EVALUATION["model"], "refusals": json.loads(to_json(found.as_dict()))}
    return {**EVALUATION, "model": model}


def test_reasons_and_numbers_are_counted() -> None:
    found = refusals(evaluation())
    assert found["sentence"].startswith("Of 48 images, 5 are too strange to be answered")
    assert found["reasons"] == [
        {"reason": "too dark to judge", "images": "5", "share": "100.0\u00a0%"}
    ]
    (row,) = found["rows"]
    assert (row["images"], row["refused"], row["melanomas"]) == ("48", "5", "1")


def test_a_run_without_an_index_says_that_it_answers_for_every_image() -> None:
    found = refusals(EVALUATION)
    assert (found["sentence"], found["rows"], found["reasons"]) == (NOT_TOLD, [], [])


def test_the_page_has_them_with_the_curve(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", evaluation=evaluation(), pixels=False)
    page = write_report(run).read_text(encoding="utf-8")
    section = page.split('<section id="refused">')[1].split("</section>")[0]
    assert "too dark to judge" in section
    assert 'alt="Risk by coverage"' in section
    drawn = pd.read_csv(run / "figures" / "risk_coverage.csv")
    assert len(drawn) == 20
