"""Which folder holds a model, and which tensor may be loaded as which weight."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from lentigo.errors import DatasetNotFoundError, ModelError
from lentigo.models.description import find_models, read_description
from lentigo.models.weights import Layout, read_layout, read_weights


def described(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "model.json").write_text("{}")
    return folder


def test_a_run_answers_by_its_folds_or_by_the_model_of_all_rows(tmp_path: Path) -> None:
    first = described(tmp_path / "fold-0/model")
    (tmp_path / "fold-1/model").mkdir(parents=True)  # not finished
    third = described(tmp_path / "fold-10/model")
    second = described(tmp_path / "fold-2/model")
    assert find_models(tmp_path) == [first, second, third]
    assert find_models(tmp_path / "fold-0") == [first]
    assert find_models(first) == [first]
    whole = described(tmp_path / "refit/model")
    assert find_models(tmp_path) == [whole]


def test_what_holds_no_model_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place, said in (
        (tmp_path / "file", "is a file; give the folder"),
        (tmp_path / "gone", "There is no run or model folder"),
        (tmp_path, "holds no finished model: .* fold-0/model"),
    ):
        with pytest.raises(DatasetNotFoundError, match=said):
            find_models(place)
    with pytest.raises(DatasetNotFoundError, match=r"has no model\.json"):
        read_description(tmp_path)
    (tmp_path / "model.json").write_text('{"format": 9999}')
    with pytest.raises(ModelError, match="written by a later lentigo"):
        read_description(tmp_path)


@pytest.mark.parametrize(
    ("shape", "dtype", "exactly", "loosely"),
    [
        ((2, 3), torch.float32, True, True),
        ((2, 3), torch.float16, False, True),
        ((2, 3), torch.int64, False, False),
        ((3, 2), torch.float32, False, False),
        ((2, 3), None, False, False),
    ],
)
def test_a_tensor_fits_by_shape_and_kind_of_number(
    shape: tuple[int, ...], dtype: torch.dtype | None, exactly: bool, loosely: bool
) -> None:
    layout, weight = Layout(shape, dtype), torch.zeros(2, 3)
    assert layout.holds(weight, exactly=True) is exactly
    assert layout.holds(weight, exactly=False) is loosely


def test_weights_are_read_as_they_are_or_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"a": torch.ones(2), "b": torch.tensor([1.0, torch.nan])}, path)
    assert read_layout(path)["a"] == Layout((2,), torch.float32)
    assert read_weights(path, ["a"])["a"].tolist() == [1, 1]
    with pytest.raises(ModelError, match=r"no number \(NaN or infinite\) in b"):
        read_weights(path)
    save_file({"a": torch.ones(2).to(torch.float8_e4m3fn)}, path)
    with pytest.raises(ModelError, match="weights of no usual type: a"):
        read_weights(path)
    with pytest.raises(ModelError, match="There is no weights file"):
        read_weights(tmp_path / "gone")
    path.write_bytes(b"\xff" * 8)
    with pytest.raises(ModelError, match=r"w\.safetensors"):
        read_layout(path)
