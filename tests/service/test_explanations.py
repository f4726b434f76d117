"""What the model used, what the lesion is like, and what resembles it: over HTTP."""

from __future__ import annotations

import asyncio
import base64
import io
import math
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

import lentigo
from lentigo.explanation.abcd import measure_abcd
from lentigo.explanation.registry import METHODS
from lentigo.explanation.run import load_explainer
from lentigo.explanation.served import Examined, Examiner, Gaps, Wish, _in_time
from lentigo.imaging.decoding.square import to_square
from lentigo.models.backend import Preparation
from lentigo.service.closer import Eye, Look, Material, chosen
from lentigo.service.decoding import Prepared
from lentigo.service.page.close import close_look
from tests.service.conftest import Served, add_index, serving, write_model
from tests.service.test_predictions import SECRET, post
from tests.service.test_queue import HOSTED


@pytest.fixture(scope="module")
def knowing(tmp_path_factory: pytest.TempPathFactory, images: Path) -> Iterator[Served]:
    """A service of two models, of which the first knows what it learnt from."""
    folder = tmp_path_factory.mktemp("knowing")
    first, second = write_model(folder / "one", images), folder / "two"
    shutil.copytree(first, second)
    add_index(first, images)
    with serving(folder, first, second) as served:
        yield served


def ask(client: httpx.Client, *files: bytes, **fields: Any) -> httpx.Response:
    named = [("images", (f"{SECRET}.png", each)) for each in files]
    return client.post("/v1/explanations", files=named, data=fields)


def pixels(text: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))))


def test_a_map_and_its_checks_are_those_of_python(knowing: Served, images: Path) -> None:
    with knowing.client() as client:
        answer = ask(client, (images / "0.png").read_bytes(), methods="grad_cam")
        told = post(client, (images / "0.png").read_bytes()).json()["images"][0]
    (found,) = answer.json()["images"]
    (map_,) = found["maps"]
    folder = knowing.log.parent / "one"
    image = np.asarray(Image.open(images / "0.png").convert("RGB"))
    (own,) = load_explainer(folder, methods=["grad_cam"]).explain(image)
    for name in ("likeness", "deletion", "insertion", "lesion", "lesion_area"):
        told_of = math.nan if map_[name] is None else map_[name]
        expected = pytest.approx(getattr(own, name), abs=1e-3, nan_ok=True)
        assert told_of == expected, name  # its map of one cell is flat: NaN, None in JSON
    assert (map_["checked"], map_["says_nothing"]) == (True, own.fails)
    assert np.abs(pixels(map_["map"]) / 255 - own.heat).max() < 0.01
    assert pixels(map_["overlay"]).shape == (32, 32, 3)
    assert found["probability"] == told["probability"]


def test_the_lesion_is_outlined_and_measured(knowing: Served, images: Path) -> None:
    with knowing.client() as client:
        (found,) = ask(client, (images / "0.png").read_bytes()).json()["images"]
    image = np.asarray(Image.open(images / "0.png").convert("RGB"))
    own = measure_abcd(image)
    for name in ("asymmetry", "border", "colors", "total_low", "total_high", "black"):
        assert found["abcd"][name] == pytest.approx(getattr(own, name), abs=1e-3), name
    assert found["abcd"]["diameter_pixels"] == pytest.approx(own.diameter_pixels, abs=0.1)
    corners = np.array(found["outline"]["polygon"])
    x, y = corners.T
    area = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    assert area == pytest.approx(found["outline"]["area"], rel=0.1)
    assert [each["method"] for each in found["maps"]] == ["occlusion"]


def test_similar_cases_are_named_and_never_the_image_itself(
    knowing: Served, images: Path
) -> None:
    with knowing.client() as client:
        content = (images / "2.png").read_bytes()
        (found,) = ask(client, content, patient="patient-4").json()["images"]
    cases = found["similar"]
    assert [each["rank"] for each in cases] == [1, 2, 3, 4]
    assert {each["id"] for each in cases} == {"0", "1", "3", "5"}
    far = [each["distance"] for each in cases]
    assert far == sorted(far)
    for each in cases:
        assert each["melanoma"] == (int(each["id"]) % 2 == 1)
        assert each["diagnosis"] == ["nevus", "melanoma"][int(each["id"]) % 2]
    assert str(images) not in str(found)


