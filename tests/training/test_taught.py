"""Networks that learn from a run: stopped, resumed, and refused where images would leak."""

from __future__ import annotations

import json
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import expit

import lentigo
from lentigo.config import Config, with_settings
from lentigo.errors import ConfigError, DatasetNotFoundError, RunError
from lentigo.models.description import read_description
from lentigo.models.network import build_model
from lentigo.models.torch_engine import load_member
from lentigo.run_layout import NO_FOLD, FoldLayout, RunLayout
from lentigo.stopping import Terminated, listening
from lentigo.tables import read_any_table, write_table
from lentigo.training.arithmetic import Arithmetic
from lentigo.training.fabric import make_fabric
from lentigo.training.fold import Fold
from lentigo.training.lesson import taught
from lentigo.training.loop import fit
from lentigo.training.prepare import prepared
from lentigo.training.run import settled
from lentigo.training.teacher_split import check_no_leak, note_teacher, teacher_fold
from lentigo.training.teaching import teacher_of
from lentigo.training.trainer import Trainer
from tests.cohorts import draw_cohort, tiny_config
from tests.training.test_distillation import CPU, predictor, teacher
from tests.training.test_trainer import examples, stop_after

TAUGHT = tiny_config(
    training__batch_size=8, training__epochs=2, model__dropout=0.3,
    model__dropout_samples=2, training__average=0.9, training__micro_batch=5,
)  # fmt: skip
KEPT = with_settings(TAUGHT, {"training.frozen_epochs": 1, "training.frozen_views": 1})
MIXED = with_settings(TAUGHT, {"training.mixup": 0.4, "training.cutmix": 1.0})


def student(folder: Path, config: Config, *, plain: bool = False) -> Trainer:
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    given = teacher(predictor(), predictor(size=40))
    if plain:
        given.plain = torch.rand(21, 2, generator=torch.Generator().manual_seed(1))
        given.plain /= given.plain.sum(dim=1, keepdim=True)
    fold = Fold(FoldLayout(folder), config, examples(21, 0), examples(12, 1), teacher=given)
    fabric = make_fabric(config.training, Arithmetic(device="cpu"))
    return Trainer(fabric, build_model(config.model), fold)


