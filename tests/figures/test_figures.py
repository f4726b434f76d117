from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from PIL import Image

from lentigo.evaluation.discrimination import BoolArray, FloatArray
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.operating_points import Confusion
from lentigo.figures import (
    MELANOMA,
    OTHER_LESION,
    new_figure,
    plot_confusion,
    plot_history,
    plot_images,
    plot_precision_recall,
    plot_reliability,
    plot_roc,
    save_figure,
)
from lentigo.figures.confusion import confusion_data
from lentigo.figures.curves import thinned
from lentigo.figures.reliability import reliability_data
from lentigo.figures.style import WIDTHS, style
from tests.figures.overlaps import clashes

RNG = np.random.default_rng(0)
TRUTH: BoolArray = RNG.random(300) < 0.2
SCORE: FloatArray = np.clip(RNG.random(300) * 0.7 + 0.3 * TRUTH, 0, 1)
HISTORY = pd.DataFrame(
    {
        "epoch": [1, 2, 3, 4],
        "loss": [0.9, 0.6, 0.4, 0.3],
        "auc": [0.6, 0.7, 0.8, 0.9],
        "validation_loss": [0.9, 0.7, 0.6, 0.65],
        "validation_auc": [0.6, 0.7, 0.75, 0.74],
        "frozen": [True, False, False, False],
        "best": [False, False, True, False],
    }
)


def axes() -> Axes:
    return new_figure()[1][0]


