"""A decision tree on the patient's data (sex, age, site), without an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from lentigo.curation import assign_folds, assign_groups, check_features
from lentigo.errors import ColumnError
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.operating_points import Confusion, share
from lentigo.evaluation.shares import clustered_share, share_of
from lentigo.table_files.cells import is_id as names_ids
from lentigo.words import some, verb


@dataclass(frozen=True)
class Branch:
    """A node of the tree: a question, or a leaf (with an empty question)."""

    question: str
    images: int
    """Training images that reach this node."""
    melanomas: int
    """Melanomas among these images."""
    calls: bool
    """Whether images that end at this node are called melanoma."""
    yes: Branch | None = None
    no: Branch | None = None
    """The nodes for the answers yes (`yes`) and no (`no`); None for a leaf."""


@dataclass(frozen=True)
class MetadataTree:
    """A decision tree, with its metrics on held-out patients."""

    root: Branch
    features: tuple[str, ...]
    confusion: Confusion
    """Counts on the held-out images."""
    learned: int
    judged: int
    """Numbers of labelled images that the tree was fitted on (`learned`) and judged on."""

    intervals: Mapping[str, Interval] = field(default_factory=dict)
    """`precision`, `recall`, `f1` and `accuracy`, each with its interval; groups are the
    unit."""

    @property
    def precision(self) -> float:
        """The share of images called melanoma that are; NaN where none is called."""
        return self.confusion.ppv

    @property
    def recall(self) -> float:
        """The share of melanomas that are called melanoma (sensitivity)."""
        return self.confusion.sensitivity

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall, 2·TP / (2·TP + FP + FN)."""
        cells = self.confusion
        return share(2 * cells.tp, 2 * cells.tp + cells.fp + cells.fn)

    @property
    def accuracy(self) -> float:
        """The share of images called rightly; always high where one class is rare."""
        cells = self.confusion
        return share(cells.tp + cells.tn, cells.tp + cells.fp + cells.tn + cells.fn)


def metadata_tree(
    table: pd.DataFrame,
    *,
    features: Sequence[str] = ("sex", "age", "site"),
    depth: int = 3,
    folds: int = 5,
    seed: int = 0,
) -> MetadataTree:
    """Fit a decision tree of at most `depth` levels and judge it on held-out patients.

    One of `folds` folds of whole groups (patients where known) is held out. All melanomas
    together weigh as much as all other images, so a leaf calls melanoma where these are
    more frequent than among all training images. A missing word is a word of its own; a
    missing number is replaced by the median, and the tree may ask whether it is missing.

    Raises:
        LeakError: a feature reveals the label, such as `diagnosis`.
        ColumnError: a feature is no column, or is an id.
        DatasetError: there are too few melanomas or other lesions to hold some out.
    """
    from sklearn.tree import DecisionTreeClassifier

    _check(table, features)
    dealt = assign_folds(assign_groups(table, keep=True), folds=folds, seed=seed)
    rows = dealt[dealt["melanoma"].notna()]
    truth = rows["melanoma"].to_numpy(dtype=bool)
    out = (rows["fold"] == 0).to_numpy(dtype=bool)
    asked, questions = _questions(rows, features, learn=~out)
    least = max(20, int(0.005 * (~out).sum()))
    model = DecisionTreeClassifier(
        max_depth=depth, min_samples_leaf=least, class_weight="balanced", random_state=seed
    ).fit(asked[~out], truth[~out])
    called = model.predict(asked[out]).astype(bool)
    return MetadataTree(
        root=_branch(model, 0, questions, asked[~out], truth[~out]),
        features=tuple(features),
        confusion=_count(truth[out], called),
        learned=int((~out).sum()),
        judged=int(out.sum()),
        intervals=_intervals(truth[out], called, rows.loc[out, "group_id"]),
    )


def _check(table: pd.DataFrame, features: Sequence[str]) -> None:
    check_features(features)
    if absent := [name for name in features if name not in table]:
        raise ColumnError(f"The table has no column {some(absent)} to use as a feature.")
    if ids := [name for name in features if is_id(table[name])]:
        raise ColumnError(
            f"{some(ids)} {verb(len(ids), 'names', 'name')} single images or patients "
            "rather than describing them, so nothing can be learned from it for others. "
            "Leave it out of the features."
        )


