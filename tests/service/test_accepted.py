"""Headers by which a client says what it would rather have."""

from __future__ import annotations

import pytest

from lentigo.service.accepted import prefers, weighed


@pytest.mark.parametrize(
    ("header", "fhir"),
    [
        ("application/fhir+json", True),
        ("Application/FHIR+json; fhirVersion=5.0", True),
        ("application/fhir+json, application/json;q=0.9", True),
        ("application/json, application/fhir+json;q=0.5", False),
        ("application/fhir+json;q=0, application/json", False),
        ("application/fhir+json;q=x", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_fhir_is_given_to_those_who_would_rather_have_it(header: str, fhir: bool) -> None:
    assert prefers(header, "application/fhir+json", "application/json") is fhir


def test_the_first_weight_of_a_name_counts() -> None:
    assert weighed("de;q=0.5, EN , de;q=1, fr;q=nan")["de"] == 0.5
    assert list(weighed("de, ,en")) == ["de", "en"]
