"""No command, and no process that it starts, runs a file that lies about.

Three looks: how processes are started (read from the code), what the package imports (in a
folder of traps), and every command on real input (slow). A new command is held by all.
"""

from __future__ import annotations

import ast
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import lentigo
from lentigo.cli.commands import COMMANDS
from lentigo.datasets.synthetic import draw_dataset
from tests.traps import Traps

LENTIGO = Path(sys.executable).with_name("lentigo")
PACKAGE = Path(lentigo.__file__).parent

STARTERS = {"run", "Popen", "call", "check_call", "check_output", "getoutput"}
"""Functions of `subprocess` that start a process."""
NEVER = {"multiprocessing", "concurrent.futures.process", "joblib", "pty", "runpy"}
"""Modules that start processes, or run files, without `lentigo.isolated`."""
OF_THE_SYSTEM = ("exec", "spawn", "posix_spawn", "fork", "system", "popen")
"""Beginnings of the functions of `os` that do so."""

WORDS = re.compile(
    r"subprocess|multiprocessing|ProcessPool|joblib|\bpty\b|runpy|num_workers|n_jobs"
    rf"|\bos\.({'|'.join(OF_THE_SYSTEM)})|\bos import"
)


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{each.name}" for each in node.names)


def not_isolated(code: str) -> list[str]:
    """The places of `code` that start a process in another way than isolated."""
    tree, found = ast.parse(code), []
    found += [each for each in imports(tree) if any(each.startswith(n) for n in NEVER)]
    found += [n for n in imports(tree) if n.endswith("ProcessPoolExecutor")]
    found += [n for n in imports(tree) if n.startswith("subprocess.")]  # hides the name
    for name, call in calls(tree):
        room, _, function = name.rpartition(".")
        if room == "os" and function.startswith(OF_THE_SYSTEM):
            found.append(name)
        if room.startswith("asyncio") and function.startswith("create_subprocess"):
            found.append(name)
        if room == "subprocess" and function in STARTERS:
            given = {each.arg: ast.unparse(each.value) for each in call.keywords}
            first = ast.unparse(call.args[0])
            if not first.startswith(("command(", "isolated.command(", "self._command")):
                found.append(f"{name}({first})")
            env = given.get("env", "")
            if not env.startswith(("environment(", "isolated.environment(")):
                found.append(f"{name}(env={env})")
    return found


@pytest.mark.parametrize(
    "code",
    [
        "import subprocess\nsubprocess.run(['ls'], env=environment())",
        "import subprocess\nsubprocess.Popen(command('pass'))",
        "from subprocess import run",
        "import multiprocessing as mp",
        "from concurrent.futures import ProcessPoolExecutor",
        "import os\nos.execv('/bin/ls', [])",
        "import os\nos.system('ls')",
    ],
)
def test_a_process_that_is_not_isolated_is_found(code: str) -> None:
    assert not_isolated(code)


@pytest.fixture(scope="module")
def suspects() -> dict[str, str]:
    """The code of each file that has a word for starting processes, by its path."""
    files = sorted(PACKAGE.rglob("*.py"))
    assert len(files) > 300
    read = {str(f.relative_to(PACKAGE)): f.read_text(encoding="utf-8") for f in files}
    return {name: code for name, code in read.items() if WORDS.search(code)}


def test_every_process_of_ours_is_started_isolated(suspects: dict[str, str]) -> None:
    found = {
        name: found for name, code in suspects.items() if (found := not_isolated(code))
    }
    assert {"service/worker.py", "elsewhere.py"} <= suspects.keys()
    # It forks itself, which was started isolated by `imaging/sandbox/starter.py`.
    assert found.pop("imaging/sandbox/starter_process.py") == ["os.fork"]
    assert found == {}


def test_processes_of_libraries_are_started_by_the_loader_of_training_alone(
    suspects: dict[str, str],
) -> None:
    """torch's loader and `n_jobs` of scikit-learn start processes, too."""
    asking = {
        name
        for name, code in suspects.items()
        for _, call in calls(ast.parse(code))
        if {"num_workers", "n_jobs"} & {each.arg for each in call.keywords}
    }
    assert asking == {"training/data.py"}  # see tests/test_isolated.py


