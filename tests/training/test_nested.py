"""A run of three folds and their pairs: who learnt from what, and what is told of it."""

from __future__ import annotations

import shutil
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pandas as pd
import pytest

import lentigo
from lentigo.cli.options import with_asked
from lentigo.config import Config
from lentigo.errors import ConfigError
from lentigo.inference.predict import load
from lentigo.json_files import read_json
from lentigo.pipeline import finish
from lentigo.run_layout import RunLayout
from lentigo.tables import write_table
from lentigo.training.nested import write_nested
from lentigo.training.prepare import Prepared
from tests.cohorts import draw_cohort, tiny_config

if TYPE_CHECKING:
    from lentigo.imaging.store.build import PixelStore

CONFIG = {"training__epochs": 1, "split__folds": 3, "split__nested": True}
PAIRS = list(combinations(range(3), 2))


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return draw_cohort(tmp_path_factory.mktemp("discs"), images=64)


@pytest.fixture(scope="module")
def run(cohort: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> lentigo.Run:
    place = tmp_path_factory.mktemp("run") / "run"
    return lentigo.train(cohort, tiny_config(**CONFIG), out=place, folds=3)


def test_a_pair_is_left_out_whole_and_both_of_its_folds_are_predicted(
    run: lentigo.Run,
) -> None:
    fold = run.table.set_index("image_id")["fold"]
    for pair in PAIRS:
        layout = run.layout.without_pair(*pair)
        role = pd.read_csv(layout.roles).set_index("image_id")["role"]
        assert set(fold[role[role == "test"].index]) == set(pair)
        assert not set(fold[role[role != "test"].index]) & set(pair)
        assert set(role) == {"train", "validation", "test"}
        told = pd.read_csv(layout.predictions)["image_id"]
        assert sorted(told) == sorted(role[role == "test"].index)


def test_each_image_has_a_row_for_each_outer_fold(run: lentigo.Run) -> None:
    told = pd.read_csv(run.layout.nested, dtype={"inner_fold": "Int64"})
    fold = run.table.set_index("image_id")["fold"]
    assert not told.duplicated(["image_id", "outer_fold"]).any()
    assert len(told) == 3 * len(run.table)
    own = told["image_id"].map(fold)
    outer = told["inner_fold"].isna()
    assert (told.loc[outer, "outer_fold"] == own[outer]).all()
    assert (told.loc[~outer, "inner_fold"] == own[~outer]).all()
    assert (told.loc[~outer, "outer_fold"] != own[~outer]).all()
    one = told[(told["outer_fold"] == 2) & (told["inner_fold"] == 0)]
    pair = pd.read_csv(run.layout.without_pair(0, 2).predictions).set_index("image_id")
    assert one.set_index("image_id")["probability"].to_dict() == (
        pair.loc[one["image_id"], "probability"].to_dict()
    )


def test_the_model_and_its_predictions_are_those_of_the_folds_alone(
    run: lentigo.Run, cohort: pd.DataFrame, tmp_path: Path
) -> None:
    assert [fold.name for fold in run.layout.folds()] == ["fold-0", "fold-1", "fold-2"]
    assert len(load(run.folder).members) == 3
    # The folds of a run without pairs, to which they are added later.
    plain = RunLayout(shutil.copytree(run.folder, tmp_path / "plain"))
    for pair in PAIRS:
        shutil.rmtree(plain.without_pair(*pair).folder)
    for path in (plain.nested, plain.predictions):
        path.unlink()
    settings = plain.config.read_text().replace("nested: true", "nested: false")
    plain.config.write_text(settings)
    again = tiny_config(**CONFIG)
    lentigo.train(cohort, again, out=plain.folder, folds=3, resume=True)
    for name in ("nested", "predictions", "config"):
        assert getattr(plain, name).read_bytes() == getattr(run.layout, name).read_bytes()


def test_the_report_tells_what_evaluate_tells_of_the_table(
    run: lentigo.Run, tmp_path: Path
) -> None:
    copy = lentigo.Run(shutil.copytree(run.folder, tmp_path / "judged"))
    finish(copy)
    found = read_json(copy.layout.evaluation)["model"]["nested"]
    assert (found["folds"], found["repeats"]) == (3, 1)
    by_hand = lentigo.evaluate(copy.layout.nested, copy.layout.table, repeats=10)
    assert by_hand.nested is not None
    mine, others = found["losses"], by_hand.nested.as_dict()["losses"]
    assert [each["nested"]["value"] for each in mine] == pytest.approx(
        [each["nested"]["value"] for each in others], rel=1e-12
    )
    plain = read_json(copy.layout.evaluation)["model"]["brier"]["value"]
    assert mine[0]["plain"]["value"] == pytest.approx(plain, rel=1e-12)
    assert "Nested in 3 folds" in copy.layout.report.read_text(encoding="utf-8")


def test_what_cannot_be_nested_is_refused_before_anything_is_read(
    cohort: pd.DataFrame, run: lentigo.Run, tmp_path: Path
) -> None:
    out = tmp_path / "a"
    for settings, folds, message in (
        (CONFIG, 1, "give --folds 3"),
        ({**CONFIG, "split__folds": 2}, 2, "give --folds 3"),
        ({**CONFIG, "split__scheme": "leave-one-source-out"}, 3, "leave out --nested"),
        ({**CONFIG, "training__teacher": str(run.folder)}, 3, "learnt from the other"),
    ):
        with pytest.raises(ConfigError, match=message):
            lentigo.train(cohort, tiny_config(**settings), out=out, folds=folds)
    assert not out.exists()


def test_settings_written_before_there_were_nested_folds_are_read() -> None:
    old = tiny_config().model_dump()
    del old["split"]["nested"]
    assert not Config.model_validate(old).split.nested
    asked = with_asked(None, refit=False, repeats=None, nested=True)
    assert asked == ["split.nested=true"]


def test_nested_repeats_stand_in_one_table_that_evaluate_reads(tmp_path: Path) -> None:
    names = [f"i{number:02}" for number in range(24)]
    folds = pd.DataFrame({"image_id": names, "melanoma": [1, 0, 0, 1] * 6})
    first = folds.assign(fold=[number % 3 for number in range(24)])
    second = [number // 8 for number in range(24)]
    again = pd.DataFrame({"image_id": names, "repeat": 1, "fold": second})
    store = cast("PixelStore", None)
    work = Prepared(tmp_path, first, store, pd.DataFrame(), again)
    for repeat in (0, 1):
        own = work.of_repeat(repeat).table
        for held in [(0,), (1,), (2,), *PAIRS]:
            mine = own[own["fold"].isin(held)]
            layout = work.of_repeat(repeat).layout(held[0])
            if len(held) == 2:
                layout = work.of_repeat(repeat).without_too(*held).layout(held[0])
            answers = mine.assign(
                group_id=mine["image_id"], probability=0.1 * len(held) + 0.3 * repeat
            )
            write_table(answers, layout.predictions)
    settings = tiny_config(**CONFIG, split__repeats=2)
    write_nested(work, settings, folds=3)
    told = pd.read_csv(RunLayout(tmp_path).nested)
    assert len(told) == 2 * 3 * 24
    inner = told["inner_fold"].notna()
    assert told.loc[inner & (told["repeat"] == 1), "probability"].unique() == [0.5]
    found = lentigo.evaluate(RunLayout(tmp_path).nested, folds, repeats=10)
    assert found.nested is not None
    assert (found.nested.folds, found.nested.repeats) == (3, 2)