@pytest.mark.parametrize(
    ("config", "steps", "plain"),
    [(MIXED, 4, False), (MIXED, 2, True), (KEPT, 2, False)],
    ids=["mixed", "plain", "kept features"],
)
def test_a_stopped_student_goes_on_from_that_very_step(
    config: Config,
    steps: int,
    plain: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = student(tmp_path / "whole", config, plain=plain)
    fit(whole)
    with monkeypatch.context() as patched:
        stop_after(patched, steps)
        with pytest.raises(Terminated, match="Stopped; fold-0 is saved"), listening():
            fit(student(tmp_path / "fold-0", config, plain=plain))
    resumed = student(tmp_path / "fold-0", config, plain=plain)
    fit(resumed)
    weights = whole.judged.state_dict()
    assert all(torch.equal(v, weights[k]) for k, v in resumed.judged.state_dict().items())
    for ours, theirs in zip(resumed.progress.history, whole.progress.history, strict=True):
        assert {**ours, "seconds": 0} == {**theirs, "seconds": 0}


def test_kept_features_come_with_what_the_teacher_says_of_that_very_view(
    tmp_path: Path,
) -> None:
    ours = student(tmp_path / "fold-0", KEPT)
    ours.model.eval()
    ours.frozen.look(ours.model, 0)
    draws = ours.frozen.draws(0)[:1]
    (kept,) = ours.frozen.read(0, draws)
    (shown,) = ours._read(1, draws)
    assert ours.fold.teacher is not None
    torch.testing.assert_close(kept.soft, ours.fold.teacher.probabilities(shown.images))


def test_a_student_believes_its_teacher_more_than_the_labels(tmp_path: Path) -> None:
    """A third are melanomas, and the teacher holds every image for one."""
    config = tiny_config(
        training__batch_size=8, training__epochs=8, training__average=0.0,
        training__learning_rate=1e-2, training__teacher_weight=1.0,
    )  # fmt: skip
    ours = student(tmp_path / "fold-0", config, plain=True)
    assert ours.fold.teacher is not None
    ours.fold.teacher.config = config.training
    ours.fold.teacher.plain = torch.tensor([[0.2, 0.8]]).repeat(21, 1)
    fit(ours)
    losses = [row["loss"] for row in ours.progress.history]
    assert losses[-1] < losses[0] / 2


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return draw_cohort(tmp_path_factory.mktemp("discs"), images=40)


@pytest.fixture(scope="module")
def large(cohort: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> lentigo.Run:
    """A run of two networks: one of melanoma, one of diagnoses with another size."""
    config = tiny_config(
        members=({}, {"training.target": "diagnosis", "training.image_size": 40}),
        training__epochs=1, split__folds=4,
    )  # fmt: skip
    return lentigo.train(cohort, config, out=tmp_path_factory.mktemp("large") / "run")


def of(run: lentigo.Run, **settings: Any) -> Config:
    return tiny_config(
        training__teacher=str(run.folder), training__epochs=1, split__folds=4, **settings
    )


@pytest.fixture(scope="module")
def small(
    cohort: pd.DataFrame, large: lentigo.Run, tmp_path_factory: pytest.TempPathFactory
) -> lentigo.Run:
    out = tmp_path_factory.mktemp("small") / "run"
    return lentigo.train(cohort, of(large, training__target="diagnosis"), out=out)


def test_the_model_folder_says_by_what_it_was_taught_but_not_where(
    large: lentigo.Run, small: lentigo.Run
) -> None:
    fold = small.layout.fold(0)
    noted = json.loads(fold.teacher.read_text())
    told = read_description(fold.model)
    assert noted["fold"] == "fold-0"
    assert told.training.teacher_sha256 == noted["model_sha256"]
    assert "teacher" not in told.settings["training"]
    assert str(large.folder) not in (fold.model / "model.json").read_text()
    assert noted["model_sha256"] in (fold.model / "card.md").read_text()
    assert len(told.members) == 1
    assert small.load().answers is not None


def test_a_resumed_student_keeps_its_teacher(
    cohort: pd.DataFrame, large: lentigo.Run, small: lentigo.Run, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(large.folder, other)
    out = tmp_path / "run"
    config = with_settings(
        of(large, training__target="diagnosis"), {"training.teacher": str(other)}
    )
    shutil.copytree(small.folder, out)
    (out / "config.yaml").write_text(config.to_yaml())
    fold = RunLayout(out).fold(0)
    fold.predictions.unlink()
    path = FoldLayout(other / "fold-0").model / "model.json"
    path.write_text(path.read_text() + "\n")
    with pytest.raises(ConfigError, match="begun with another teacher"):
        lentigo.train(cohort, config, out=out, resume=True)


def test_what_a_teacher_says_of_plain_images_is_its_prediction(
    large: lentigo.Run, tmp_path: Path
) -> None:
    config = settled(of(large, training__teacher_sees="plain"))
    work = prepared(config, large.folder)
    role = work.roles(0, config)
    fabric = make_fabric(config.training, Arithmetic(device="cpu"))
    lesson, role = taught(work.table, role, config.training)
    layout = FoldLayout(tmp_path / "fold-0")
    own = teacher_of(fabric, work, role, config, lesson, number=0, layout=layout)
    assert own is not None
    assert own.plain is not None
    mine = work.table[(role == "train").to_numpy()]
    squares = work.store.images[work.store.positions(mine["image_id"])]
    folder = large.layout.fold(0).model
    known = read_description(folder)
    logits = np.mean(
        [load_member(folder, known, each).answers(squares)[0] for each in known.members],
        axis=0,
    )
    assert own.plain[:, 1].numpy() == pytest.approx(expit(logits / 2), abs=1e-5)


def test_a_teacher_of_another_stored_size_comes_with_a_warning(
    large: lentigo.Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for size, warns in ((32, False), (48, True)):
        config = settled(of(large))
        work, fabric = prepared(config, large.folder), make_fabric(config.training, CPU)
        lesson, role = taught(work.table, work.roles(0, config), config.training)
        changed = with_settings(config, {"imaging.size": size})
        layout = FoldLayout(tmp_path / "fold-0")
        with caplog.at_level("WARNING", logger="lentigo"):
            teacher_of(fabric, work, role, changed, lesson, number=0, layout=layout)
        assert ("stored at 32 px, and looks at" in caplog.text) is warns


def test_every_process_compares_the_teacher_and_one_of_them_notes_it(
    large: lentigo.Run, small: lentigo.Run, tmp_path: Path
) -> None:
    config = settled(of(large))
    work, layout = prepared(config, large.folder), FoldLayout(tmp_path / "fold-0")
    lesson, role = taught(work.table, work.roles(0, config), config.training)

    class SecondProcess:
        is_global_zero = False

        def barrier(self) -> None:
            raise TimeoutError

    def begins() -> None:
        second: Any = SecondProcess()
        teacher_of(second, work, role, config, lesson, number=0, layout=layout)

    with pytest.raises(TimeoutError):
        begins()
    assert not layout.teacher.exists()
    note_teacher(small.layout.fold(0), layout)
    with pytest.raises(ConfigError, match="begun with another teacher"):
        begins()


def roles_of(run: lentigo.Run) -> tuple[pd.DataFrame, pd.Series, FoldLayout]:
    fold = run.layout.fold(0)
    role = read_any_table(fold.roles).astype("string").set_index("image_id")["role"]
    table = run.table
    return table, table["image_id"].map(role), fold


def groups_of(table: pd.DataFrame, role: pd.Series, name: str) -> list[str]:
    return sorted(table.loc[(role == name).to_numpy(), "group_id"].unique())


def with_role(table: pd.DataFrame, role: pd.Series, group: str, name: str) -> pd.Series:
    return role.mask((table["group_id"] == group).to_numpy(), name)


@pytest.mark.parametrize(
    ("was", "now", "leaks"),
    [
        ("train", "validation", True),
        ("train", "test", True),
        ("validation", "test", True),
        ("validation", "train", False),
        ("test", "train", False),
        ("test", "validation", False),
    ],
)
def test_a_group_that_the_teacher_knows_is_no_judge(
    was: str, now: str, leaks: bool, large: lentigo.Run
) -> None:
    table, role, fold = roles_of(large)
    check_no_leak(table, role, fold)
    changed = with_role(table, role, groups_of(table, role, was)[0], now)
    said = pytest.raises(RunError, match=r"lesions of 2 images by which .*\(L")
    with said if leaks else nullcontext():
        check_no_leak(table, changed, fold)


def test_groups_that_the_student_knows_to_be_one_count_as_one(large: lentigo.Run) -> None:
    """The patients P of a test image and Q of a training image are one and the same."""
    table, role, fold = roles_of(large)
    judging, learnt = (groups_of(table, role, name)[0] for name in ("test", "train"))
    merged = table.assign(group_id=table["group_id"].replace(learnt, judging))
    changed = with_role(merged, role, judging, "test")
    gone = changed.mask((table["group_id"] == learnt).to_numpy(), "left out")
    with pytest.raises(RunError, match="of 2 images"):
        check_no_leak(merged, gone, fold)


def test_images_that_only_the_teacher_has_are_told_by_its_own_groups(
    large: lentigo.Run,
) -> None:
    table, role, fold = roles_of(large)
    gone = (table["group_id"] == groups_of(table, role, "train")[0]).to_numpy()
    check_no_leak(table[~gone], role[~gone], fold)
    # One image of a learnt group is left, and would judge.
    first = table.index[gone][0]
    rest = table[~gone | (table.index == first)]
    judged = role[rest.index].mask(rest.index == first, "test")
    with pytest.raises(RunError, match="of 1 image by which"):
        check_no_leak(rest, judged, fold)


def test_without_common_images_nothing_tells_who_is_who(large: lentigo.Run) -> None:
    table, role, fold = roles_of(large)
    other = table.assign(sha256="0" * 64)  # the same names, other pictures
    with pytest.raises(RunError, match="so nothing tells whether"):
        check_no_leak(other, role, fold)
    everything = pd.Series("train", index=table.index)
    check_no_leak(other, everything, fold)  # a refit judges nothing


def with_another(table: pd.DataFrame, role: pd.Series) -> tuple[pd.DataFrame, pd.Series]:
    """Add an image of another patient, by which the student is judged."""
    new = table.iloc[:1].assign(image_id="new", sha256="0" * 64, group_id="new")
    more = pd.concat([table, new], ignore_index=True)
    return more, pd.Series([*role, "validation"], index=more.index)


def test_who_taught_the_teacher_is_checked_by_what_judged_the_teacher(
    large: lentigo.Run, small: lentigo.Run, tmp_path: Path
) -> None:
    said = r"itself taught by another model, which may know 1 image by .*\(new\)"
    table, role, fold = roles_of(small)
    check_no_leak(table, role, fold)
    more, roles = with_another(table, role)
    check_no_leak(more, roles, large.layout.fold(0))
    with pytest.raises(RunError, match=said):
        check_no_leak(more, roles, fold)
    # The same if a network of several was taught.
    shutil.copytree(large.folder, tmp_path / "run")
    several = RunLayout(tmp_path / "run").fold(0)
    shutil.copy(fold.teacher, several.member(1).teacher)
    check_no_leak(table, role, several)
    with pytest.raises(RunError, match=said):
        check_no_leak(more, roles, several)


@pytest.mark.parametrize(
    ("was", "now", "leaks"),
    [
        ("test", "left out", True),
        ("validation", "left out", True),
        ("test", "validation", True),
        ("validation", "test", False),
    ],
)
def test_a_teacher_that_was_taught_has_to_be_judged_by_the_same_images(
    was: str, now: str, leaks: bool, small: lentigo.Run, tmp_path: Path
) -> None:
    shutil.copytree(small.folder, tmp_path / "run")
    table, role, _ = roles_of(small)
    fold = RunLayout(tmp_path / "run").fold(0)
    noted = with_role(table, role, groups_of(table, role, was)[0], now)
    write_table(table[["image_id"]].assign(role=noted), fold.roles)
    said = pytest.raises(RunError, match=r"cannot teach this fold: it .* 2 images")
    with said if leaks else nullcontext():
        check_no_leak(table, role, fold)


def test_another_seed_is_refused_before_anything_is_trained(
    cohort: pd.DataFrame, large: lentigo.Run, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match="cannot teach this fold: it knows the patients"):
        lentigo.train(cohort, of(large, seed=1), out=tmp_path / "run")
    with pytest.raises(RunError, match=r"no finished model in .*fold-1"):
        lentigo.train(cohort, of(large), folds=2, out=tmp_path / "two")
    assert not list(tmp_path.glob("*/fold-*/metrics.csv"))


def test_what_is_no_run_teaches_nobody(
    cohort: pd.DataFrame, large: lentigo.Run, tmp_path: Path
) -> None:
    for place in (tmp_path, tmp_path / "nowhere"):
        config = tiny_config(training__teacher=str(place))
        with pytest.raises(DatasetNotFoundError, match="is no run folder of 'lentigo tr"):
            lentigo.train(cohort, config, out=tmp_path / "run")
    with pytest.raises(ConfigError, match="has no network trained on all rows"):
        lentigo.train(cohort, of(large, refit=True), out=tmp_path / "run")
    with pytest.raises(RunError, match=r"no finished model in .*refit"):
        teacher_fold(large.folder, NO_FOLD, 0)


def test_a_fold_or_its_model_may_be_named_too(large: lentigo.Run) -> None:
    fold = large.layout.fold(0)
    for place in (fold.folder, fold.model):
        assert teacher_fold(place, 0, 0) == fold


def test_the_path_becomes_whole(
    large: lentigo.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(large.folder.parent)
    config = settled(tiny_config(training__teacher="run"))
    assert config.training.teacher == large.folder
    assert with_settings(config, {}).to_yaml() == config.to_yaml()
