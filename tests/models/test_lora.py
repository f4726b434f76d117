"""Low-rank adaptation: the start, the gradients and the merge, followed by hand."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from lentigo.errors import ConfigError, ModelError
from lentigo.models.classifier import Classifier
from lentigo.models.lora import LowRank, add_adapters, base_parameters, merge_adapters
from lentigo.models.network import build_model, load_backbone, wrapping
from lentigo.models.stages import first_stages
from lentigo.training.run import settled
from lentigo.training.schedule import build_optimizer
from lentigo.training.step import set_mode
from tests.cohorts import tiny_config

RANK = 3
VIT = {"model__backbone": "test_vit", "model__backbone_args": {"img_size": 32}}
LORA = tiny_config(**VIT, model__lora_rank=RANK, model__lora_alpha=6.0)


def built(*, rank: bool = True) -> Classifier:
    torch.manual_seed(0)
    return build_model(LORA.model if rank else tiny_config(**VIT).model)


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8, generator=generator)


def learnt(network: Classifier) -> None:
    """Give all adapters values as if they had learnt."""
    generator = torch.Generator().manual_seed(1)
    for layer in network.modules():
        if isinstance(layer, LowRank):
            layer.b.data.normal_(std=0.1, generator=generator)


def test_a_change_of_rank_one_by_hand() -> None:
    change = LowRank(torch.zeros(2, 3), rank=1, alpha=2.0)
    assert torch.equal(change(torch.ones(2, 3)), torch.ones(2, 3))  # B is zero
    change.a.data = torch.tensor([[1.0, 0.0, -1.0]])
    change.b.data = torch.tensor([[1.0], [3.0]])
    expected = [[1 + 2.0, 1, 1 - 2.0], [1 + 6.0, 1, 1 - 6.0]]
    assert change(torch.ones(2, 3)).tolist() == expected


def test_it_begins_as_the_network_without_adapters(images: torch.Tensor) -> None:
    adapted, plain = built().eval(), built(rank=False).eval()
    state = adapted.state_dict()
    plain.load_state_dict(
        {k.replace("parametrizations.weight.original", "weight"): v
         for k, v in state.items() if "weight.0." not in k}
    )  # fmt: skip
    with torch.no_grad():
        assert torch.equal(adapted(images), plain(images))


def test_merged_it_answers_alike_and_is_a_network_like_any_other(
    images: torch.Tensor,
) -> None:
    adapted, plain = built().eval(), built(rank=False)
    with torch.no_grad():
        first = adapted(images)
        learnt(adapted)
        before, copied = adapted(images), copy.deepcopy(adapted)
        merge_adapters(adapted)
        after = adapted(images)
        torch.testing.assert_close(copied(images), before, atol=0, rtol=0)
    assert (before - first).abs().max() > 1e-4
    torch.testing.assert_close(after, before, atol=1e-6, rtol=0)
    assert adapted.state_dict().keys() == plain.state_dict().keys()
    assert not any(isinstance(layer, LowRank) for layer in adapted.modules())
    assert type(adapted.backbone.blocks[0].attn.qkv) is nn.Linear  # type: ignore[union-attr, index]


def test_adapters_and_head_alone_get_gradients(images: torch.Tensor) -> None:
    network = built()
    learnt(network)
    set_mode(network, frozen=False)
    network(images).sum().backward()
    there = {name for name, p in network.named_parameters() if p.grad is not None}
    head = {name for name, _ in network.named_parameters() if name.startswith("head.")}
    adapters = {name for name, _ in network.named_parameters() if "weight.0." in name}
    assert there == head | adapters
    set_mode(network, frozen=True)
    assert {n for n, p in network.named_parameters() if p.requires_grad} == head


def test_so_many_numbers_learn_as_the_ranks_say() -> None:
    """R · (M + N) for each layer of M × N: the input of size N, the output of size M."""
    network = built()
    set_mode(network, frozen=False)
    blocks = len(network.backbone.blocks)  # type: ignore[arg-type]
    width = network.output.in_features
    each = RANK * (width + 3 * width) + RANK * (width + width)  # qkv, proj
    head = width + 1
    count = sum(p.numel() for p in network.parameters() if p.requires_grad)
    assert count == blocks * each + head
    optimizer = build_optimizer(
        network, LORA.training, frozen=base_parameters(network.backbone)
    )
    held = [p for group in optimizer.param_groups for p in group["params"]]
    assert sum(p.numel() for p in held) == count


def test_frozen_stages_keep_their_adapters_frozen() -> None:
    network = built()
    stages = first_stages(network, 1)
    set_mode(network, frozen=False, stages=stages)
    learns = [n for n, p in network.backbone.named_parameters() if p.requires_grad]
    assert learns
    assert not any(name.startswith("blocks.0.") for name in learns)


@pytest.mark.parametrize("name", ["test_maxvit", "test_vit_relpos"])
def test_other_transformers_have_attention_too(name: str) -> None:
    config = tiny_config(
        model__backbone=name, model__backbone_args={"img_size": 64}, model__lora_rank=2
    )
    network = build_model(config.model)
    assert base_parameters(network.backbone)


def test_what_has_no_attention_is_refused() -> None:
    with pytest.raises(ModelError, match="test_resnet has no layers of attention"):
        build_model(tiny_config(model__lora_rank=4).model)
    with pytest.raises(ModelError, match=r"lora_rank is 200, .* layers of rank 64"):
        build_model(tiny_config(**VIT, model__lora_rank=200).model)
    with pytest.raises(ModelError, match="test_resnet has no layers of attention"):
        settled(tiny_config(model__lora_rank=4))  # before a table is read
    with pytest.raises(ConfigError, match="trains no backbone: give"):
        tiny_config(**VIT, model__lora_rank=4, training__method="logistic")


def test_without_adapters_nothing_changes() -> None:
    network = built(rank=False)
    assert base_parameters(network.backbone) == ()
    set_mode(network, frozen=False)
    assert all(p.requires_grad for p in network.parameters())


def test_adapters_of_a_weight_that_is_read_by_name_count() -> None:
    """As in timm's BEiT, which never calls its layer of queries, keys and values."""

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.qkv = nn.Linear(2, 6)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return nn.functional.linear(x, self.qkv.weight)

    block = nn.ModuleDict({"attn": Attention()})
    add_adapters(block, name="one", rank=1, alpha=1)
    before = block["attn"](torch.ones(1, 2))
    next(layer for layer in block.modules() if isinstance(layer, LowRank)).b.data.fill_(1)
    assert not torch.equal(block["attn"](torch.ones(1, 2)), before)


