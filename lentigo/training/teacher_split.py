"""Find the model that may teach a network: one that knows none of its judging images.

A teacher that learnt from validation or held-out images of its student hands on what it
knows of them, and the student is then judged on images that it knows, too. So the
training, validation and held-out images that the teacher's run noted are compared with
those of the student, whole groups at a time.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lentigo.config import Config
from lentigo.curation.splits.folds import TEST, TRAIN, VALIDATION
from lentigo.errors import ConfigError, DatasetNotFoundError, RunError
from lentigo.files import digest
from lentigo.json_files import read_json_object, write_plan
from lentigo.models.description import DESCRIPTION
from lentigo.run_layout import MODEL, NO_FOLD, SPLIT, FoldLayout, RunLayout, run_of
from lentigo.tables import read_any_table, read_table_file
from lentigo.words import counted, some


def check_teacher(config: Config) -> None:
    """Raise an error early if `training.teacher` is no run that can teach this one.

    `DatasetNotFoundError` for a folder that is neither a run nor a fold of one;
    `ConfigError` if a refit is asked for and the teacher has none.
    """
    folder = config.training.teacher
    if folder is None:
        return
    if not _is_run(folder) and not _fold_at(folder).roles.is_file():
        raise DatasetNotFoundError(
            f"training.teacher {folder} is no run folder of 'lentigo train' or "
            "'lentigo run', nor a fold of one, so nothing tells which images it learnt "
            "from. Give the run folder."
        )
    if config.refit and not (_is_run(folder) and _is_done(RunLayout(folder).refit)):
        raise ConfigError(
            f"training.teacher {folder} has no network trained on all rows, which a refit "
            "would learn from: refit the teacher first (its command with --resume "
            "--refit), or leave --refit out."
        )


def teacher_fold(folder: Path, number: int, repeat: int) -> FoldLayout:
    """Return the fold of the teacher `folder` that may teach fold `number` of a repeat.

    If `folder` is a run folder, it is the fold of the same number and repeat, or the refit
    for `NO_FOLD`. If `folder` is a fold, or its model folder, it is that one.

    Raises `RunError` if it is not there or not finished.
    """
    fold = _fold_at(folder)
    if _is_run(folder):
        run = RunLayout(folder)
        fold = run.refit if number == NO_FOLD else run.fold(number, repeat)
    if not _is_done(fold):
        raise RunError(
            f"training.teacher has no finished model in {fold.folder}, which would teach "
            "the network that is trained without the same fold. Train the teacher with as "
            "many folds and repeats first."
        )
    return fold


def check_no_leak(table: pd.DataFrame, role: pd.Series[str], teacher: FoldLayout) -> None:
    """Raise `RunError` if `teacher` knows judging images of the network that it teaches.

    `table` is the student's lesion table, and `role` holds "train", "validation", "test" …
    for each row. The teacher may not have learnt from the group of a validation image, and
    may neither have learnt from the group of a held-out image nor have chosen its best
    epoch and calibration on one. Groups are those of the student's table; if the teacher
    also learnt from images that are not in it, the teacher's own groups count as well, and
    its table has to hold all judging images. An image is the same if its id and its bytes
    (SHA-256) are.

    If the teacher was itself taught, its own teachers may have learnt from images that are
    in neither table. They were checked against the images by which it was judged, so the
    student may be judged only by these.
    """
    if not role.isin([VALIDATION, TEST]).any():
        return
    student = _keyed(table, role)
    learnt = _teachers_table(teacher)
    leaks = _offending(learnt, student)
    strange = learnt["role"].isin([TRAIN, VALIDATION]) & ~learnt["key"].isin(student["key"])
    if strange.any():
        judging = student[student["role"].isin([VALIDATION, TEST])]
        unseen = judging.loc[~judging["key"].isin(learnt["key"]), "image_id"]
        if len(unseen):
            raise _not_told(teacher, learnt.loc[strange, "image_id"], unseen)
        leaks += _offending(student, learnt, backwards=True)
    if leaks:
        raise RunError(
            f"{teacher.folder} cannot teach this fold: it knows the patients or lesions of "
            f"{counted(len(set(leaks)), 'image')} by which the network is judged "
            f"({some(sorted(set(leaks)))}). Train on the table of the teacher's "
            f"run with its {SPLIT} (--split), seed and split.validation, so that both "
            "hold out the same images."
        )
    unchecked = _unchecked(learnt, student) if _was_taught(teacher) else []
    if unchecked:
        raise RunError(
            f"{teacher.folder} cannot teach this fold: it was itself taught by another "
            f"model, which may know {counted(len(unchecked), 'image')} by which the "
            f"network is judged ({some(unchecked)}), since the teacher was not judged "
            f"by them. Train on the table of the teacher's run with its {SPLIT} (--split), "
            "seed and split.validation, so that both hold out the same images."
        )


def note_teacher(teacher: FoldLayout, layout: FoldLayout, *, write: bool = True) -> None:
    """Write which model teaches to `layout.teacher`, or compare it with what is there.

    Every process of a training on several devices compares, so that all of them stop; only
    one of them gives `write`.

    Raises `ConfigError` if an earlier call, which is now resumed, had another teacher.
    """
    if not write and not layout.teacher.is_file():
        return
    write_plan(
        layout.teacher,
        {"fold": teacher.name, "model_sha256": digest(teacher.model / DESCRIPTION)},
        refusal=f"{layout.name} was begun with another teacher than {teacher.folder} holds "
        "now. Put that one back, or give another --out.",
    )


def noted_teacher(layout: FoldLayout) -> str | None:
    """Return the SHA-256 of the teacher's `model.json` that `note_teacher` wrote, if any.

    The `model.json` holds the digests of all files of the teacher.
    """
    if not layout.teacher.is_file():
        return None
    return str(read_json_object(layout.teacher)["model_sha256"])


def _is_run(folder: Path) -> bool:
    return RunLayout(folder).table.is_file()


def _fold_at(folder: Path) -> FoldLayout:
    return FoldLayout(folder.parent if folder.name == MODEL else folder)


def _is_done(fold: FoldLayout) -> bool:
    return (fold.model / DESCRIPTION).is_file() and fold.roles.is_file()


def _teachers_table(teacher: FoldLayout) -> pd.DataFrame:
    """Return the keys, groups and roles of all images of the teacher's run."""
    table = next((r.table for r in run_of(teacher.folder) if r.table.is_file()), None)
    if table is None:
        raise RunError(
            f"{teacher.folder} lies in no run folder any more, so nothing tells which "
            "images its model learnt from. Give the run folder as training.teacher."
        )
    lesions = read_table_file(table)
    roles = read_any_table(teacher.roles).astype("string").set_index("image_id")["role"]
    return _keyed(lesions, lesions["image_id"].map(roles).fillna(""))


