"""API keys: hashed, from a file."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lentigo.errors import ConfigError, DatasetNotFoundError
from lentigo.service.keys import make_key, read_keys
from tests.cli.test_commands import call, fails


def test_a_key_is_known_by_its_digest_alone(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    key, other = make_key(file, "ward-3"), make_key(file, "ward-4")
    assert key not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    keys = read_keys(file)
    assert keys.holder(f"Bearer {key}") == "ward-3"
    assert keys.holder("", other) == "ward-4"
    assert keys.holder(f"Bearer {key}x") is None
    assert keys.holder("Basic !!!") is None
    assert keys.holder("") is None


def test_keys_that_are_made_at_once_all_stay(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(
            threads.map(lambda n: make_key(tmp_path / "keys", f"ward-{n}"), range(24))
        )
    keys = read_keys(tmp_path / "keys")
    found = [keys.holder(f"Bearer {key}") for key in made]
    assert found == [f"ward-{number}" for number in range(24)]


@pytest.mark.parametrize("text", ["", "ward:sha256:00", f"a:sha256:{'0' * 64}\n" * 2])
def test_a_file_without_sound_keys_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys").write_text(text)
    with pytest.raises(ConfigError):
        read_keys(tmp_path / "keys")
    with pytest.raises(DatasetNotFoundError, match="--make-key"):
        read_keys(tmp_path / "none")


def test_the_command_makes_a_key_and_shows_it_once(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    said = call("serve", "--make-key", "ward-3", "--keys", file)
    assert said.exit_code == 0
    key = said.stdout.strip()
    assert read_keys(file).holder(f"Bearer {key}") == "ward-3"
    assert "has a key for ward-3" in fails("serve", "--make-key", "ward-3", "--keys", file)


def test_another_address_needs_a_key(tmp_path: Path, model: Path) -> None:
    said = fails("serve", model, "--host", "0.0.0.0")
    assert "an API key is needed" in said