def labels(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def test_roc_names_model_auc_interval_and_the_positive_class() -> None:
    ax = axes()
    plot_roc(ax, {"model": (TRUTH, SCORE)}, intervals={"model": Interval(0.8, 0.7, 0.9)})
    assert labels(ax) == ["model, AUC 0.800 (0.700–0.900)"]
    assert "Melanomas" in ax.get_ylabel()


def test_roc_of_one_class_says_undefined() -> None:
    ax = axes()
    nobody = np.zeros(300, bool)
    plot_roc(ax, {"model": (nobody, SCORE)}, intervals={"model": Interval(float("nan"))})
    assert labels(ax) == ["model, AUC undefined"]


def test_precision_recall_shows_the_share_of_melanomas() -> None:
    ax = axes()
    plot_precision_recall(ax, {"model": (TRUTH, SCORE)})
    assert labels(ax)[1] == f"guessing: {100 * TRUTH.mean():.1f} % are melanoma"


def test_confusion_holds_the_counts_and_their_shares() -> None:
    ax = axes()
    counts = Confusion(tp=30, fp=1000, tn=9000, fn=10)
    plot_confusion(ax, counts, threshold=0.25)
    words = [text.get_text() for text in ax.texts]
    assert words == ["9,000", "90.0 %", "1,000", "10.0 %", "10", "25.0 %", "30", "75.0 %"]
    assert "0.25" in ax.get_xlabel()
    assert confusion_data(counts)["images"].sum() == 10_040


def test_confusion_without_melanoma_has_no_share() -> None:
    ax = axes()
    plot_confusion(ax, Confusion(tp=0, fp=1, tn=3, fn=0))
    assert [text.get_text() for text in ax.texts][5] == "none"


def test_reliability_counts_what_was_promised_and_what_was_there() -> None:
    truth = np.array([0, 0, 0, 1, 1, 1], dtype=bool)
    data = reliability_data(truth, np.array([0.1, 0.2, 0.3, 0.5, 0.7, 0.9]), bins=2)
    table = data[data["part"] == "dot"]
    assert table["images"].tolist() == [3, 3]
    assert table["promised"].tolist() == pytest.approx([0.2, 0.7])
    assert table["observed"].tolist() == [0, 1]


def test_reliability_takes_the_patient_as_the_unit() -> None:
    truth = np.array([0, 0, 0, 0, 1, 1, 1, 1], dtype=bool)
    score = np.linspace(0.1, 0.8, 8)
    alone = reliability_data(truth, score, bins=2)
    pairs = reliability_data(truth, score, group=np.arange(8) // 2, bins=2)
    assert pairs["observed"].tolist() == alone["observed"].tolist()
    assert pairs["part"].tolist()[:3] == ["dot", "dot", "curve"]
    assert pairs["low"].iloc[1] == pytest.approx(0.025 ** (1 / 2))
    assert alone["low"].iloc[1] == pytest.approx(0.025 ** (1 / 4))


def test_reliability_of_fewer_images_than_bins_is_drawn() -> None:
    ax = axes()
    plot_reliability(ax, TRUTH[:3], SCORE[:3])
    assert ax.get_xlabel().endswith("n = 3, 1 in each dot")


@pytest.mark.parametrize("measure", ["loss", "auc"])
def test_history_shades_frozen_epochs_and_marks_the_kept_one(measure: str) -> None:
    ax = axes()
    plot_history(ax, HISTORY, measure="loss" if measure == "loss" else "auc")
    kept = float(HISTORY[f"validation_{measure}"].iloc[2])
    assert set(labels(ax)) == {
        "training",
        "validation",
        "backbone frozen",
        f"kept: epoch 3, {kept:.3f}",
    }


def test_one_epoch_is_told_in_numbers_and_is_no_curve() -> None:
    ax = axes()
    plot_history(ax, HISTORY.head(1).drop(columns=["frozen", "best"]), measure="auc")
    assert not ax.lines
    assert "AUC after one epoch: training " in ax.texts[0].get_text().replace("\n", " ")


def test_two_epochs_without_flags_are_drawn() -> None:
    ax = axes()
    plot_history(ax, HISTORY.head(2).drop(columns=["frozen", "best"]), measure="auc")
    assert labels(ax) == ["training", "validation"]


@pytest.mark.parametrize("plot", [plot_roc, plot_precision_recall])
def test_no_legend_lies_on_a_curve(plot: Callable[..., None]) -> None:
    with style():
        figure, [ax] = new_figure()
        plot(ax, {"a model with a long name": (TRUTH, SCORE), "other": (TRUTH, -SCORE)})
        figure.canvas.draw()
    legend = ax.get_legend()
    assert legend is not None
    box = legend.get_window_extent()
    assert box.y1 < ax.get_window_extent().y0
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1


def test_dots_of_rare_melanomas_lie_apart() -> None:
    rng = np.random.default_rng(0)
    probability = np.exp(rng.normal(-5, 1.5, 3000)).clip(0, 1)
    truth = rng.random(3000) < probability
    assert 0.01 < truth.mean() < 0.04
    with style():
        figure, [ax] = new_figure()
        plot_reliability(ax, truth, probability)
        figure.canvas.draw()
    data = reliability_data(truth, probability)
    dots = data.loc[data["part"] == "dot", "promised"].to_numpy()
    places = ax.transData.transform(np.column_stack([dots, dots]))[:, 0]
    assert np.median(places) > ax.bbox.x0 + 0.15 * ax.bbox.width
    assert "square-root" in ax.get_xlabel()


def test_images_keep_their_captions_and_frames() -> None:
    images = [np.zeros((20, 30, 3), np.uint8)] * 3
    figure = plot_images(
        images, ["a", "b $5", "c"], per_row=2, colors=[OTHER_LESION, MELANOMA, OTHER_LESION]
    )
    shown = [ax for ax in figure.axes if ax.images]
    assert [ax.get_xlabel() for ax in shown] == ["a", "b $5", "c"]
    assert len(figure.axes) == 4


@pytest.mark.parametrize("per_row", [2, 6, 8])
def test_long_captions_side_by_side_do_not_touch(per_row: int) -> None:
    reason = "not answered: its colours and texture are unlike those that I learnt from"
    captions = [f"HAM_0007362\n2.68\n{reason} (1.03 times the limit)"] * per_row
    with style():
        images = [np.zeros((20, 20, 3), np.uint8)] * per_row
        found = clashes(plot_images(images, captions, per_row=per_row))
    assert [each for each in found if "touches" in each] == []


def test_no_image_is_no_crash() -> None:
    assert plot_images([], []).axes


def test_thinning_keeps_the_corners_and_both_ends() -> None:
    x = np.array([0.0, 0, 0, 1, 2, 3])
    y = np.array([0.0, 1, 2, 2, 2, 2])
    assert thinned(x, y).tolist() == [0, 2, 5]
    rough = RNG.random(10_000)
    kept = thinned(np.arange(10_000.0), rough, points=500)
    assert len(kept) == 500
    assert (kept[0], kept[-1]) == (0, 9_999)


def _draw(folder: Path) -> list[Path]:
    with style():
        figure, (ax,) = new_figure()
        plot_roc(ax, {"model": (TRUTH, SCORE)})
        return save_figure(figure, folder / "a.roc", pd.DataFrame({"x": [1]}))


def test_a_saved_figure_is_the_same_every_time(tmp_path: Path) -> None:
    first, second = _draw(tmp_path / "1"), _draw(tmp_path / "2")
    assert [path.name for path in first] == ["a.roc.svg", "a.roc.png", "a.roc.csv"]
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes()


def test_a_figure_is_as_wide_as_a_column_and_its_letters_are_outlines(
    tmp_path: Path,
) -> None:
    svg, png, _ = _draw(tmp_path)
    root = ElementTree.parse(svg).getroot()
    assert not list(root.iter("{http://www.w3.org/2000/svg}text"))
    with Image.open(png) as image:
        assert image.width == pytest.approx(WIDTHS["column"] * 200, abs=1)


def test_the_style_ends_with_its_block() -> None:
    before = mpl.rcParams["font.size"]
    with style():
        assert mpl.rcParams["font.size"] == 7.5
    assert mpl.rcParams["font.size"] == before


def test_figures_drawn_by_threads_are_alike(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(_draw, [tmp_path / str(number) for number in range(4)]))
    assert len({paths[0].read_bytes() for paths in drawn}) == 1


def test_the_settings_of_the_user_change_no_figure(tmp_path: Path) -> None:
    def drawn(name: str) -> bytes:
        with style():
            figure, (ax,) = new_figure()
            plot_roc(ax, {"model_1": (TRUTH, SCORE)})
            save_figure(figure, tmp_path / name)
        return (tmp_path / f"{name}.png").read_bytes()

    before = drawn("before")
    theirs: dict[str, Any] = {
        "text.usetex": True, "axes.facecolor": "black", "axes.grid": True,
        "text.color": "yellow", "savefig.bbox": "tight", "font.style": "italic",
    }  # fmt: skip
    with mpl.rc_context(mpl.RcParams(theirs)):
        assert drawn("after") == before
        assert mpl.rcParams["text.usetex"] is True
