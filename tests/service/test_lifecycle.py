"""The service under load, at its end, and when something in it dies."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.service.conftest import Served, serving, wait_for
from tests.service.test_predictions import post


@pytest.fixture
def own(tmp_path: Path, model: Path) -> Iterator[Served]:
    """A service of one test alone."""
    with serving(tmp_path, model, "--audit-log", "audit.sqlite", "--queue", "3") as one:
        yield one


def workers(served: Served) -> list[int]:
    """Return the processes that compute, among the children of the service."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            command = (path / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == served.process.pid and b"worker_process" in command:
            found.append(int(path.name))
    return found


def test_under_overload_there_is_200_and_503_and_at_the_end_nothing_is_lost(
    own: Served, images: Path
) -> None:
    content = (images / "0.png").read_bytes()
    codes: Counter[int] = Counter()
    waits: list[str] = []
    ending, lock = threading.Event(), threading.Lock()

    def ask(_: int) -> None:
        with own.client() as client:
            while True:
                try:
                    answer = post(client, content)
                except Exception:  # it takes no more connections
                    assert ending.is_set()
                    return
                with lock:
                    codes[answer.status_code] += 1
                    waits.append(answer.headers.get("retry-after", ""))

    with ThreadPoolExecutor(8) as threads:
        asking = [threads.submit(ask, n) for n in range(8)]
        wait_for(lambda: codes[200] > 10 and codes[503] > 0)
        ending.set()
        own.process.send_signal(signal.SIGTERM)
        assert own.process.wait(60) == 143
        for each in asking:
            each.result()
    assert set(codes) == {200, 503}
    assert all(int(each) >= 1 for each in waits if each)
    # What was computed and written down, somebody has heard.
    answered = [line for line in own.lines() if line.get("status") == 200]
    posts = [line for line in answered if line["method"] == "POST"]
    assert len(posts) == codes[200]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc here")
def test_a_killed_worker_is_replaced_and_the_request_answered(
    own: Served, images: Path
) -> None:
    content = (images / "0.png").read_bytes()
    (before,) = workers(own)
    os.kill(before, signal.SIGKILL)
    with own.client() as client:
        assert post(client, content).json()["images"][0]["probability"] > 0
        (after,) = workers(own)
        assert after != before
        metrics = client.get("/metrics").text.splitlines()
        assert "lentigo_workers_replaced 1.0" in metrics
        assert "lentigo_batch_images_sum 1.0" in metrics  # the one image that was computed
    assert own.end(signal.SIGINT) == 130


def test_sighup_loads_another_version_and_keeps_the_old_one_if_it_is_damaged(
    tmp_path: Path, model: Path, images: Path
) -> None:
    shutil.copytree(model, tmp_path / "m")
    content = (images / "0.png").read_bytes()

    def version(served: Served) -> str:
        with served.client() as client:
            answer = post(client, content).json()
        assert answer["images"][0]["probability"] > 0
        return str(answer["model"]["version"])

    def events(served: Served) -> list[object]:
        return [line["event"] for line in served.lines()]

    with serving(tmp_path, tmp_path / "m") as served:
        before = version(served)
        description = tmp_path / "m" / "model.json"
        text = description.read_text(encoding="utf-8")
        description.write_text(text.replace('"licence": "', '"licence": "new: ', 1))
        served.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "reloaded" in events(served))
        after = version(served)
        description.write_text("{")
        served.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "reload failed" in events(served))
        assert (version(served), after != before) == (after, True)
        description.unlink()  # as while a folder is exchanged
        with served.client() as client:
            (told,) = client.get("/v1/models").json()["models"]
            assert (told["version"], bool(told["intended_use"])) == (after, True)
            assert client.get("/model").status_code == 200


def test_a_damaged_model_ends_the_start_in_a_sentence(tmp_path: Path, model: Path) -> None:
    shutil.copytree(model, tmp_path / "m")
    with (tmp_path / "m" / "model.onnx").open("ab") as stream:
        stream.write(b"x")
    program = str(Path(sys.executable).with_name("lentigo"))
    done = subprocess.run(
        [program, "serve", "m", "--port", "0"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    (line,) = [each for each in done.stderr.splitlines() if each.startswith("Error")]
    assert "model.onnx is not the file" in line


def test_several_models_and_versions_answer_by_name(
    tmp_path: Path, model: Path, images: Path
) -> None:
    shutil.copytree(model, tmp_path / "old")
    description = tmp_path / "old" / "model.json"
    text = description.read_text(encoding="utf-8")
    description.write_text(text.replace('"prevalence": 0.1', '"prevalence": 0.2', 1))
    key_file = tmp_path / "keys.txt"
    content = (images / "0.png").read_bytes()
    with serving(tmp_path, f"a={model}", f"a={tmp_path / 'old'}", f"b={model}") as served:
        with served.client() as client:
            known = client.get("/v1/models").json()["models"]
            assert [each["name"] for each in known] == ["a", "a", "b"]
            second = f"a@{known[1]['version']}"
            answers = [post(client, content, model=name).json() for name in ("", second)]
        assert answers[1]["model"]["version"] == known[1]["version"]
        assert not key_file.exists()


def test_with_keys_only_their_holders_are_answered(
    tmp_path: Path, model: Path, images: Path
) -> None:
    from lentigo.service.keys import make_key

    key = make_key(tmp_path / "keys", "ward-3")
    content = (images / "0.png").read_bytes()
    with serving(tmp_path, model, "--keys", tmp_path / "keys") as served:
        for headers, code in (
            ({}, 401),
            ({"authorization": "Bearer wrong"}, 401),
            ({"authorization": f"Bearer {key}"}, 200),
            ({"x-api-key": key}, 200),
        ):
            with served.client(headers=headers) as client:
                assert post(client, content).status_code == code
                assert client.get("/healthz").status_code == 200
        with served.client(auth=("anybody", key)) as client:
            assert client.get("/v1/models").status_code == 200
        assert key not in served.log.read_text(encoding="utf-8")
