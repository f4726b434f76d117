"""Work shared among the machines of a Ray cluster, through plain Ray tasks.

A task keeps no state, so Ray gives it to another machine when its own is lost. Results are
taken in the order of the items: none is lost and none comes twice. At any time only a few
items are in work or waiting, however many there are. Ray Data does the same, but 40 items
of 0.2 seconds took it 23 seconds rather than 9 (`python benchmarks/cluster.py`), and it
needs pyarrow on all machines.

Ray itself is driven from a separate process that starts in an empty folder: Ray adds the
folder in which its driver works to the places where all its workers look for modules.
"""

from __future__ import annotations

import os
import pickle
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from lentigo.elsewhere import as_answer
from lentigo.errors import ConfigError, RunError, unknown_name
from lentigo.extras import not_installed
from lentigo.files import temporary_folder
from lentigo.isolated import command, environment, keep_out_the_surroundings
from lentigo.machine import cores, take_cores
from lentigo.version import __version__

Item = TypeVar("Item")
Result = TypeVar("Result")

PLACES = ("here", "ray")
"""The places where work can be done: in this process, or on a Ray cluster."""

_RETRIES = 10
"""How often Ray repeats a task whose worker process was lost."""
_PATIENCE = 5.0
"""Seconds to wait for a cluster to answer at its address."""
_OBJECTS = 200_000_000
"""Bytes of Ray's object store, which holds items and results, in a cluster of this machine
alone."""
_NOBODY = "http://127.0.0.1:9"
ALONE = {
    # Every port of Ray on loopback: without this, it replaces 127.0.0.1 by the address
    # that other machines know (Ray calls the switch after the systems it was made for).
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # Even without statistics Ray asks 169.254.169.254 in which cloud it runs.
    **dict.fromkeys(("http_proxy", "HTTP_PROXY"), _NOBODY),
    **dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost"),
}
"""Environment variables for a cluster of this machine alone: no other machine reaches it,
and it reaches no other machine."""

_PROGRAM = '''
def answer(version, place, cores, question):
    """Sent to the workers as it is here, as they may lack lentigo."""
    import pickle
    try:
        from lentigo.cluster import work
    except ImportError as error:
        return pickle.dumps((None, "has no lentigo to answer with (" + str(error) + ")"))
    return work(version, place, cores, question)

from lentigo.cluster import drive
drive(answer)
'''


def check_place(on: str, address: str | None = None) -> None:
    """Check that `on` is one of `PLACES`, and that the Ray cluster at `address` answers.

    Raises `UnknownNameError` for another place, `ConfigError` for an address that is not of
    the form HOST:PORT or is given for the place "here", `NotInstalledError` if Ray is not
    installed, and `RunError` where nothing answers at the address.
    """
    if on not in PLACES:
        raise unknown_name("place of work", on, PLACES)
    if on == "here":
        if address:
            raise ConfigError("--ray-address is of use with --on ray only; give both.")
        return
    if find_spec("ray") is None:
        raise not_installed("ray", what="Work on a cluster")
    if (found := _address(address)) not in {"", "auto"}:
        _check_there(found)


def on_ray(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    address: str | None = None,
    threads: int = 1,
    gpus: int = 0,
) -> Generator[Result]:
    """Yield `function(item)` for each item, in the order of `items`, by a Ray cluster.

    `function` has to be a function of this package, and may be called more than once for an
    item. `address` (or `RAY_ADDRESS`) names a running cluster; without it, a cluster of
    this machine alone is started, which listens on loopback only, asks for a token, and
    ends with the work. Each item is computed with `threads` threads, and sees `gpus` GPUs
    that no other item uses meanwhile. An exception that `function` raises on the cluster is
    raised by this generator.

    Raises `RunError` where the cluster cannot be reached or has another version of lentigo,
    and what `check_place` raises.
    """
    check_place("ray", address)
    with (
        temporary_folder() as place,
        tempfile.TemporaryFile() as remarks,
    ):
        driver = _started(_address(address), str(place), remarks, (threads, gpus))
        try:
            yield from _asked(driver, function, items)
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            remarks.seek(0)
            said = remarks.read()[-2000:].decode(errors="replace").strip()
            last = said.rpartition("\n")[2][:200].rstrip(".") or "it was killed"
            raise RunError(
                f"The process that drives Ray ended: {last}. What is done is kept: the "
                "same command goes on with it, that of a prediction with --resume."
            ) from error
        finally:
            _end(driver)


