"""How numbers are told in a terminal: undefined, open-ended, rough, tiny."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import numpy as np
import pytest

from lentigo.errors import ConfigError, UnreadableFileError
from lentigo.evaluation.at_points import cell, consequences_of
from lentigo.evaluation.contest_result import Pair, chance
from lentigo.evaluation.contest_result import _cell as on_archive
from lentigo.evaluation.drift_deals import FEWEST_GROUPS, Deals
from lentigo.evaluation.intervals import Interval
from lentigo.evaluation.locking.chain import START, append, check_head, read_chain
from lentigo.evaluation.power import _needed, _search, check_wishes
from lentigo.evaluation.refusals import _signed
from lentigo.evaluation.sums import Sample

NAN = math.nan


@pytest.mark.parametrize(
    ("name", "interval", "said"),
    [
        ("ppv", Interval(NAN), "undefined"),
        ("lr_positive", Interval(NAN, 2.0, NAN), "undefined, at least 2.00"),
        ("net_benefit_per_1000", Interval(NAN), "–"),
        ("ppv", Interval(0.25), "0.250"),
        ("lr_positive", Interval(4.0, 2.0, NAN), "4.00 (from 2.00)"),
        ("ppv", Interval(0.25, 0.2, 0.3), "0.250 (0.200–0.300)"),
        ("ppv", Interval(0.25, 0.2, 0.3, rough=True), "0.250 (0.200–0.300, rough)"),
        ("net_benefit_per_1000", Interval(3.0, -1.0, 7.0), "3.0 (-1.0 to 7.0)"),
    ],
)
def test_a_figure_at_a_threshold_is_told_with_its_ends(
    name: str, interval: Interval, said: str
) -> None:
    assert cell(name, interval) == said


@pytest.mark.parametrize(
    ("p", "said"),
    [(NAN, "none"), (0.0009999, "<0.001"), (0.001, "0.001"), (0.05, "0.050"), (1, "1.000")],
)
def test_a_chance_is_never_told_as_0(p: float, said: str) -> None:
    assert chance(p) == said


def test_an_auc_on_an_archive_of_few_groups_is_not_told() -> None:
    assert on_archive(Interval(NAN), few=True) == "undefined"
    assert on_archive(Interval(0.9, 0.8, 0.95), few=True) == "too few"
    assert on_archive(Interval(0.9, 0.8, 0.95), few=False) == "0.9000 (0.8000–0.9500)"


@pytest.mark.parametrize(
    ("p_holm", "p_inferior", "differs", "verdict"),
    [
        (0.049, 0.0249, True, "no"),
        (0.05, 0.025, False, "not excluded"),
        (NAN, NAN, False, "not excluded"),
    ],
)
def test_models_differ_below_five_per_cent_and_are_not_inferior_below_half_of_it(
    p_holm: float, p_inferior: float, differs: bool, verdict: str
) -> None:
    pair = Pair(first="a", second="b", auc=Interval(0.1), p=0.01, p_holm=p_holm,
                p_inferior=p_inferior)  # fmt: skip
    assert (pair.differs, pair.verdict) == (differs, verdict)
    assert pair.as_dict()["not_inferior"] is (verdict == "no")


def test_what_abstention_gains_is_told_as_far_as_it_is_known() -> None:
    assert _signed(Interval(NAN)) == "undefined"
    assert _signed(Interval(0.00123)) == "+0.0012"
    assert _signed(Interval(-0.01, -0.02, 0.0)) == "-0.0100 (-0.0200 to +0.0000)"
    rough = _signed(Interval(0.01, 0.0, 0.02, rough=True))
    assert rough == "+0.0100 (+0.0000 to +0.0200, rough)"


def test_no_image_has_no_consequence() -> None:
    none = Sample(np.zeros(0, bool), np.zeros(0), np.zeros(0, np.intp), 0)
    assert list(consequences_of(none, none, [], threshold=0.5, share=None)) == []


@pytest.mark.parametrize(
    ("widths", "difference", "power", "said"),
    [
        ([0.0], None, 0.8, "width or difference is 0"),
        ([0.1, 1.0], None, 0.8, "width or difference is 1"),
        ([], -0.1, 0.8, "width or difference is -0.1"),
        ([0.1], 0.1, 0.05, "power is 0.05"),
        ([0.1], 0.1, 1.0, "power is 1"),
    ],
)
def test_wishes_are_shares(
    widths: list[float], difference: float | None, power: float, said: str
) -> None:
    check_wishes([0.1], 0.05, 0.8)
    with pytest.raises(ConfigError, match=said):
        check_wishes(widths, difference, power)


def test_a_size_is_searched_between_a_millionth_and_a_million_times_the_pilot() -> None:
    assert _search(lambda times: 0.1 / math.sqrt(times), 0.05) == pytest.approx(4, rel=1e-3)
    assert math.isnan(_search(lambda times: 0.5, 0.05))
    assert _search(lambda times: 0.0, 0.05) < 1e-3


def test_images_are_rounded_up_but_for_an_error_of_rounding() -> None:
    sample = Sample(np.arange(10) < 3, np.zeros(10), np.arange(10) // 2, 5)
    twice = _needed(sample, "w", 2 + 1e-12)
    assert (twice.melanomas, twice.patients, twice.images) == (6, 10, 20)
    more = _needed(sample, "w", 2.01)
    assert (more.melanomas, more.patients, more.images) == (7, 11, 21)
    never = _needed(sample, "w", NAN)
    assert (never.melanomas, never.patients, never.images) == (0, 0, 0)


class Side:
    """Images of some groups."""

    def __init__(self, name: str, count: int) -> None:
        self.name = name
        self.groups = np.array([f"{name}{k}" for k in range(count)], object)


def test_the_chance_that_a_deal_is_the_real_one_is_one_of_all_ways() -> None:
    assert Deals(Side("a", 12), Side("b", 8)).chance_alike == pytest.approx(
        1 / math.comb(20, 8)
    )
    # Two sides as large may be exchanged as well.
    assert Deals(Side("a", 8), Side("b", 8)).chance_alike == pytest.approx(
        2 / math.comb(16, 8)
    )


def test_a_deal_gives_each_group_to_one_side_and_keeps_their_numbers() -> None:
    deals = Deals(Side("a", FEWEST_GROUPS + 3), Side("b", FEWEST_GROUPS))
    assert deals.real().toarray().tolist() == [[0] * 11 + [1] * 8]
    parts = list(deals.drawn(np.random.default_rng(0), 2500))
    assert [part.shape for part in parts] == [(1000, 19), (1000, 19), (500, 19)]
    for part in parts:
        assert (part.toarray().sum(axis=1) == 8).all()
        assert part.toarray().max() == 1


@pytest.mark.parametrize(("before", "after"), [(12, 8), (8, 12)])
def test_each_group_counts_once_on_the_side_that_it_is_on(before: int, after: int) -> None:
    deals = Deals(Side("a", before), Side("b", after))
    real, known = deals.real(), np.ones(20, np.bool_)
    period = np.arange(20) >= before
    assert deals.of_period(real, deals.groups).tolist() == [period.astype(float).tolist()]
    table = deals.table(np.arange(20) % 2, known)
    assert table.sum(axis=1).tolist() == [[1.0]] * 20
    reference, own = deals.counts(table, real)
    assert reference.tolist() == [[before / 2] * 2]
    assert own.tolist() == [[after / 2] * 2]
    values = np.arange(20, dtype=float)
    assert deals.mean(values, known) == pytest.approx(9.5)


def test_each_line_of_a_log_holds_the_digest_of_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "log"
    first = append(path, {"who": "Ärztin", "b": 1}, previous=START)
    second = append(path, {"who": "b"}, previous=first)
    lines = path.read_bytes().splitlines()
    assert hashlib.sha256(lines[0]).hexdigest() == first
    assert json.loads(lines[1])["previous"] == first
    # A reader of the file sees letters, and keys in one order for the same digest.
    assert lines[0].decode() == f'{{"b": 1, "previous": "{START}", "who": "Ärztin"}}'
    entries = read_chain(path)
    assert [each["digest"] for each in entries] == [first, second]
    check_head(path, entries, second)
    check_head(path, [], START)
    with pytest.raises(UnreadableFileError, match="lacks lines that were there"):
        check_head(path, entries[:1], second)
    path.write_bytes(lines[1] + b"\n")
    with pytest.raises(UnreadableFileError, match="line 1 does not follow"):
        read_chain(path)
