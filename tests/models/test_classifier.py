"""One logit of melanoma comes out, whatever the last layer tells apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from lentigo.config import ModelConfig
from lentigo.models.classifier import Head
from lentigo.models.early import features_and_early
from lentigo.models.network import Classifier, build_model
from lentigo.models.onnx_export import write_onnx
from lentigo.training.step import over_samples

CLASSES = ("melanoma", "benign keratosis", "nevus")
TINY = ModelConfig(backbone="resnet10t", pretrained=False)


def three_classes() -> Classifier:
    torch.manual_seed(0)
    model = build_model(TINY, classes=CLASSES).eval()
    model.prior_shift.copy_(torch.tensor([0.5, 0.1, -0.2]))
    return model


def test_the_logit_of_melanoma_is_that_of_its_softmax() -> None:
    """Scores ln 2, 0 and ln 5 are probabilities of 2/8, 1/8 and 5/8."""
    model = build_model(TINY, classes=CLASSES)
    scores = torch.log(torch.tensor([[2.0, 1.0, 5.0]]))
    assert torch.sigmoid(model.melanoma(scores)).item() == pytest.approx(2 / 8)


def test_what_balanced_drawing_added_is_taken_out_of_each_class() -> None:
    """Classes drawn 3, 1 and 1 times as often: of 6, 1 and 5 are left 2, 1 and 5."""
    model = build_model(TINY, classes=CLASSES)
    model.prior_shift.copy_(torch.log(torch.tensor([3.0, 1.0, 1.0])))
    scores = torch.log(torch.tensor([[6.0, 1.0, 5.0]]))
    assert torch.sigmoid(model.melanoma(scores)).item() == pytest.approx(2 / 8)


@pytest.mark.parametrize("classes", [("nevus", "other"), ("melanoma",)])
def test_classes_are_melanoma_and_others(classes: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="not melanoma and others"):
        build_model(TINY, classes=classes)


def test_shares_of_the_others_sum_to_one_whatever_melanoma_is() -> None:
    """Scores ln 2, 0 and ln 5: of what is no melanoma 1/6 and 5/6."""
    model = build_model(TINY, classes=CLASSES)
    shares = model.log_shares(torch.log(torch.tensor([[2.0, 1.0, 5.0]]))).exp()
    assert model.others == CLASSES[1:]
    assert shares.tolist() == [pytest.approx([1 / 6, 5 / 6])]


def test_scores_far_apart_make_no_infinite_logit() -> None:
    model = build_model(TINY, classes=CLASSES)
    logits = model.melanoma(torch.tensor([[500.0, -500.0, 0.0], [-500.0, 500.0, 0.0]]))
    assert logits.tolist() == [500.0, -1000.0]


def test_as_onnx_it_answers_alike_with_operators_that_are_allowed(tmp_path: Path) -> None:
    ort = pytest.importorskip("onnxruntime")
    from lentigo.models.onnx_graph import faults

    model, path = three_classes(), tmp_path / "model.onnx"
    write_onnx(model, path, size=32)
    assert list(faults(path.read_bytes(), channels=3, size=32, outputs=5)) == []
    images = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8)
    answer, shares, features, energy, early = ort.InferenceSession(path).run(
        None, {"images": images.numpy()}
    )
    with torch.inference_mode():
        assert np.allclose(answer, model(images).numpy(), atol=1e-5)
        known = model.log_shares(model.scores(images))
        own = model.features(images)
        high = model.energy(model.head(own))
        first = features_and_early(model, images)[1]
    assert np.allclose(shares, known.numpy(), atol=1e-5)
    assert np.allclose(features, own.numpy(), atol=1e-4)
    assert np.allclose(energy, high.numpy(), atol=1e-4)
    assert np.allclose(early, first.numpy(), atol=1e-4)


def test_a_learnt_exponent_is_exported(tmp_path: Path) -> None:
    ort = pytest.importorskip("onnxruntime")
    from lentigo.models.onnx_graph import faults

    model = build_model(TINY.model_copy(update={"pooling": "gem"})).eval()
    write_onnx(model, tmp_path / "model.onnx", size=64)
    assert not list(
        faults((tmp_path / "model.onnx").read_bytes(), channels=3, size=64, outputs=3)
    )
    images = torch.randint(0, 256, (3, 3, 64, 64), dtype=torch.uint8)
    answer, _, _ = ort.InferenceSession(tmp_path / "model.onnx").run(
        None, {"images": images.numpy()}
    )
    with torch.inference_mode():
        assert np.allclose(answer, model(images).numpy(), atol=1e-5)


def test_several_dropouts_are_drawn_of_one_look() -> None:
    """The features are 4 and 4, the weights 1 and 1: half dropped, 0, 8 or 16 comes out."""
    model = build_model(
        ModelConfig(backbone="resnet10t", pretrained=False, dropout=0.5)
    ).train()
    output = torch.nn.Linear(2, 1, bias=False)
    torch.nn.init.ones_(output.weight)
    model.head[-1] = output
    taught = Head(model, samples=500)
    torch.manual_seed(0)
    found = taught(torch.full((3, 2), 4.0)).detach()
    assert found.shape == (1500,)
    assert set(found.tolist()) == {0.0, 8.0, 16.0}
    assert found.view(500, 3).mean(dim=0).tolist() == pytest.approx([8.0] * 3, abs=1)


def test_the_loss_of_several_dropouts_is_the_mean_of_theirs() -> None:
    labels, given = torch.tensor([0.0, 1.0]), torch.tensor([-1.0, 2.0, 0.5, 0.5, 3.0, -2.0])
    loss = over_samples(binary_cross_entropy_with_logits, 3)
    each = [binary_cross_entropy_with_logits(given[n : n + 2], labels) for n in (0, 2, 4)]
    assert loss(given, labels).item() == pytest.approx(float(sum(each)) / 3)
