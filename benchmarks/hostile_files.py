"""Broken and hostile files at the decoding door: `python benchmarks/hostile_files.py`.

10,000 mutants of whole files of every kind, files that claim or cost too much, and with
`--files DIR` whatever lies in a folder, such as the test images of Pillow's source package
(`pip download --no-binary :all: --no-deps pillow`) or of the package pydicom-data. Counted
are crashes, files that kept the process for more than 2 seconds, errors without a type, and
the peak of its memory. Then: what guarding costs, beside decoding in the same process.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from lentigo.errors import ImageError  # noqa: E402
from lentigo.imaging.decoding.image import read_image  # noqa: E402
from lentigo.imaging.sandbox.reader import GuardedReader  # noqa: E402
from tests.hostile.bombs import COSTLY, huge_claims  # noqa: E402
from tests.hostile.mutants import mutants  # noqa: E402
from tests.hostile.seeds import seeds  # noqa: E402

SLOW = 2.0
DATA = ROOT.parent / "shared" / "data"
Item = tuple[str, Any]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=10_000, help="How many mutants.")
    arguments.add_argument("--files", type=Path, action="append", default=[])
    given = arguments.parse_args()
    examine(f"{given.count:,} mutants", made(given.count))
    examine("pictures that cost too much", ((n, file(n, COSTLY[n]())) for n in COSTLY))
    claims = huge_claims()
    times = examine(
        "pictures that claim too much", ((n, file(n, claims[n])) for n in claims)
    )
    for seconds, name in times:
        print(f"    {name}: {1000 * seconds:.0f} ms")
    for folder in given.files:
        found = (path for path in sorted(folder.rglob("*")) if path.is_file())
        examine(str(folder), ((path.name, path) for path in found))
    guarding()


def made(count: int) -> Iterator[Item]:
    for each in mutants(count):
        yield f"{each.kind}, {each.deed}", file(each.name, each.data)


def file(name: str, data: bytes) -> BytesIO:
    stream = BytesIO(data)
    stream.name = name
    return stream


def examine(title: str, items: Iterable[Item]) -> list[tuple[float, str]]:
    ended, times, untyped, peak = Counter[str](), [], [], 0.0
    with GuardedReader() as reader:
        reader.start()
        reader.read_image(file("first.dcm", seeds()["DICOM"][0]))  # libraries are loaded
        for name, source in items:
            started = time.perf_counter()
            try:
                reader.read_image(source)
                ended["read"] += 1
            except ImageError as error:
                ended[outcome(str(error))] += 1
            except Exception as error:
                untyped.append(f"{name}: {error!r}")
            times.append((time.perf_counter() - started, name))
            peak = max(peak, memory_of(reader))
    slow = [f"{name} {seconds:.1f} s" for seconds, name in times if seconds > SLOW]
    print(f"{title}: {len(times):,} files")
    print("  " + ", ".join(f"{count:,} {how}" for how, count in ended.most_common()))
    print(f"  errors without a type: {len(untyped)} {untyped[:3]}")
    print(f"  longer than {SLOW:g} s: {len(slow)} {slow[:3]}")
    worst = max(times, default=(0.0, ""))
    print(f"  longest {worst[0]:.2f} s ({worst[1]}); most memory {peak:,.0f} MB")
    return times


def memory_of(reader: GuardedReader) -> float:
    """Most memory that the process at work ever held, in MB; 0 where nobody says."""
    process = reader._children[0]._process
    status = Path(f"/proc/{process.pid}/status") if process else Path("/nowhere")
    if not status.is_file():
        return 0.0
    lines = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(lines[0].split()[1]) / 1024 if lines else 0.0


def outcome(said: str) -> str:
    for word, name in (
        ("crashed or was killed", "killed their process"),
        ("seconds of work", "ended for their work"),
        ("by the clock", "ended by the clock"),
        ("memory", "refused for memory"),
    ):
        if word in said:
            return name
    return "refused with a reason"


def guarding() -> None:
    """Milliseconds an image, in this process and guarded."""
    for title, pattern, count in (
        ("200 × 150", "ham10000/HAM10000_images_part_1/*.jpg", 400),
        ("256 × 256", "isic2017/ISIC-2017_Training_Data/*.jpg", 400),
        ("large originals", "odd/ISIC_*_original.jpg", 10),
    ):
        paths = sorted(DATA.glob(pattern))[:count]
        if not paths:
            continue
        with GuardedReader() as reader:
            reader.start()
            plain, guarded = compare(paths, read_image, reader.read_image)
        print(
            f"{title}: {plain:.2f} ms an image unguarded, {guarded:.2f} ms guarded "
            f"({guarded / plain:.2f} times)"
        )


def compare(paths: list[Path], *ways: Callable[[Path], object]) -> list[float]:
    times: list[list[float]] = [[] for _ in ways]
    for _ in range(3):
        for way, spent in zip(ways, times, strict=True):
            started = time.perf_counter()
            for path in paths:
                way(path)
            spent.append((time.perf_counter() - started) * 1000 / len(paths))
    return [statistics.median(spent) for spent in times]


if __name__ == "__main__":
    main()