def test_no_command_imports_a_module_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The module of every command is loaded in a process that would look there first."""
    traps = Traps(tmp_path, monkeypatch)
    code = (
        f"import sys; sys.path[:0] = [{str(PACKAGE.parent)!r}]\n"
        "from lentigo.cli.start import main\n"
        "sys.path[:0] = ['']  # as an empty place in PYTHONPATH does\n"
        "sys.argv[1:] = ['list', 'recipes']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "from lentigo.cli.commands import COMMANDS, load_command\n"
        "for name in COMMANDS: load_command(name)\n"
        "import json, struct, tabnanny\n"
        "print(len(COMMANDS), 'commands')"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"{len(COMMANDS)} commands\n")
    assert traps.sprung == []


TINY = "--recipe demo --set training.epochs=1 --set imaging.size=64"

LINES = {
    "train": f"train {{0}}/t.csv {TINY} --set imaging.workers=2 --out run",
    "demo": "demo --images 300 --set training.epochs=1 --out demo",
    "run": f"run {{0}}/t.csv {TINY} --out whole",
    "tune": f"tune {{0}}/t.csv {TINY} --search model.dropout=0..0.5 --trials 1 --out tuned",
    "ablate": f"ablate {{0}}/t.csv {TINY} --switches training.epochs=2 --seeds 1 --out ab",
    "find-rate": f"find-rate {{0}}/t.csv {TINY} --steps 20 --out rates",
    "abcd": "abcd {0}/one.jpg --out measured",
    "audit": "audit {0}/t.csv --size 64 --out audit",
    "calibrate": "calibrate run {0}/t.csv --out own",
    "card": "card run",
    "change": "change {0}/one.jpg {0}/two.jpg --model run --out changed",
    "combine": "combine {0}/t.csv --out combined.csv",
    "compare": "compare {0}/p.csv b={0}/p.csv --truth {0}/t.csv --repeats 10",
    "drift": "drift run {0}/p.csv --repeats 200 --images {0}/images --out drifted",
    "duckling": "duckling run {0}/t.csv --out odd",
    "evaluate": "evaluate {0}/p.csv --truth {0}/t.csv --repeats 10 --baselines --out e",
    "explain": "explain run {0}/one.jpg --method occlusion,grad_cam --out explained",
    "explore": "explore {0}/t.csv --out explored",
    "export": "export run --out exported",
    "grid": "grid {0}/t.csv --limit 4 --out g.png",
    "list": "list backbones resnet10",
    "outline": "outline {0}/one.jpg --out outlined",
    "lock": "lock {0}/t.csv --model run --threshold 0.3 --out locked",
    "power": "power run/predictions.csv --truth {0}/t.csv --width 0.3",
    "predict": "predict exported {0}/images --out p.csv --submission s.csv",
    "prepare": "prepare {0}/t.csv --size 32 --workers 2 --out store",
    "read": "read csv {0}/t.csv --fill --encode --out read.csv",
    "readers": "readers {0}/readers.csv --truth {0}/t.csv --repeats 10",
    "runs": "runs .",
    "similar": "similar run {0}/one.jpg --out similar.csv",
    "split": "split {0}/t.csv --out split.csv",
    "stress": "stress run {0}/few.csv --only ruler --out stressed",
    "view": "view {0}/one.jpg --view rgb,dullrazor --out views",
    "watch": "watch {0}/inbox --model run --once --out answers",
    "serve": "serve run --port 0 --audit-log audit.sqlite",
    "audit-log": "audit-log verify audit.sqlite",
}
"""Of every command one line, in an order in which each finds what it needs; {0} is a folder
of input, and they run in a folder of traps."""
MAY_REFUSE = {"calibrate", "drift", "duckling", "power", "similar"}
"""Commands that may find these few images too few; they start their processes before."""


def lay_out(folder: Path) -> None:
    table = draw_dataset(folder, images=300, size=64)
    columns = ["image_id", "path", "patient_id", "age", "sex", "site", "melanoma"]
    table[columns].to_csv(folder / "t.csv", index=False)
    own = table[["image_id", "melanoma"]]
    # Stress tests leave out images that the model learnt from.
    unseen = draw_dataset(folder / "unseen", images=120, size=64, seed=1)[columns]
    unseen["image_id"] = "unseen-" + unseen["image_id"]
    few = unseen.groupby("melanoma", observed=True).head(6)
    few.to_csv(folder / "few.csv", index=False)
    images = sorted((folder / "images").iterdir())
    (folder / "inbox").mkdir()
    for name, image in zip(("one.jpg", "two.jpg", "inbox/a.jpg"), images, strict=False):
        (folder / name).write_bytes(image.read_bytes())
    answers = own[["image_id"]].assign(probability=[0.1, 0.6, 0.4] * (len(own) // 3))
    answers.to_csv(folder / "p.csv", index=False)
    readers = own[["image_id"]].assign(ana=[0, 1] * (len(own) // 2), bo=1)
    readers.to_csv(folder / "readers.csv", index=False)


def serve(words: list[str], image: Path) -> int:
    """Start the service, let it answer for `image`, and stop it; its exit code."""
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    address, began = "", time.monotonic()
    while not address and time.monotonic() - began < 120:
        line = process.stdout.readline().decode() if process.stdout else ""
        address = next((w.rstrip(".,/") for w in line.split() if w.startswith("http")), "")
    end = b"--x\r\n"
    body = (
        end
        + b'Content-Disposition: form-data; name="images"; filename="a.jpg"\r\n'
        + b"Content-Type: image/jpeg\r\n\r\n"
        + image.read_bytes()
        + b"\r\n--x--\r\n"
    )
    head = {"Content-Type": "multipart/form-data; boundary=x"}
    asked = urllib.request.Request(f"{address}/v1/predictions", data=body, headers=head)
    with urllib.request.urlopen(asked, timeout=120) as answer:
        assert answer.status == 200
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    return process.returncode


@pytest.mark.slow
def test_every_command_springs_no_trap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some minutes. A module on `PYTHONPATH` may run in the command itself: Python starts
    it before any of ours; in no process that the command starts.
    """
    assert set(LINES) == set(COMMANDS)
    lay_out(given := tmp_path / "given")
    traps = Traps(tmp_path / "traps", monkeypatch)
    (named := tmp_path / "named").mkdir()
    pids = tmp_path / "pids.txt"
    note = f"import os; open({str(pids)!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
    (named / "sitecustomize.py").write_text(note)
    monkeypatch.setenv("PYTHONPATH", str(named))
    for settings in ("matplotlibrc", ".numba_config.yaml", "setup.cfg", "pytest.ini"):
        (traps.here / settings).write_text("text.usetex: True\n")
    for name, line in LINES.items():
        words = [str(LENTIGO), *shlex.split(line.format(given))]
        if name == "serve":
            code, told = serve(words, given / "one.jpg"), ""
        else:
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            code, told = done.returncode, done.stdout + done.stderr
        allowed = {0, 143} if name == "serve" else {0, 1} if name in MAY_REFUSE else {0}
        assert code in allowed, f"{line}\n{told}"
        assert traps.sprung == [], line
        assert len(pids.read_text().split()) == 1, line
        pids.unlink()
    assert not os.path.lexists(traps.here / "__pycache__")
