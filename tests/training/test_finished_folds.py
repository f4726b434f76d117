"""Which folds of a run can teach, and what a fold is noted to have learnt from."""

from __future__ import annotations

from pathlib import Path

from lentigo.run_layout import FoldLayout
from lentigo.training.teacher_split import _is_done, noted_teacher


def test_a_fold_can_teach_when_its_model_and_its_roles_are_there(tmp_path: Path) -> None:
    fold = FoldLayout(tmp_path / "fold-0")
    fold.model.mkdir(parents=True)
    description = fold.model / "model.json"
    assert not _is_done(fold)
    description.write_text("{}")
    assert not _is_done(fold)  # which images it learnt from is not known
    fold.roles.write_text("")
    assert _is_done(fold)
    description.unlink()
    assert not _is_done(fold)


def test_a_fold_without_a_teacher_names_none(tmp_path: Path) -> None:
    fold = FoldLayout(tmp_path / "fold-0")
    fold.folder.mkdir()
    assert noted_teacher(fold) is None
    fold.teacher.write_text('{"fold": "fold-1", "model_sha256": "abc"}')
    assert noted_teacher(fold) == "abc"