def is_alone(address: str | None) -> bool:
    """Tell whether `on_ray` with `address` starts a cluster of this machine alone."""
    return not _address(address)


def _address(given: str | None) -> str:
    found = given or os.environ.get("RAY_ADDRESS", "")
    return "" if found == "local" else found


def _check_there(address: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ConfigError(f"The Ray address {address!r} is not of the form HOST:PORT.")
    try:
        socket.create_connection((host, int(port)), timeout=_PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise RunError(
            f"No Ray cluster answers at {address} ({error}). Start one with 'ray start "
            "--head', or give its address with --ray-address."
        ) from error


def _started(
    address: str, folder: str, remarks: Any, each: tuple[int, int]
) -> subprocess.Popen[bytes]:
    settings = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ADDRESS": address or "local"}
    if address:
        settings["RAY_AUTH_MODE"] = os.environ.get("RAY_AUTH_MODE", "token")
    else:
        token = secrets.token_hex(32)
        settings |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token, **ALONE}
    # In its own session: Ctrl-C reaches only this process, which then ends it.
    return subprocess.Popen(
        command(_PROGRAM, address, *map(str, each)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=remarks,
        cwd=folder,
        env=environment(**settings),
        start_new_session=True,
    )


def _asked(
    driver: subprocess.Popen[bytes],
    function: Callable[[Item], Result],
    items: Iterable[Item],
) -> Generator[Result]:
    ahead, waiting = 2 * _answer(driver), 0
    place = str(Path.cwd())
    for item in items:
        question = pickle.dumps((function, item), protocol=5)
        pickle.dump((__version__, place, question), driver.stdin, protocol=5)  # type: ignore[arg-type]
        driver.stdin.flush()  # type: ignore[union-attr]
        waiting += 1
        if waiting >= ahead:
            waiting -= 1
            yield _answer(driver)
    for _ in range(waiting):
        yield _answer(driver)


def _answer(driver: subprocess.Popen[bytes]) -> Any:
    fine, result = pickle.load(driver.stdout)  # type: ignore[arg-type]
    if fine is None:
        raise RunError(
            f"The Ray cluster cannot do this: a worker {result}. Install lentigo "
            f"{__version__} on all its machines."
        )
    if not fine:
        raise result
    return result


def _end(driver: subprocess.Popen[bytes]) -> None:
    """Close the driver's input, so that it leaves its cluster or stops the one it started.

    It is killed if it has not ended after 30 seconds.
    """
    with suppress(OSError):
        driver.stdin.close()  # type: ignore[union-attr]
    try:
        driver.wait(timeout=30)
    except subprocess.TimeoutExpired:
        driver.kill()
        driver.wait()
    driver.stdout.close()  # type: ignore[union-attr]


def drive(answer: Callable[[str, str, int, bytes], bytes]) -> None:
    """Pass questions from standard input to Ray; write the answers to standard output.

    The answers have the order of the questions. Ends when standard input ends. This is the
    whole work of the driver process.
    """
    import queue
    import threading

    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever Ray prints must not get between the answers
    threads, gpus = int(sys.argv[2]), int(sys.argv[3])
    try:
        import ray as found

        ray: Any = found
        _join(ray, sys.argv[1])
        # As many cores as a question may use, if each machine has that many; of a machine
        # with GPUs, those that each of its GPUs leaves.
        each = min([threads, *_cores_of_nodes(ray)])
        if gpus:
            each = min([each, *_cores_of_gpus(ray, gpus)])
        count = sum(n // each for n in _cores_of_nodes(ray))
    except Exception as error:
        _put(out, as_answer(_not_joined(error, sys.argv[1])))
        return
    _put(out, pickle.dumps((True, max(1, count))))
    task = ray.remote(num_cpus=each, num_gpus=gpus, max_retries=_RETRIES)(answer)
    asked: queue.SimpleQueue[Any] = queue.SimpleQueue()
    over = threading.Event()

    def listen() -> None:
        with suppress(EOFError, OSError, pickle.UnpicklingError):
            while True:
                version, place, question = pickle.load(sys.stdin.buffer)
                asked.put(task.remote(version, place, threads, question))
        over.set()
        asked.put(None)

    threading.Thread(target=listen, daemon=True).start()
    with suppress(OSError):  # the process that asked has ended
        while (reference := asked.get()) is not None:
            _put(out, _result(ray, reference, over))
    ray.shutdown()


def _not_joined(error: Exception, address: str) -> RunError:
    reason = " ".join(str(error).split())[:200].rstrip(".") or repr(error)
    if not address:
        return RunError(f"Ray cannot be started: {reason}.")
    return RunError(
        f"The Ray cluster at {address} cannot be joined: {reason}. This machine has to be "
        "one of its nodes, with its token in RAY_AUTH_TOKEN or ~/.ray/auth_token."
    )


def _put(out: Any, answer: bytes) -> None:
    out.write(answer)
    out.flush()


def _cores_of_gpus(ray: Any, gpus: int) -> list[int]:
    """Return the cores per question on each machine with GPUs, if each takes `gpus`."""
    return [
        max(1, int(n["Resources"].get("CPU", 0) * gpus // n["Resources"]["GPU"]))
        for n in ray.nodes()
        if n["Alive"] and n["Resources"].get("GPU", 0) >= gpus
    ]


def _cores_of_nodes(ray: Any) -> list[int]:
    found = [int(n["Resources"].get("CPU", 0)) for n in ray.nodes() if n["Alive"]]
    return [count for count in found if count] or [1]


def _result(ray: Any, reference: Any, over: Any) -> bytes:
    """Wait for the answer of a Ray task; raise `OSError` when standard input has ended."""
    try:
        while not ray.wait([reference], timeout=0.5)[0]:
            if over.is_set():
                raise BrokenPipeError
        return bytes(ray.get(reference))
    except BrokenPipeError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        return as_answer(RunError(f"A task of Ray failed: {reason}"))


def _join(ray: Any, address: str) -> None:
    quiet = {"log_to_driver": False, "configure_logging": False}
    if address:
        ray.init(address=address, **quiet)
        return
    ray.init(
        address="local",
        num_cpus=cores(),
        include_dashboard=False,
        object_store_memory=_OBJECTS,
        **_own_folder(),
        **quiet,
    )


def _own_folder() -> dict[str, str]:
    """Return the argument of `ray.init` that puts Ray's files into the working folder.

    The working folder is deleted afterwards. Empty if its path has 30 characters or more,
    because the path of a socket in it has to be short; Ray then uses its default.
    """
    folder = str(Path.cwd())
    return {"_temp_dir": folder} if len(folder) < 30 else {}


_ready: set[str] = set()


def work(version: str, place: str, threads: int, question: bytes) -> bytes:
    """Answer one question in a worker process of Ray; return the pickled answer.

    `question` is a pickled function and its argument. `version` is the version of lentigo
    in the process that asks, and `place` its working folder. The answer is the pickled pair
    (True, result), (False, exception) or, if this process cannot answer, (None, reason).
    """
    if version != __version__:
        return pickle.dumps((None, f"has lentigo {__version__}, not {version}"))
    if place not in _ready:
        try:
            os.chdir(place)  # paths may be relative to this folder
        except OSError:
            return pickle.dumps((None, f"does not see the folder {place}, where this runs"))
        keep_out_the_surroundings()
        take_cores(threads)
        os.environ["OMP_NUM_THREADS"] = str(threads)  # read when torch is loaded
        _ready.add(place)
    try:
        function, item = pickle.loads(question)
        return pickle.dumps((True, function(item)), protocol=5)
    except Exception as error:
        return as_answer(error)
