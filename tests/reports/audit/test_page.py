"""The page of an audit: what it shows, beside what, and that it trusts no name."""

from __future__ import annotations

import io
import re
from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lentigo.audit.checks.artefact_ties import artefact_ties
from lentigo.audit.checks.finding import Finding
from lentigo.reports.audit.page import MOST_OFFENDERS, MOST_PAIRS, render
from tests.audit.audit_fakes import Colour, audit_of, pairs_of, store_of, table_of

RED, GREEN, BLUE = (200, 40, 40), (40, 180, 60), (40, 60, 200)


class Page(HTMLParser):
    """Every tag with its attributes, and the words between them, in their order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.style = ""
        self._in_style = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_style = tag == "style"
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.style += data
        elif data.strip():
            self.words.append(" ".join(data.split()))

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def of_class(self, name: str) -> int:
        return sum(name in (held.get("class") or "").split() for _, held in self.tags)


def colour_of(source: str) -> Colour:
    """The mean colour of a picture in a `data:` address."""
    picture = Image.open(io.BytesIO(b64decode(source.partition(",")[2])))
    red, green, blue = np.asarray(picture.convert("RGB")).reshape(-1, 3).mean(axis=0)
    return round(red), round(green), round(blue)


def pictures(page: Page) -> list[tuple[str, Colour]]:
    """What each picture is called, and its colour."""
    held = [attributes for tag, attributes in page.tags if tag == "img"]
    return [
        (str(each["alt"]).removeprefix("Image "), colour_of(str(each["src"])))
        for each in held
    ]


def test_a_page_without_findings_says_so_and_has_no_empty_parts() -> None:
    page = Page(render(audit_of(table_of(["a", "b"])), None))
    assert "None of the checks found anything." in page.text
    assert "Nothing was found that makes a score from these images wrong; 0 warnings." in (
        page.text
    )
    assert "Every check had what it needed." in page.text
    assert [held["href"] for tag, held in page.tags if tag == "a"] == [
        "#findings", "#limits",
    ]  # fmt: skip
    for absent in ("Duplicates", "Artefacts", "Notes on reading"):
        assert absent not in page.text


def test_the_two_pictures_of_a_pair_stand_side_by_side(tmp_path: Path) -> None:
    table, store = store_of(
        table_of(["a", "b", "c"]), {"a": RED, "b": GREEN, "c": BLUE}, tmp_path
    )
    pairs = pairs_of([("a", "c")], where="across the split")
    html = render(audit_of(table, pairs=pairs, store=store), store)
    twins = Page(html.partition('<div class="twins">')[2].partition("</section>")[0])
    found = pictures(twins)
    assert [name for name, _ in found] == ["a", "c"]
    assert found[0][1] == pytest.approx(RED, abs=6)
    assert found[1][1] == pytest.approx(BLUE, abs=6)
    assert twins.of_class("crossing") == 1
    assert twins.words == [
        "near-duplicate, similarity 0.90, across the split",
        "a", "train, melanoma", "c", "train, nevus",
    ]  # fmt: skip
    assert "1 of 1, all of them" in Page(html).text
    assert "1 pair of rows shows the same picture" in html


def test_of_a_thousand_pairs_those_across_the_split_come_first(tmp_path: Path) -> None:
    names = [f"i{number:04}" for number in range(2000)]
    colours = dict.fromkeys(names[-4:], BLUE) | dict.fromkeys(names[:180:2], RED)
    table, store = store_of(table_of(names), colours, tmp_path)
    pairs = pairs_of([(names[2 * n], names[2 * n + 1]) for n in range(1000)])
    pairs.loc[998:, "where"] = "across the split"
    html = render(audit_of(table, pairs=pairs, store=store), store)
    page = Page(html)
    assert page.of_class("twin") == MOST_PAIRS
    assert page.of_class("crossing") == 2
    assert f"{MOST_PAIRS} of 1,000, those across the split first" in page.text
    assert [name for name, _ in pictures(page)][:6] == [*names[-4:], "i0000", "i0002"]
    assert "1,000 pairs of rows show the same picture" in page.text
    assert len(html) < 500_000


def test_a_picture_that_cannot_be_decoded_leaves_a_box_that_says_so(
    tmp_path: Path,
) -> None:
    table, store = store_of(table_of(["a", "b"]), {"a": RED}, tmp_path)
    html = render(audit_of(table, pairs=pairs_of([("a", "b")]), store=store), store)
    twins = Page(html.partition('<div class="twins">')[2].partition("</section>")[0])
    assert [name for name, _ in pictures(twins)] == ["a"]
    assert twins.words[-3:] == ["no pixels", "b", "test, nevus"]


def test_pairs_of_which_no_picture_is_there_are_counted_and_not_shown(
    tmp_path: Path,
) -> None:
    table, store = store_of(table_of(list("abcd")), {"a": RED, "b": GREEN}, tmp_path)
    pairs = pairs_of([("c", "d"), ("a", "b"), ("a", "gone")])
    page = Page(render(audit_of(table, pairs=pairs, store=store), store))
    assert "3 pairs of rows show the same picture" in page.text
    assert "1 of 3, those with pixels" in page.text
    assert page.of_class("twin") == 1
    assert page.of_class("blank") == 0


def test_only_the_first_rows_of_a_finding_are_shown_and_counted() -> None:
    rows = pd.DataFrame({"image_id": [f"r{n:02}" for n in range(40)], "sharpness": 0.125})
    finding = Finding(check="blurred", severity="warning", message="40 are.", rows=rows)
    one = Finding(check="age-zero", severity="note", message="one is", rows=rows.head(1))
    page = Page(render(audit_of(table_of(["a", "b"]), findings=[finding, one]), None))
    summary = (
        f"The rows, the first {MOST_OFFENDERS} of 40; all are in findings/01-blurred.csv"
    )
    assert summary in page.words
    assert "1 row" in page.words
    assert f"r{MOST_OFFENDERS - 1:02}" in page.words
    assert f"r{MOST_OFFENDERS:02}" not in page.words
    assert page.words.count("0.125") == MOST_OFFENDERS + 1


def test_a_tie_is_shown_with_shares_and_intervals() -> None:
    measures = pd.DataFrame({"sticker": [0.0] * 4 + [0.9, 0.8] + [0.0] * 4})
    label = pd.Series([True] * 4 + [False] * 6, name="melanoma")
    ties = artefact_ties(measures, label, pd.Series(range(10)), limits={"sticker": 0.1})
    finding = Finding(check="artefact-tie", severity="warning", message="m", rows=ties)
    audit = audit_of(
        table_of(["a", "b"]),
        findings=[finding],
        tables={"artefact_ties": ties.assign(label="melanoma")},
    )
    page = Page(render(audit, None))
    # 0 of 4 and 2 of 6; with a half added the odds are 0.5 · 4.5 / (4.5 · 2.5).
    cells = ["sticker", "melanoma", "0 of 4 (0.0 %)", "2 of 6 (33.3 %)"]
    for start in [place for place, word in enumerate(page.words) if word == "sticker"]:
        assert page.words[start : start + 4] == cells
        assert page.words[start + 4].startswith("0.2 (")
    assert page.words.count("sticker") == 2


def test_refusals_come_first_and_what_was_allowed_says_so() -> None:
    findings = [
        Finding(check="age-zero", severity="note", message="m3"),
        Finding(check="picture-labels", severity="refusal", message="m2"),
        Finding(check="target-leak", severity="refusal", message="m1"),
    ]
    allowed = frozenset({"picture-labels"})
    audit = audit_of(table_of(["a", "b"]), findings=findings, allowed=allowed)
    page = Page(render(audit, None))
    assert [word for word in page.words if word in {"m1", "m2", "m3"}] == ["m1", "m2", "m3"]
    assert (
        "Refused: 1 finding would make a score from these images wrong (target-leak)."
        in (page.text)
    )
    assert "Refused, but allowed" in page.words


EVIL = "<script>alert('x')</script>"


def test_markup_in_any_name_is_text(tmp_path: Path) -> None:
    table = table_of(["<b>a", EVIL], diagnosis=[EVIL, '"><img src=x onerror=y>'])
    table = table.assign(table=EVIL, side=["train", EVIL])
    table, store = store_of(table, {"<b>a": RED, EVIL: BLUE}, tmp_path)
    rows = pd.DataFrame({EVIL: [EVIL], "</table>": ["</td></tr>"]})
    audit = audit_of(
        table,
        findings=[Finding(check="blurred", severity="note", message=EVIL, rows=rows)],
        pairs=pairs_of([("<b>a", EVIL)]).assign(kind=EVIL),
        store=store,
        not_checked=(EVIL,),
        notes=(EVIL,),
    )
    page = Page(render(audit, store))
    assert not [tag for tag, _ in page.tags if tag in {"script", "b "}]
    assert not [held for _, held in page.tags if any(key.startswith("on") for key in held)]
    assert EVIL in page.words
    assert "<b>a" in page.words
    assert f"Image {EVIL}" in [held.get("alt") for _, held in page.tags]


def test_long_names_and_letters_of_all_scripts_are_shown_whole(tmp_path: Path) -> None:
    names = ("x" * 300, "黒色腫_٣_меланома_🙂")
    table, store = store_of(table_of(names), {names[0]: RED, names[1]: BLUE}, tmp_path)
    page = Page(render(audit_of(table, pairs=pairs_of([names]), store=store), store))
    for name in names:
        assert name in page.words


def test_the_page_loads_nothing(tmp_path: Path) -> None:
    table, store = store_of(table_of(["a", "b"]), {"a": RED, "b": BLUE}, tmp_path)
    page = Page(render(audit_of(table, pairs=pairs_of([("a", "b")]), store=store), store))
    for tag, held in page.tags:
        assert tag not in {"script", "link", "iframe", "object", "embed", "base"}
        for name in ("src", "href", "srcset", "action", "poster"):
            assert (held.get(name) or "#").startswith(("#", "data:image/jpeg;base64,"))
    assert not re.search(r"url\(|@import|https?:", page.style)
    policy = [held["content"] for _, held in page.tags if "http-equiv" in held]
    assert policy == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_every_link_leads_to_a_part_of_the_page(tmp_path: Path) -> None:
    table, store = store_of(table_of(["a", "b"]), {"a": RED, "b": BLUE}, tmp_path)
    page = Page(render(audit_of(table, pairs=pairs_of([("a", "b")]), store=store), store))
    ids = [held["id"] for _, held in page.tags if "id" in held]
    links = [str(held["href"])[1:] for tag, held in page.tags if tag == "a"]
    assert links == ids
    assert len(set(ids)) == len(ids)