def test_what_cannot_be_given_is_named(knowing: Served, images: Path) -> None:
    content = (images / "0.png").read_bytes()
    with knowing.client() as client:
        several = ask(client, content, b"no image", model="two", methods="all").json()
        one, broken = several["images"]
        assert "no attention" in one["missing"]["attention_rollout"]
        assert "no index" in one["missing"]["cases"]
        assert len(one["maps"]) == 4
        assert (broken["maps"], broken["outline"], broken["probability"]) == (
            [],
            None,
            None,
        )
        assert broken["reason"]
        for fields, named in (
            ({"methods": "tea_leaves"}, "methods"),
            ({"methods": "attention_rollout"}, "methods"),
            ({"age": "x"}, "age"),
        ):
            problem = ask(client, content, **fields)
            assert (problem.status_code, problem.json()["field"]) == (422, named)
        assert ask(client, *[content] * 5).json()["field"] == "images"


def test_maps_for_which_no_time_is_left_are_named_and_the_others_stay(
    knowing: Served, images: Path
) -> None:
    # A request for all maps got no answer at all where one of them took too long.
    folder = knowing.log.parent / "one"
    model = lentigo.load(folder)
    image = np.asarray(Image.open(images / "0.png").convert("RGB"))
    squares = {each.preparation: to_square(image, size=32) for each in model.members}
    wish = Wish(methods=("all",), lesion=False, seconds=0.0)
    found = Examiner(model, folder).examine(wish, squares, image)
    assert [each["method"] for each in found.maps] == ["grad_cam"]
    late = {name for name, kind in found.reasons.items() if kind == "no_time"}
    assert late == {"occlusion", "grad_cam_plus_plus", "integrated_gradients"}
    assert all("no time left" in found.missing[name] for name in late)
    over = Examiner(model, folder).examine(replace(wish, seconds=-math.inf), squares, image)
    assert (over.maps, {"grad_cam", *late} <= set(over.missing)) == ([], True)
    # The only map that was asked for took the answer away where it was slower than that.
    slow = replace(wish, methods=("occlusion",), lesion=True, at_most=-1.0)
    found = Examiner(model, folder).examine(slow, squares, image)
    assert (found.maps, found.reasons["occlusion"]) == ([], "too_slow")
    assert found.outline is not None


def test_an_explanation_that_does_not_come_leaves_the_answer() -> None:
    async def never(*_: Any) -> Examined:
        await asyncio.sleep(60)
        raise AssertionError

    way, grey = Preparation(8, "stretch", 10_000), np.full((8, 8, 3), 128, np.uint8)
    model = replace(HOSTED, ways=(way,))
    queue: Any = SimpleNamespace(examine=never)
    unused: Any = None
    eye = Eye(queue, unused, unused, model, Look(methods=("all",)), last=0.0)
    file = Prepared("0" * 64, (8, 8), {way: grey})
    seen = asyncio.run(eye.seen(b"", file, {}, ("", ""), until=1.0, picture=grey))
    close = close_look(seen)
    assert close is not None
    assert close.no_lesion == close.no_cases == "missing_too_slow"
    assert close.no_maps == dict.fromkeys(METHODS, "missing_too_slow")


def test_a_costly_map_is_not_begun_because_a_cheap_one_was_quick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A CAM takes a second here, so occlusion would take five, and three are left.
    clock, gaps = [0.0], Gaps()
    monkeypatch.setattr("lentigo.explanation.served.time.monotonic", lambda: clock[0])
    explainer: Any = SimpleNamespace(
        methods=("grad_cam", "grad_cam_plus_plus", "integrated_gradients", "occlusion")
    )

    def drawn() -> Iterator[Any]:
        for name in explainer.methods:
            clock[0] += METHODS[name].looks / METHODS["grad_cam"].looks
            yield name

    made: list[Any] = list(_in_time(drawn(), explainer, 5.0, gaps))
    assert made == ["grad_cam", "grad_cam_plus_plus"]
    assert set(gaps.said) == {"integrated_gradients", "occlusion"}
    assert clock[0] < 5


def test_all_work_for_the_page_counts_as_under_way(knowing: Served, images: Path) -> None:
    # An explained image counts as four, and nine of them are more than the queue holds.
    content = (images / "0.png").read_bytes()
    with knowing.client() as client:
        assert "lentigo_images_under_way 0.0" in client.get("/metrics").text
        files = [("images", ("a.png", content))] * 2
        assert client.post("/", files=files, data={"maps": "occlusion"}).status_code == 200
        assert "lentigo_images_under_way 0.0" in client.get("/metrics").text


