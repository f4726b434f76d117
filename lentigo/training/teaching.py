"""Load the teacher of a fold, after checking that it may teach it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from lightning_fabric import Fabric
from torch import Tensor

from lentigo.config import Config
from lentigo.models.classifier import Answers
from lentigo.models.description import read_description
from lentigo.models.forward import predict_logits
from lentigo.models.metadata import Patients
from lentigo.models.torch_engine import load_member
from lentigo.models.torch_predictor import TorchPredictor
from lentigo.progress import log
from lentigo.run_layout import NO_FOLD, FoldLayout
from lentigo.training.data import Beside, Examples, in_order, load, worker_count
from lentigo.training.distillation import Teacher, check_can_teach
from lentigo.training.lesson import Lesson
from lentigo.training.memory import Steps
from lentigo.training.prepare import Prepared, held_out_folds
from lentigo.training.teacher_split import check_no_leak, note_teacher, teacher_fold
from lentigo.words import counted


def check_teachers(work: Prepared, config: Config, *, folds: int) -> None:
    """Check for each fold to train, before the first, that its teacher may teach it.

    Raises what `teacher_fold` and `check_no_leak` raise.
    """
    folder = config.training.teacher
    if folder is None:
        return
    for repeat in range(config.split.repeats):
        own = work.of_repeat(repeat)
        for number in range(held_out_folds(own.table, config, folds)):
            role = own.roles(number, config.of_repeat(repeat))
            check_no_leak(own.table, role, teacher_fold(folder, number, repeat))
    if config.refit:
        teacher_fold(folder, NO_FOLD, 0)


def teacher_of(
    fabric: Fabric,
    work: Prepared,
    role: pd.Series[str],
    config: Config,
    lesson: Lesson,
    *,
    number: int,
    layout: FoldLayout,
) -> Teacher | None:
    """Return the teacher of a network whose images have the `role`; None without one.

    `number` is that of the held-out fold (`NO_FOLD` for a refit), and `layout` holds the
    student's files. With `teacher_sees` "plain" the teacher looks at each training image
    here, once.

    Raises `RunError` if the teacher knows judging images (`check_no_leak`) or is not
    finished, `ConfigError` if it cannot teach this network (`check_can_teach`) or is not
    the one with which a resumed training began, and `ModelError` if its files are damaged.
    """
    folder = config.training.teacher
    if folder is None:
        return None
    fold = teacher_fold(folder, number, work.repeat)
    check_no_leak(work.table, role, fold)
    known = read_description(fold.model)
    members = [load_member(fold.model, known, each) for each in known.members]
    classes = lesson.target.classes if lesson.tells_diagnoses else ()
    view = config.imaging.view
    check_can_teach(members, config.training, classes=classes, imaging=config.imaging)
    note_teacher(fold, layout, write=fabric.is_global_zero)
    if fabric.is_global_zero:
        log.info("%s learns from %s.", layout.name, _named(fold, members))
        _warn_of_other_size(members, config.imaging.size)
    fabric.barrier()
    for member in members:
        member.network.to(fabric.device).requires_grad_(requires_grad=False)
    teacher = Teacher(
        members, classes, config.training, view, fabric.autocast,
        at_once=config.training.micro_batch,
    )  # fmt: skip
    if config.training.teacher_sees == "plain":
        teacher.plain = _of_plain_images(fabric, teacher, work, role, config)
        teacher.members = ()  # frees the memory of the networks
    return teacher


def _named(fold: FoldLayout, members: list[TorchPredictor]) -> str:
    return f"{counted(len(members), 'network')} in {fold.model}"


def _warn_of_other_size(members: list[TorchPredictor], size: int) -> None:
    others = sorted({each.store_size for each in members} - {size})
    if others:
        log.warning(
            "The teacher learnt from images stored at %s px, and looks at those of this "
            "network, which are stored at %d px (imaging.size): they are finer or coarser "
            "than what it knows, so its answers may be worse.",
            " and ".join(map(str, others)),
            size,
        )


def _of_plain_images(
    fabric: Fabric,
    teacher: Teacher,
    work: Prepared,
    role: pd.Series[str],
    config: Config,
) -> Tensor:
    """Return the teacher's softened probabilities of the N training images, (N, K).

    Each network looks at them in its own size and views, and knows what the table says of
    the patients where it takes that.
    """
    mine = work.table[(role == "train").to_numpy()]
    log.info("The teacher looks at %s once.", counted(len(mine), "training image"))
    answers = [_answers(fabric, each, work, mine, config) for each in teacher.members]
    return teacher.softened(answers).cpu()


def _answers(
    fabric: Fabric,
    member: TorchPredictor,
    work: Prepared,
    mine: pd.DataFrame,
    config: Config,
) -> Tensor:
    """Return the answers of one network for the rows `mine`, (N, 1 + D)."""
    encoding, beside = member.metadata, None
    if encoding is not None:
        unknown = np.array(encoding.unknown, np.float32)
        beside = Beside(encoding.encode(Patients.of_table(mine)), unknown)
    examples = Examples(
        work.store.images,
        work.store.positions(mine["image_id"]),
        np.zeros(len(mine), dtype=np.float32),  # the labels are not looked at
        size=member.image_size,
        view=member.view,
        beside=beside,
    )
    workers = worker_count(fabric.device, config.training)

    def answered(at_once: int) -> Tensor:
        batches = in_order(len(mine), batch_size=at_once)
        read = load(examples, batches, workers=workers, device=fabric.device)
        answers, _ = predict_logits(
            Answers(member.network), read, looks=member.looks, context=fabric.autocast()
        )
        return answers

    steps = Steps(fabric, micro_batch=config.training.micro_batch)
    return steps.look(answered, steps.looked_at(config.training.batch_size))
