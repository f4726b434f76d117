"""The fields of a request, each at its limits and just beyond."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from starlette.exceptions import HTTPException

from lentigo.config.serving import ServingConfig
from lentigo.inference.decide import AUTO
from lentigo.service.app import _as_problem
from lentigo.service.asked import Asked, asked, is_id
from lentigo.service.problems import ProblemError
from lentigo.service.upload import Upload, read_upload


def upload(images: int = 1, **fields: list[str]) -> Upload:
    return Upload([b"x"] * images, fields)


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({}, "age", None),
        ({"age": ["0"]}, "age", 0.0),
        ({"age": ["120"]}, "age", 120.0),
        ({"age": ["", "54.5"]}, "age", 54.5),
        ({"sex": ["Female"]}, "sex", "female"),
        ({"site": ["palms/soles"]}, "site", "palms/soles"),
        ({"prevalence": ["0.02"]}, "prevalence", 0.02),
        ({}, "operating_point", AUTO),
        ({"operating_point": ["youden"]}, "operating_point", "youden"),
        ({"model": ["ham@1"]}, "model", "ham@1"),
        ({}, "features", False),
        ({"features": ["yes"]}, "features", True),
        ({"features": ["no"]}, "features", False),
        ({"memo": ["YES"]}, "memo", True),
        ({"lesion": ["1"]}, "lesions", ("1", "1", "1")),
        ({"lesion": ["1", "2", "1"]}, "lesions", ("1", "2", "1")),
        ({"patient": ["p"]}, "patients", ("p", "p", "p")),
        ({}, "patients", ()),
        ({"before": ["note"], "lesion": ["1"]}, "before", ("note",)),
        (
            {"before": ["note", "", "other"], "lesion": ["1", "1", "2"]},
            "before",
            ("note", "other"),
        ),
    ],
)
def test_a_field_is_read(fields: dict[str, list[str]], name: str, value: object) -> None:
    assert getattr(asked(upload(3, **fields)), name) == value


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"ages": ["1"]}, "There is no such field. Known: age, sex, site"),
        ({"age": ["-1"]}, "a number from 0 to 120"),
        ({"age": ["120.5"]}, "a number from 0 to 120"),
        ({"age": ["1_0"]}, "a number from 0 to 120"),
        ({"age": ["old"]}, "a number from 0 to 120"),
        ({"age": ["nan"]}, "a number from 0 to 120"),
        ({"age": ["1", "2"]}, "given more than once"),
        ({"sex": ["f"]}, "one of: female, male"),
        ({"site": ["leg"]}, "one of: head/neck"),
        ({"prevalence": ["0"]}, "above 0 and below 1"),
        ({"prevalence": ["1"]}, "above 0 and below 1"),
        ({"prevalence": ["1.1"]}, "a number from 0 to 1"),
        ({"features": ["maybe"]}, "one of: yes, no"),
        ({"lesion": ["1", "2"]}, "once an image: 3, not 2"),
        ({"lesion": ["1", "", "2"]}, "Value 2 of 3 is empty"),
        ({"lesion": ["x" * 65]}, "1 to 64 letters"),
        ({"before": ["note"]}, "It goes with the number of a lesion"),
    ],
)
def test_a_wrong_field_is_refused_with_what_is_right(
    fields: dict[str, list[str]], said: str
) -> None:
    with pytest.raises(ProblemError) as error:
        asked(upload(3, **fields))
    assert said in str(vars(error.value))


@pytest.mark.parametrize(
    ("value", "fits"),
    [("", False), ("a", True), ("a" * 64, True), ("a" * 65, False), ("a\u202eb", False)],
)
def test_an_id_has_1_to_64_letters_that_are_seen(value: str, fits: bool) -> None:
    assert is_id(value) == fits


def test_lesion_one_of_two_patients_is_two_lesions() -> None:
    found = Asked(patients=("p", "q", "p"), lesions=("1", "1", "1"))
    assert found.lesion_keys == ("1", "2", "1")
    assert Asked(lesions=("b", "a", "b")).lesion_keys == ("1", "2", "1")
    assert Asked().lesion_keys == ()
    assert found.ids(1) == ("q", "1")
    assert Asked().ids(0) == ("", "")


@pytest.mark.parametrize(
    ("site", "ours"),
    [("anterior torso", "torso"), ("torso", "torso"), ("head/neck", "head/neck"), ("", "")],
)
def test_all_of_the_torso_is_one_site(site: str, ours: str) -> None:
    assert Asked(site=site).our_site == ours


LIMITS = ServingConfig(max_files=2)


def read(content: bytes, kind: str = "application/json") -> Upload:
    async def stream() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 1000):
            yield content[start : start + 1000]

    return asyncio.run(read_upload(kind, stream(), LIMITS))


def from_json(**fields: Any) -> Upload:
    return read(json.dumps(fields).encode())


def form(*parts: tuple[str, str]) -> bytes:
    lines = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in parts
    ]
    return "".join([*lines, "--b--\r\n"]).encode()


FORM = "multipart/form-data; boundary=b"


def test_values_of_json_and_of_a_form_are_the_same() -> None:
    found = from_json(images=["eA=="], age=54, lesion=["1", None], sex="", patient=[" p "])
    assert found.files == [b"x"]
    assert found.fields == {"age": ["54"], "lesion": ["1", ""], "patient": ["p"]}
    parts = [("images", "x"), ("age", "54"), ("lesion", "1"), ("lesion", ""), ("sex", ""),
             ("patient", " p ")]  # fmt: skip
    assert read(form(*parts), FORM) == found


@pytest.mark.parametrize("count", [2_000, 2_001])
def test_a_field_has_at_most_2000_letters(count: int) -> None:
    ways: tuple[Callable[[], Any], ...] = (
        lambda: from_json(site="x" * count),
        lambda: read(form(("site", "x" * count)), FORM),
    )
    for way in ways:
        if count == 2_000:
            assert way().fields["site"] == ["x" * count]
        else:
            with pytest.raises(ProblemError) as error:
                way()
            assert "more than 2,000 letters" in str(vars(error.value))


@pytest.mark.parametrize("count", [200, 201])
def test_a_request_has_at_most_200_values(count: int) -> None:
    if count == 200:
        assert len(from_json(age=[1] * count).fields["age"]) == count
        return
    with pytest.raises(ProblemError) as error:
        from_json(age=[1] * count)
    assert "too many fields" in str(vars(error.value))


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (b"{}", "text/plain", "Send multipart/form-data"),
        (b"{", "application/json", "no JSON"),
        (b"[]", "application/json", "no JSON object"),
        (b'{"images": {"a": 1}}', "application/json", "list of images in base64"),
        (b'{"images": ["!"]}', "application/json", "Image 1 is no base64"),
        (b'{"images": [1]}', "application/json", "Image 1 is no base64"),
        (b'{"images": ["eA==", "eA==", "eA=="]}', "application/json", "At most 2 images"),
        (b'{"age": true}', "application/json", "a word or a number"),
        (b'{"age": {"a": 1}}', "application/json", "a word or a number"),
        (b'{"age": [' + b"[]," * 6000 + b"1]}", "application/json", "too many parts"),
        (form(("age", "1")), "multipart/form-data", "no boundary"),
        (form(("age", "1")), f"multipart/form-data; boundary={'b' * 201}", "no boundary"),
        (form(("age", "1"))[:-6], FORM, "ends before its last part"),
        (b"rubbish", FORM, "cannot be told apart"),
        (form(*[("age", "1")] * 203), FORM, "too many parts"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_in_words(
    content: bytes, kind: str, said: str
) -> None:
    with pytest.raises(ProblemError) as error:
        read(content, kind)
    assert said in str(vars(error.value))


@pytest.mark.parametrize(
    ("error", "status", "allow"),
    [
        (ValueError("a fault of ours"), 500, None),
        (HTTPException(404), 404, None),
        (HTTPException(405, headers={"Allow": "GET"}), 405, "GET, HEAD"),
        (HTTPException(405, headers={"Allow": "POST"}), 405, "POST"),
    ],
)
def test_an_error_becomes_a_problem_of_its_status(
    error: Exception, status: int, allow: str | None
) -> None:
    request: Any = None
    with pytest.raises(ProblemError) as found:
        asyncio.run(_as_problem(request, error))
    told = vars(found.value)
    assert told["status"] == status
    assert told["headers"].get("Allow") == allow
