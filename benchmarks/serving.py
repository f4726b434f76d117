"""What `lentigo serve` must hold under load, each claim with "holds" or "DOES NOT HOLD".

    python benchmarks/serving.py MODEL IMAGE… [--seconds 15] [--soak 15] [--only CLAIM…]

The service runs as a process of its own on loopback; this program is its clients. Claims:

- throughput: at saturation (as many clients as its queue holds images, each asking one
  after another) at least 0.8 of the images a second of the same engine without HTTP: same
  decoding, checks, networks and rows, in the same batches;
- overload: at twice and ten times what it can do only 200 and 503, and the 99th percentile
  of the seconds until an answer 200 below four times that at half load;
- end: SIGTERM under load loses no accepted request;
- killed: a killed worker is replaced, and no answer but 200 and 503 is seen;
- soak: memory grows by less than 1 MB a minute at half load (`--soak` is in minutes).

Requests of an overload come at a fixed rate, whatever becomes of those before. The exit
code is 1 if a claim does not hold. Other programs on the same cores make the times worse,
so the seconds of processor time an image are printed beside the throughput.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import psutil

from lentigo.inference.predict import load
from lentigo.inference.served import Question, answer
from lentigo.service.decoding import Decoder

CLIENTS = 7
"""Clients at saturation: the queue of the service holds as many images."""
BATCH = 8
"""Images a batch without HTTP."""
CLAIMS = ("throughput", "overload", "end", "killed", "soak")


def family(pid: int) -> dict[int, tuple[float, float]]:
    """Return a process and all its descendants: seconds of processor, resident MB."""
    found = {}
    first = psutil.Process(pid)
    for each in (first, *first.children(recursive=True)):
        with suppress(psutil.NoSuchProcess), each.oneshot():
            used = each.cpu_times()
            found[each.pid] = used.user + used.system, each.memory_info().rss / 1e6
    return found


def processor(pid: int) -> float:
    """Return the seconds of processor time of a process and its descendants."""
    return sum(seconds for seconds, _ in family(pid).values())


def engine_alone(model: Path, files: Sequence[bytes], seconds: float) -> tuple[float, ...]:
    """Return images a second, and ms of processor time an image, without HTTP."""
    loaded = load(model)
    ways = tuple(dict.fromkeys(each.preparation for each in loaded.members))
    decoder = Decoder(max_pixels=100_000_000)
    endless = itertools.cycle(files)

    def batch() -> None:
        found = decoder.prepare([next(endless) for _ in range(BATCH)], ways)
        squares = {way: [each.squares[way] for each in found] for way in ways}
        answer(loaded, [Question(1)] * BATCH, squares)

    batch()
    images, begun, used = 0, time.monotonic(), processor(os.getpid())
    while time.monotonic() - begun < seconds:
        batch()
        images += BATCH
    speed = images / (time.monotonic() - begun)
    used = processor(os.getpid()) - used
    decoder.close()
    return speed, 1000 * used / images


class Service:
    """The service as a process."""

    def __init__(self, model: Path, *words: str) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.log, self._read = Path(self._folder.name, "log"), 0
        program = str(Path(sys.executable).with_name("lentigo"))
        with self.log.open("a") as errors:
            self.process = subprocess.Popen(
                [program, "serve", str(model), "--port", "0", *words],
                stdout=subprocess.PIPE, stderr=errors, text=True,
            )  # fmt: skip
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().split(" ")[1]

    def accepted(self) -> list[float]:
        """Return the seconds of the answers 200 since the last call, by its own log."""
        text = self.log.read_text(encoding="utf-8")[self._read :]
        self._read += len(text)
        lines = [json.loads(line) for line in text.splitlines() if line[:1] == "{"]
        return [
            each["ms"] / 1000
            for each in lines
            if each.get("status") == 200 and each.get("method") == "POST"
        ]

    def memory(self) -> float:
        """Return the resident memory of it and its descendants, in MB."""
        return sum(size for _, size in family(self.process.pid).values())

    def worker(self) -> int:
        """Return the process id of the process that computes; 0 while there is none."""
        for each in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(psutil.Error):
                if any("worker_process" in word for word in each.cmdline()):
                    return each.pid
        return 0

    def end(self) -> int:
        """End it; return its exit code."""
        self.process.terminate()
        return self.process.wait()


class Clients:
    """Connections to the service. They read no more of an answer than its status.

    A library for HTTP would take about as much of the processor as the service does.
    """

    def __init__(self, url: str, files: Sequence[bytes]) -> None:
        place = urlsplit(url)
        self._host, self._port = place.hostname or "", place.port or 80
        self._requests = [_request(place.netloc, each) for each in files]
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.codes: Counter[int] = Counter()
        """By status, how many answers; 0 where there was none."""
        self.times: list[float] = []
        """Seconds until each answer 200."""

    async def ask(self, number: int) -> int:
        """Send one request; return the status of its answer, 0 if there was none."""
        begun, code = time.monotonic(), 0
        try:
            reader, writer = await self._connection()
            writer.write(self._requests[number % len(self._requests)])
            await writer.drain()
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 180)
            fields = dict(
                line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if line
            )
            await reader.readexactly(int(fields[b"content-length"]))
            code = int(head.split(b" ", 2)[1])
            if fields.get(b"connection") == b"close":
                writer.close()
            else:
                self._free.append((reader, writer))
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            code = 0
        self.codes[code] += 1
        if code == 200:
            self.times.append(time.monotonic() - begun)
        return code

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._free:
            reader, writer = self._free.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
        return await asyncio.open_connection(self._host, self._port)

    def close(self) -> None:
        """Close all connections."""
        for _, writer in self._free:
            writer.close()
        self._free.clear()

    async def busy(self, clients: int, seconds: float) -> None:
        """Let `clients` ask one after another."""
        end = time.monotonic() + seconds

        async def one(number: int) -> None:
            while time.monotonic() < end:
                if await self.ask(number) != 200:
                    await asyncio.sleep(0.02)

        await asyncio.gather(*map(one, range(clients)))

    async def at_rate(self, rate: float, seconds: float) -> None:
        """Send `rate` requests a second, whatever becomes of those before."""
        tasks, begun = [], time.monotonic()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0, begun + number / rate - time.monotonic()))
            tasks.append(asyncio.create_task(self.ask(number)))
        await asyncio.gather(*tasks)


def _request(host: str, content: bytes) -> bytes:
    edge = "edgeofapart"
    part = (
        f'--{edge}\r\ncontent-disposition: form-data; name="images"; filename="x"\r\n\r\n'
    )
    body = part.encode() + content + f"\r\n--{edge}--\r\n".encode()
    head = (
        f"POST /v1/predictions HTTP/1.1\r\nhost: {host}\r\n"
        f"content-type: multipart/form-data; boundary={edge}\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def loaded(
    service: Service, files: Sequence[bytes], rate: float, seconds: float
) -> Clients:
    """Return clients that have sent `rate` requests a second; 0 stands for saturation."""
    clients = Clients(service.url, files)

    async def work() -> None:
        busy = clients.busy(CLIENTS, seconds) if not rate else None
        await (busy or clients.at_rate(rate, seconds))
        clients.close()

    asyncio.run(work())
    return clients


def p99(times: Sequence[float]) -> float:
    """Return the 99th percentile in ms; NaN without times."""
    return 1000 * float(np.quantile(times, 0.99)) if len(times) else float("nan")


class Claims:
    """The claims, what was found of each, and whether all of them hold."""

    def __init__(self) -> None:
        self.all_hold = True

    def say(self, name: str, holds: bool, found: str) -> None:
        """Print one line on a claim."""
        self.all_hold &= holds
        print(f"{'holds' if holds else 'DOES NOT HOLD'}: {name}: {found}", flush=True)


def throughput(
    service: Service, files: Sequence[bytes], seconds: float, model: Path, claims: Claims
) -> None:
    """Compare the images a second with those of the engine alone, one after the other."""
    alone, cost = engine_alone(model, files, seconds)
    used, begun = processor(service.process.pid), time.monotonic()
    found = loaded(service, files, 0, seconds)
    http = found.codes[200] / (time.monotonic() - begun)
    used = processor(service.process.pid) - used
    own = 1000 * used / max(1, found.codes[200])
    claims.say(
        "throughput",
        http >= 0.8 * alone,
        f"{http:.1f} images/s through HTTP, {alone:.1f} without: {http / alone:.2f} of it "
        f"(0.8 are asked). Processor an image {own:.1f} ms, {cost:.1f} ms without.",
    )


def overload(
    service: Service, files: Sequence[bytes], seconds: float, best: float, claims: Claims
) -> None:
    """Compare the waiting at two and ten times what it can do with that at half of it."""
    usual = float("nan")
    for load_ in (0.5, 2.0, 10.0):
        service.accepted()
        found = loaded(service, files, load_ * best, seconds)
        time.sleep(0.5)  # its last lines of log
        own, within = p99(found.times), p99(service.accepted())
        usual = own if load_ < 1 else usual
        only = set(found.codes) <= {200, 503} and found.codes[200] > 0
        claims.say(
            f"load {load_:g} times",
            only and (load_ < 1 or own < 4 * usual),
            f"{dict(sorted(found.codes.items()))}; of the answers 200, 99 % within "
            f"{own:.0f} ms at the client ({own / usual:.1f} times that at half load; below "
            f"4 are asked), {within:.0f} ms in the service.",
        )


def killed(
    service: Service, files: Sequence[bytes], best: float, seconds: float, claims: Claims
) -> None:
    """Kill the process that computes, under half load."""
    first = service.worker()
    clients = Clients(service.url, files)

    async def work() -> None:
        asking = asyncio.create_task(clients.at_rate(best / 2, max(seconds, 20)))
        await asyncio.sleep(2)
        os.kill(first, signal.SIGKILL)
        await asking
        clients.close()

    asyncio.run(work())
    after = loaded(service, files, best / 2, 3)
    second = service.worker()
    replaced = second not in {0, first} and set(after.codes) == {200}
    claims.say(
        "killed",
        replaced and set(clients.codes) <= {200, 503},
        f"worker {first} was killed, {second} computes now; answers "
        f"{dict(sorted(clients.codes.items()))}, afterwards {dict(after.codes)}.",
    )


def ended(service: Service, files: Sequence[bytes], claims: Claims) -> None:
    """Ask it to end while requests are under way; no request that it took may be lost."""
    clients = Clients(service.url, files)
    service.accepted()

    async def work() -> None:
        asking = asyncio.create_task(clients.busy(BATCH, 4))
        await asyncio.sleep(2)
        service.process.send_signal(signal.SIGTERM)
        await asking

    asyncio.run(work())
    code = service.process.wait(120)
    answered = len(service.accepted())
    claims.say(
        "end",
        code == 143 and clients.codes[200] == answered > 0,
        f"exit code {code}; {answered} answers 200 by its log, {clients.codes[200]} at the "
        f"clients ({clients.codes[503]} answers 503, {clients.codes[0]} refused a "
        "connection).",
    )


def soak(
    service: Service, files: Sequence[bytes], best: float, minutes: float, claims: Claims
) -> None:
    """Measure how memory grows at half load, after a quarter of the time before it."""
    loaded(service, files, best / 2, 15 * minutes)
    found, codes, begun = [], Counter[int](), time.monotonic()
    while time.monotonic() - begun < 60 * minutes or len(found) < 3:
        codes += loaded(service, files, best / 2, min(5, 10 * minutes)).codes
        found.append(((time.monotonic() - begun) / 60, service.memory()))
    times, sizes = np.transpose(found)
    slope = float(np.polyfit(times, sizes, 1)[0])
    claims.say(
        "soak",
        slope < 1 and set(codes) <= {200, 503},
        f"memory {slope:+.2f} MB a minute over {times[-1]:.1f} minutes ({sizes[0]:.0f} to "
        f"{sizes[-1]:.0f} MB; below 1 a minute is asked), answers {dict(codes)}.",
    )


def main() -> None:
    """Measure, and print one line a claim."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("images", type=Path, nargs="+")
    parser.add_argument("--seconds", type=float, default=15, help="of each load")
    parser.add_argument("--soak", type=float, default=1, help="minutes")
    parser.add_argument("--set", nargs="+", default=[], help="as of lentigo serve")
    parser.add_argument("--only", nargs="+", choices=CLAIMS, default=CLAIMS)
    given = parser.parse_args()
    files = [each.read_bytes() for each in given.images]
    words = itertools.chain.from_iterable(("--set", each) for each in given.set)
    claims, service, seconds = Claims(), Service(given.model, *words), given.seconds
    loaded(service, files, 0, 2)  # what is loaded with the first requests
    begun = time.monotonic()
    best = loaded(service, files, 0, seconds / 2).codes[200]
    best = best / (time.monotonic() - begun)
    print(
        f"At saturation {best:.1f} images/s; load of the machine {os.getloadavg()[0]:.1f}"
    )
    steps: dict[str, Callable[[], None]] = {
        "throughput": lambda: throughput(service, files, seconds, given.model, claims),
        "overload": lambda: overload(service, files, seconds, best, claims),
        "soak": lambda: soak(service, files, best, given.soak, claims),
        "killed": lambda: killed(service, files, best, seconds, claims),
        "end": lambda: ended(service, files, claims),
    }
    for name, step in steps.items():
        if name in given.only:
            step()
    if service.process.poll() is None:
        service.end()
    print(f"load of the machine {os.getloadavg()[0]:.1f}")
    sys.exit(not claims.all_hold)


if __name__ == "__main__":
    main()