def _keyed(table: pd.DataFrame, role: pd.Series[str]) -> pd.DataFrame:
    """Return image_id, group_id, key (id and digest of the file) and role of each image."""
    key = table["image_id"].astype(str) + "\t" + table["sha256"].fillna("").astype(str)
    known = table[["image_id", "group_id"]].astype(str)
    return known.assign(key=key.to_numpy(), role=role.astype(str).to_numpy())


def _offending(
    seen: pd.DataFrame, grouped: pd.DataFrame, *, backwards: bool = False
) -> list[str]:
    """Return ids of images that the teacher may not know, by the groups of `grouped`.

    `seen` is the teacher's table and `grouped` the student's; `backwards` the reverse.
    """
    pairs = grouped[["key", "group_id", "image_id", "role"]].merge(
        seen[["key", "role"]], on="key", how="left", suffixes=("", "_other")
    )
    mine, theirs = ("role_other", "role") if backwards else ("role", "role_other")
    found: list[str] = []
    for judging, known in ((TEST, [TRAIN, VALIDATION]), (VALIDATION, [TRAIN])):
        groups = pairs.loc[pairs[theirs].isin(known), "group_id"]
        wrong = (pairs[mine] == judging) & pairs["group_id"].isin(groups)
        found += pairs.loc[wrong, "image_id"].tolist()
    return found


def _was_taught(teacher: FoldLayout) -> bool:
    """Tell whether a teacher, or one of the networks of its fold, was itself taught."""
    return any(noted_teacher(each) for each in (teacher, *teacher.members()))


def _unchecked(learnt: pd.DataFrame, student: pd.DataFrame) -> list[str]:
    """Return ids of judging images of which the teacher's own check tells nothing.

    `student` is the table of the network to be taught. That check looked at whole groups of
    `learnt`, the teacher's table: for a group with a validation image, that no model before
    had learnt from it; for one with a held-out image, that none had chosen its epoch by it,
    either.
    """
    found: set[str] = set()
    for judging, checked in ((TEST, [TEST]), (VALIDATION, [VALIDATION, TEST])):
        groups = learnt.loc[learnt["role"].isin(checked), "group_id"]
        safe = learnt.loc[learnt["group_id"].isin(groups), "key"]
        mine = student.loc[student["role"] == judging, "group_id"]
        wrong = student["group_id"].isin(mine) & ~student["key"].isin(safe)
        found.update(student.loc[wrong, "image_id"])
    return sorted(found)


def _not_told(
    teacher: FoldLayout, strange: pd.Series[str], unseen: pd.Series[str]
) -> RunError:
    return RunError(
        f"{teacher.folder} cannot teach this fold: it learnt from "
        f"{counted(len(strange), 'image')} that the table has not "
        f"({some(strange.tolist())}), and its own table lacks {len(unseen):,} of the "
        f"judging images ({some(unseen.tolist())}), so nothing tells whether these are of "
        "the same patients. Train both on the same table."
    )