_MANY = 20


def is_id(column: pd.Series[Any]) -> bool:
    """Tell whether a column holds ids of images or patients, by its name and its values.

    By its values it does if more than half of the rows have a word that occurs only once,
    or if all values are different whole numbers. With 20 known values or fewer only the
    name counts.
    """
    if names_ids(column.name) or str(column.name).strip().lower() in {"path", "sha256"}:
        return True
    known = column.dropna()
    if len(known) <= _MANY or pd.api.types.is_bool_dtype(known):
        return False
    if pd.api.types.is_numeric_dtype(known):
        return known.is_unique and bool((known.astype("float64") % 1 == 0).all())
    counts = known.astype("string").value_counts()
    return bool((counts == 1).sum() > len(known) / 2)


def _intervals(
    truth: np.ndarray[Any, Any], called: np.ndarray[Any, Any], group: pd.Series[Any]
) -> dict[str, Interval]:
    codes = pd.factorize(group)[0].astype(np.intp)
    # F1 is a share, too, in which what is found counts twice: 2 TP / (2 TP + FP + FN).
    found = np.bincount(codes, 2.0 * (truth & called))
    either = found + np.bincount(codes, (truth != called).astype(np.float64))
    return {
        "precision": clustered_share(truth[called], codes[called]),
        "recall": clustered_share(called[truth], codes[truth]),
        "f1": share_of(found, either),
        "accuracy": clustered_share(truth == called, codes),
    }


def _count(truth: np.ndarray[Any, Any], called: np.ndarray[Any, Any]) -> Confusion:
    return Confusion(
        tp=int((truth & called).sum()),
        fp=int((~truth & called).sum()),
        tn=int((~truth & ~called).sum()),
        fn=int((truth & ~called).sum()),
    )


def _questions(
    rows: pd.DataFrame, features: Sequence[str], *, learn: np.ndarray[Any, Any]
) -> tuple[np.ndarray[Any, Any], list[str]]:
    """Return the features of N images as numbers, (N, Q), and the Q questions in words.

    The medians and words are those of the rows `learn`.
    """
    columns: list[np.ndarray[Any, Any]] = []
    asked = []
    for name in features:
        column = rows[name]
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            numbers = column.astype("float64")
            middle = numbers[learn].median()
            columns += [
                numbers.fillna(middle).fillna(0).to_numpy(),
                numbers.isna().to_numpy(),
            ]
            asked += [name, f"{name} missing?"]
            continue
        words = column.astype("string").fillna("missing")
        for word in sorted(words[learn].unique()):
            columns.append((words == word).to_numpy(dtype=bool))
            asked.append(f"{name} missing?" if word == "missing" else f"{word}?")
    return np.column_stack(columns).astype(float), asked


def _branch(
    model: Any,
    node: int,
    questions: list[str],
    asked: np.ndarray[Any, Any],
    truth: np.ndarray[Any, Any],
) -> Branch:
    """Return the tree from `node` down, with counts of the training images at each node.

    `model` is scikit-learn's tree; `questions` are the names of its columns. `asked`, (N,
    columns), and `truth`, (N,), are of the N training images that reach the node.
    """
    tree = model.tree_
    images, melanomas = len(truth), int(truth.sum())
    calls = bool(model.classes_[int(np.argmax(tree.value[node][0]))])
    column = int(tree.feature[node])
    if column < 0:
        return Branch("", images, melanomas, calls)
    word, threshold = questions[column], float(tree.threshold[node])
    right = asked[:, column] > threshold
    parts = [(tree.children_left[node], ~right), (tree.children_right[node], right)]
    left_branch, right_branch = (
        _branch(model, int(child), questions, asked[rows], truth[rows])
        for child, rows in parts
    )
    if word.endswith("?"):
        return Branch(word, images, melanomas, calls, yes=right_branch, no=left_branch)
    question = f"{word} < {threshold:g}?"
    return Branch(question, images, melanomas, calls, yes=left_branch, no=right_branch)
