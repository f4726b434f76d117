"""What a model card says of what goes in and what comes out."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from lentigo.models.card import card_text
from lentigo.models.description import read_description
from lentigo.service.page.card import card_words
from tests.inference.test_predict import save


@pytest.mark.parametrize(
    ("language", "metadata", "diagnoses"),
    [
        ("en", "age, sex and site", "melanoma and nevus"),
        ("de", "Alter, Geschlecht und Ort", "Melanom und Nävus"),
    ],
)
def test_patients_and_diagnoses_are_named(
    tmp_path: Path, language: str, metadata: str, diagnoses: str
) -> None:
    save(tmp_path / "model")
    plain, words = read_description(tmp_path / "model"), card_words(language)
    assert metadata not in card_text(plain, words)
    told = {
        "metadata": SimpleNamespace(fields=("age", "sex", "site")),
        "diagnoses": ["melanoma", "nevus"],
    }
    members = [each.model_copy(update=told) for each in plain.members]
    text = card_text(plain.model_copy(update={"members": members}), words)
    assert metadata in text
    assert diagnoses in text
