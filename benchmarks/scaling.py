"""What each stage of a run costs on this machine, and what that makes of large data sets.

    python benchmarks/scaling.py [--images N] [BACKBONE ...]

Generated displays of 480 x 640 pixels, one variant per image, the default metrics. Each stage is
timed by itself, one image at a time; the medians are printed with what they add up to.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from timing import machine, peak_megabytes, photographs

import quickgaze as qg
from quickgaze.backbones import keep_freed_memory
from quickgaze.bounds import GazePool
from quickgaze.errors import RandomWeightsWarning
from quickgaze.saliency import as_batch
from quickgaze.study._job import WorkerRecipe
from quickgaze.study._tasks import StimulusTasks

SIZES = {"SALICON val": 5_000, "COCO": 330_000, "Open Images": 9_000_000}


def median(call: Callable[[int], object], count: int) -> float:
    """Median seconds of a call for each image, after a first one that does not count."""
    call(0)
    taken = []
    for number in range(count):
        started = time.perf_counter()
        call(number)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def stages(dataset: qg.stimuli.Dataset, name: str) -> Iterator[tuple[str, float]]:
    """Name and median seconds of each stage, for one image."""
    weights = "default" if name == "efficientnet_lite0" else "none"
    options = {"orientations": ["activation"], "weights": weights, "device": "cpu"}
    study = qg.Study(dataset, [name], **options)
    settings = study.settings
    recipe = WorkerRecipe(settings, 1)
    backbones = recipe.load_backbones("cpu")
    plain = StimulusTasks(settings)
    helpers = recipe.start_helpers(plain, backbones)
    worker = recipe.worker(backbones, helpers)
    count = len(dataset)
    images = [stimulus.image() for stimulus in dataset]
    batches = [torch.from_numpy(image).permute(2, 0, 1)[None] / 255 for image in images]
    yield "read the image", median(lambda i: plain.image(dataset[i], None), count)
    forward = median(lambda i: backbones[0](batches[i]), count)
    yield "backbone", forward
    cams = [worker._cams(as_batch([image]))[0] for image in images]  # noqa: SLF001 - the stage itself
    both = median(lambda i: worker._cams(as_batch([images[i]])), count)  # noqa: SLF001
    yield "CAM and evidence", max(0.0, both - forward)
    size = images[0].shape[:2]
    scored = median(lambda i: plain.rows(dataset[i], size, cams[i]), count)
    yield "gaze and scores", scored
    pool = GazePool.read(dataset)
    full = StimulusTasks(settings, (), pool)
    bounds = median(lambda i: full.rows(dataset[i], size, cams[i]), count)
    yield "bounds", max(0.0, bounds - scored)
    helpers.close()


def stored(dataset: qg.stimuli.Dataset, folder: Path) -> float:
    """Bytes that a run keeps for each image."""
    study = qg.Study(dataset, orientations=["activation"], device="cpu")
    run = study.run(folder, progress=False)
    return sum(path.stat().st_size for path in run.path.rglob("*") if path.is_file()) / len(dataset)


def hours(seconds: float, count: int) -> str:
    """Write a time of many images."""
    total = seconds * count / 3600
    return f"{total:,.1f} h" if total < 48 else f"{total / 24:,.0f} days"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("backbones", nargs="*")
    parser.add_argument("--images", type=int, default=12)
    given = parser.parse_args()
    names = given.backbones or ["efficientnet_lite0", "fasterrcnn_resnet50_fpn"]
    warnings.simplefilter("ignore", RandomWeightsWarning)
    keep_freed_memory()  # as the command line does
    print(machine() + "\n")
    with tempfile.TemporaryDirectory() as place:
        dataset = photographs(Path(place) / "data", given.images)
        print("| backbone | stage | ms an image |")
        print("| --- | --- | --- |")
        totals = {}
        for name in names:
            taken = dict(stages(dataset, name))
            for stage, seconds in taken.items():
                print(f"| {name} | {stage} | {1000 * seconds:,.0f} |")
            totals[name] = (sum(taken.values()) - taken["bounds"], taken["bounds"])
        kept = stored(dataset, Path(place) / "run")
    peak = peak_megabytes()
    print(f"\nlargest memory of this process, all backbones loaded in turn: {peak:,.0f} MB")
    print("\n| backbone | data set | one variant | with bounds | run folder |")
    print("| --- | --- | --- | --- | --- |")
    for name, (plain, bounds) in totals.items():
        for title, count in SIZES.items():
            whole = hours(plain + bounds, count)
            print(
                f"| {name} | {title}, {count:,} | {hours(plain, count)} | {whole} | "
                f"{kept * count / 1e6:,.0f} MB |"
            )


if __name__ == "__main__":
    main()