class Nesting(HTMLParser):
    """Finds elements that are closed where they are not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element, if it is one that is closed."""
        if tag not in {"meta", "link", "img", "input", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element."""
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"{tag} in line {self.getpos()[0]}")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_shows_measures_and_cases_and_maps_only_when_asked(
    knowing: Served, images: Path, language: str
) -> None:
    content = (images / "2.png").read_bytes()
    with knowing.client(params={"lang": language}) as client:
        files = [("images", ("a.png", content))]
        plain = client.post("/", files=files).text
        asked = client.post("/", files=files, data={"maps": "all"}).text
    assert 'class="outline"' in plain
    assert plain.count("<li>") >= 5
    assert "<code>1</code>" in plain
    assert 'class="maps"' not in plain
    part = asked.split('<ul class="maps">')[1].split("</ul>")[0]
    assert part.count("<figure") == 4
    assert part.count("<dd>") == 20
    assert 'class="says-nothing"' in part
    assert "None" not in part
    nesting = Nesting()
    nesting.feed(asked)
    assert (nesting.wrong, nesting.open) == ([], [])


def test_each_model_offers_its_own_thresholds(knowing: Served) -> None:
    with knowing.client() as client:
        for address in ("/", "/worklist"):
            text = client.get(address).text
            # In templates the same form waits in the other languages.
            text = re.sub("<template.*?</template>", "", text, flags=re.DOTALL)
            groups = text.split("<optgroup ")[1:]
            assert [g.split('data-model="')[1].split("@")[0] for g in groups] == [
                "one", "two",
            ]  # fmt: skip
            assert all('value="youden"' in group for group in groups)


def test_pictures_of_cases_stand_where_they_are_at_hand() -> None:
    case = {"rank": 1, "similar_id": "i1", "path": "/somewhere/i1.png",
            "diagnosis": "nevus", "melanoma": False, "distance": 0.25}  # fmt: skip
    grey = np.full((40, 60, 3), 128, np.uint8)
    examined = Examined(cases=[case, {**case, "rank": 2, "similar_id": "i2", "path": ""}])
    material = Material(
        Prepared("0" * 64, (60, 40)), {}, grey, grey[:40, :40], examined, {1: grey}
    )
    found = close_look(material)
    assert found is not None
    assert found.cases[0].address.startswith("data:image/jpeg")
    assert found.cases[1].address == ""
    assert (found.cases[1].told.id, found.cases[1].told.distance) == ("i2", 0.25)
    assert close_look(replace(material, examined=None)) is None


def test_a_wrong_choice_of_maps_is_told_on_the_form(knowing: Served, images: Path) -> None:
    with knowing.client() as client:
        files = [("images", ("a.png", (images / "0.png").read_bytes()))]
        answer = client.post("/", files=files, data={"maps": "x"})
    assert answer.status_code == 422
    assert "It is empty, occlusion or all." in answer.text
    assert 'id="lesion"' in answer.text


def test_any_images_of_a_request_can_be_chosen(knowing: Served, images: Path) -> None:
    contents = [(images / f"{number}.png").read_bytes() for number in range(6)]
    with knowing.client() as client:
        answer = ask(client, *contents, explain="6, 2").json()
        assert [each["explained"] for each in answer["images"]] == [
            False, True, False, False, False, True,
        ]  # fmt: skip
        assert [len(each["maps"]) for each in answer["images"]] == [0, 1, 0, 0, 0, 1]
        alone = ask(client, contents[5]).json()["images"][0]
        same = ("abcd", "outline", "similar")
        assert [answer["images"][5][name] for name in same] == [alone[n] for n in same]
        for wrong, said in (
            ("7", "from 1 to 6"), ("0", "from 1 to 6"), ("x", "from 1 to 6"),
            ("1,2,3,4,5", "At most 4"),
        ):  # fmt: skip
            problem = ask(client, *contents, explain=wrong)
            assert (problem.status_code, problem.json()["field"]) == (422, "explain")
            assert said in problem.json()["detail"]


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ([], (0, 1, 2)),
        (["3 5", "1"], (2, 4, 0)),
        (["2，2、5"], (1, 4)),
        ([" , "], (0, 1, 2)),
    ],
)
def test_images_are_chosen_by_their_numbers(
    values: list[str], places: tuple[int, ...]
) -> None:
    assert chosen(values, images=5, most=3) == places
