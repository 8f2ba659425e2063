"""How a run's time and memory grow: with images, their size, the grid and the variants.

    python benchmarks/growth.py [--images N]

EfficientNet-Lite0 on generated displays, one image at a time, no bounds. Each figure comes from a
process of its own, so that memory is that of this run alone; `memory grew` is what the run added
after a tenth of its images.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from pathlib import Path

from timing import machine, peak_megabytes, photographs, resident_megabytes

import quickgaze as qg
from quickgaze.backbones import keep_freed_memory

GRIDS = ["coarsest", "s16", "s8", "finest"]
RULES = ["activation", "skew", "oracle"]


def measured(count: int, size: tuple[int, int], options: dict[str, list[str]]) -> list[float]:
    """Milliseconds an image, growth and peak of memory in megabytes, of a run of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (count, size, options))


def _measured(count: int, size: tuple[int, int], options: dict[str, list[str]]) -> list[float]:
    settings = {"orientations": ["activation"], **options}
    with tempfile.TemporaryDirectory() as place:
        dataset = photographs(Path(place) / "data", count, size)
        backbone = qg.load_backbone("efficientnet_lite0", device="cpu")

        def run(first: int, last: int, name: str) -> float:
            some = qg.stimuli.Dataset("photographs", dataset.stimuli[first:last], "generated")
            study = qg.Study(some, [backbone], bounds=[], **settings)
            start = time.perf_counter()
            study.run(Path(place) / name, progress=False, batch_size=1)
            return time.perf_counter() - start

        tenth = max(2, count // 10)
        run(0, tenth, "first")
        before = resident_megabytes()
        seconds = run(0, count, "all")
        return [1000 * seconds / count, resident_megabytes() - before, peak_megabytes()]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=24)
    count = parser.parse_args().images
    keep_freed_memory()  # as the command line does
    print(machine() + "\n")
    print("| what | ms an image | memory grew, MB | peak, MB |\n| --- | --- | --- | --- |")
    usual = (480, 640)
    cases: dict[str, tuple[int, tuple[int, int], dict[str, list[str]]]] = {
        **{f"{number} images of 120 x 160": (number, (120, 160), {}) for number in (200, 2000)},
        **{
            f"{height} x {width} pixels": (count, (height, width), {})
            for height, width in ((240, 320), usual, (960, 1280))
        },
        **{f"grid {grid}": (count, usual, {"grids": [grid]}) for grid in GRIDS},
        **{
            f"{len(grids) * len(rules)} variants: {len(grids)} grids, {len(rules)} rules": (
                count,
                usual,
                {"grids": grids, "orientations": rules},
            )
            for grids, rules in ((GRIDS[:1], RULES), (GRIDS[:2], RULES), (GRIDS, RULES))
        },
    }
    for name, case in cases.items():
        taken, grew, peak = measured(*case)
        print(f"| {name} | {taken:.0f} | {grew:.0f} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()
