"""How fast `lentigo serve` answers, beside its engine without HTTP, and under overload.

    python benchmarks/serving.py MODEL IMAGE… [--seconds 15] [--soak 60]

The service runs as a process of its own on loopback. First as many clients as keep it busy
ask one after another; then requests come at a fixed rate, whatever becomes of those before:
half, twice and ten times what it can do.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import httpx
import numpy as np

from lentigo.inference.predict import load
from lentigo.inference.served import Question, answer
from lentigo.service.decoding import Decoder


def engine_alone(model: Path, files: Sequence[bytes], seconds: float, batch: int) -> float:
    """Return images a second of decoding and computing, in batches, without HTTP."""
    loaded = load(model)
    ways = tuple(dict.fromkeys(each.preparation for each in loaded.members))
    decoder = Decoder(max_pixels=100_000_000)
    decoder.prepare(files[:2], ways)
    images, begun = 0, time.monotonic()
    endless = itertools.cycle(files)
    while time.monotonic() - begun < seconds:
        found = decoder.prepare([next(endless) for _ in range(batch)], ways)
        squares = {way: [each.squares[way] for each in found] for way in ways}
        answer(loaded, [Question(1)] * batch, squares)
        images += batch
    speed = images / (time.monotonic() - begun)
    decoder.close()
    return speed


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
        """Return the resident memory of it and its children, in MB."""
        total = 0
        for path in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
                if self.process.pid in {parent, int(path.name)}:
                    total += int((path / "statm").read_text().split()[1]) * 4096
            except OSError:
                continue
        return total / 1e6

    def end(self) -> int:
        """End it; return its exit code."""
        self.process.terminate()
        return self.process.wait()


async def busy(url: str, files: Sequence[bytes], clients: int, seconds: float) -> float:
    """Return answers a second while `clients` ask one after another."""
    done, end = 0, time.monotonic() + seconds

    async def one(client: httpx.AsyncClient, content: bytes) -> None:
        nonlocal done
        while time.monotonic() < end:
            answer = await client.post("v1/predictions", files={"images": content})
            if answer.status_code == 200:
                done += 1
            else:
                await asyncio.sleep(0.05)

    async with _client(url) as client:
        begun = time.monotonic()
        await asyncio.gather(*(one(client, files[n % len(files)]) for n in range(clients)))
        return done / (time.monotonic() - begun)


async def at_rate(
    url: str, files: Sequence[bytes], rate: float, seconds: float
) -> tuple[Counter[int], list[float]]:
    """Send `rate` requests a second; return status codes, and seconds of those accepted."""
    codes: Counter[int] = Counter()
    times: list[float] = []

    async def one(client: httpx.AsyncClient, content: bytes) -> None:
        begun = time.monotonic()
        try:
            answer = await client.post("v1/predictions", files={"images": content})
        except httpx.HTTPError:
            codes[0] += 1
            return
        codes[answer.status_code] += 1
        if answer.status_code == 200:
            times.append(time.monotonic() - begun)

    async with _client(url) as client:
        tasks = []
        begun = time.monotonic()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0, begun + number / rate - time.monotonic()))
            tasks.append(asyncio.create_task(one(client, files[number % len(files)])))
        await asyncio.gather(*tasks)
    return codes, times


def _client(url: str) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=500, max_keepalive_connections=500)
    return httpx.AsyncClient(base_url=url, timeout=60, limits=limits, trust_env=False)


def soak(service: Service, files: Sequence[bytes], rate: float, seconds: float) -> float:
    """Return by how many MB a minute memory grows at half load, after a quarter of it."""
    asyncio.run(at_rate(service.url, files, rate, seconds / 4))
    found = []
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        asyncio.run(at_rate(service.url, files, rate, 5))
        found.append((time.monotonic() - begun, service.memory()))
    times, sizes = np.transpose(found)
    return float(60 * np.polyfit(times, sizes, 1)[0])


def main() -> None:
    """Measure, and print one line a measurement."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("images", type=Path, nargs="+")
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--soak", type=float, default=60)
    given = parser.parse_args()
    files = [each.read_bytes() for each in given.images]
    alone = engine_alone(given.model, files, given.seconds, 8)
    service = Service(given.model)
    http = asyncio.run(busy(service.url, files, 8, given.seconds))
    print(f"engine alone {alone:.1f} images/s, HTTP {http:.1f}: {http / alone:.2f} of it")
    service.accepted()
    for load_ in (0.5, 2.0, 10.0):
        codes, times = asyncio.run(at_rate(service.url, files, load_ * http, given.seconds))
        p99 = [
            1000 * float(np.quantile(found, 0.99)) if found else float("nan")
            for found in (times, service.accepted())
        ]
        print(
            f"load {load_:g}×: {dict(sorted(codes.items()))}, accepted p99 "
            f"{p99[0]:.0f} ms at the client, {p99[1]:.0f} ms in the service"
        )
    if given.soak:
        slope = soak(service, files, 0.5 * http, given.soak)
        print(f"memory {slope:+.2f} MB a minute over {given.soak:g} s")
    print(f"exit code on SIGTERM {service.end()}")


if __name__ == "__main__":
    main()
