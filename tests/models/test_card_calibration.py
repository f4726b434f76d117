"""What a model card says of a calibration, in every language of the page."""

from __future__ import annotations

import pytest

from lentigo.models.calibration import Calibration, Compared, Temperature
from lentigo.models.card import _fit
from lentigo.models.facts import Measured
from lentigo.service.page.card import card_words

TWO = tuple(
    Compared(method=name, log_loss=Measured(value=0.3, low=0.2, high=0.4))
    for name in ("none", "temperature")
)


@pytest.mark.parametrize(
    ("language", "none", "fitted"),
    [
        ("en", "none: on validation images (30 images, 5 melanomas) no map", "fitted on"),
        ("de", "keine: auf Validierungsbildern (30 Bilder, 5 Melanome) war", "angepasst"),
        ("es", "ninguna: en imágenes de validación (30 imágenes, 5 melanomas)", "ajustada"),
        ("zh", "无：在验证图像（", "拟合"),
    ],
)
def test_a_calibration_that_is_none_was_not_fitted(
    language: str, none: str, fitted: str
) -> None:
    words = card_words(language)
    known = {"fitted_on": "validation images", "n_images": 30, "n_melanomas": 5}
    told = _fit(Calibration.model_validate({**known, "compared": TWO}), words)
    assert told.startswith(none)
    assert fitted not in told
    warm = {**known, "map": Temperature(temperature=2.0), "compared": TWO}
    assert fitted in _fit(Calibration.model_validate(warm), words)
    alone = _fit(Calibration.model_validate(known), words)  # nothing was compared
    assert alone == words("calibration_none")
