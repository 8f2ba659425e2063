"""A whole run beside its bare backbone, and twelve variants beside one.

    python benchmarks/run.py [--images N] [--repeats N] [BACKBONE ...]

Generated displays of 480 x 640 as JPEG files, 300 fixations of 15 observers, the default metrics.
The bare backbone gets tensors that are in memory already, one image at a time: what a run adds is
reading, CAM, saliency map, gaze, scores and tables. Nobody reads the bare backbone's levels, so
the finest of a detector is not computed, of which a run needs some cells; "all levels" reads them.
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
import warnings
from pathlib import Path

import torch
from timing import in_turns, machine, photographs

import quickgaze as qg
from quickgaze.backbones import keep_freed_memory
from quickgaze.errors import RandomWeightsWarning
from quickgaze.saliency import as_batch

ONE = {"orientations": ["activation"]}
TWELVE = {
    "orientations": ["activation", "skew", "oracle"],
    "grids": ["coarsest", "s32", "s16", "12x16"],
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("backbones", nargs="*")
    parser.add_argument("--images", type=int, default=24)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="auto")
    given = parser.parse_args()
    warnings.simplefilter("ignore", RandomWeightsWarning)
    keep_freed_memory()  # as the command line does
    print(machine() + "\n")
    titles = ("backbone", "bare, ms an image", "all levels", "one variant", "twelve variants")
    print(f"| {' | '.join(titles)} | with bounds |\n|{' --- |' * 6}")
    for name in given.backbones or ["efficientnet_lite0", "fasterrcnn_resnet50_fpn"]:
        with tempfile.TemporaryDirectory() as place:
            print(row(Path(place), name, given), flush=True)


def row(folder: Path, name: str, given: argparse.Namespace) -> str:
    """Measure one backbone."""
    dataset = photographs(folder, given.images)
    weights = "default" if name == "efficientnet_lite0" else "none"
    backbone = qg.load_backbone(name, weights, given.device)
    on_gpu = backbone.device.type == "cuda"
    size = 8 if on_gpu else 1
    images = [stimulus.image() for stimulus in dataset]
    batches = [as_batch(images[start : start + size]) for start in range(0, len(images), size)]
    fresh = itertools.count()

    def bare() -> None:
        for batch in batches:
            backbone(batch)
        if on_gpu:
            torch.cuda.synchronize()

    def every_level() -> None:
        for batch in batches:
            dict(backbone(batch).levels)
        if on_gpu:
            torch.cuda.synchronize()

    def run(bounds: list[str] | None = None, **options: list[str]) -> None:
        study = qg.Study(dataset, [backbone], bounds=bounds, **options)
        study.run(folder / f"run-{next(fresh)}", progress=False, batch_size=size)

    taken = in_turns(
        {
            "bare": bare,
            "levels": every_level,
            "one": lambda: run([], **ONE),
            "twelve": lambda: run([], **TWELVE),
            "bounds": lambda: run(None, **ONE),
        },
        given.repeats,
    )
    beside = (taken["one"] - taken["bare"]) / taken["one"]
    return (
        f"| {name} ({backbone.device}, {os.cpu_count()} cores) "
        f"| {1000 * taken['bare'] / given.images:.0f} "
        f"| {taken['levels'] / taken['bare']:.2f} of it "
        f"| {taken['one'] / taken['bare']:.2f} of bare; {beside:.0%} beside the backbone "
        f"| {taken['twelve'] / taken['one']:.2f} of one variant "
        f"| {taken['bounds'] / taken['one']:.2f} of one variant |"
    )


if __name__ == "__main__":
    main()