@pytest.mark.parametrize(
    "prefix",
    ["", "backbone.", "module.", "model.", "state_dict.model.", "teacher.module.backbone."],
)
def test_a_transformer_is_read_from_any_wrapping(prefix: str, tmp_path: Path) -> None:
    given, other = built(rank=False).backbone, built(rank=False).backbone
    state = given.state_dict()
    with torch.no_grad():
        for value in other.parameters():
            value.add_(1)
    path = tmp_path / "weights.safetensors"
    also = {"head.weight": torch.ones(2, 2), "optimizer.blocks.0.norm1.bias": torch.ones(1)}
    save_file({**{prefix + name: value for name, value in state.items()}, **also}, path)
    load_backbone(other, path, name="test_vit")
    assert all(torch.equal(other.state_dict()[name], state[name]) for name in state)


def test_of_student_and_teacher_the_teacher_is_read() -> None:
    wanted = ["cls_token", "norm.bias"]

    def under(*prefixes: str) -> list[str]:
        return [prefix + name for prefix in prefixes for name in wanted]

    assert wrapping(under("student.backbone.", "teacher.backbone."), wanted) == (
        "teacher.backbone."
    )
    assert wrapping(under("model.", "model_ema."), wanted) == "model_ema."
    assert wrapping(under("", "teacher."), wanted) == ""
    assert wrapping([*under("student."), "teacher.cls_token"], wanted) == "student."
    assert wrapping(["conv1.weight", "layer1.conv1.weight"], ["conv1.weight"]) == ""
    assert wrapping([], wanted) == ""
