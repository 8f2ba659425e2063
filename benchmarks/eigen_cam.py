"""EigenCAM beside the backbone's forward pass and the grad-cam library, in one process.

    python benchmarks/eigen_cam.py [--repeats N]

Prints ratios; times alone say more of the machine than of the code. The detector's weights are
random unless torchvision's own are in its cache, which changes how many steps the decomposition
takes but neither the sizes nor the bandwidth.
"""

from __future__ import annotations

import argparse
import multiprocessing
import warnings

import numpy as np
import torch
from skimage.data import coffee
from timing import in_turns, machine, peak_megabytes

from quickgaze.backbones import Backbone, Pyramid, load_backbone
from quickgaze.cams import eigen
from quickgaze.errors import WeightsError
from quickgaze.saliency import as_batch


def extra_megabytes(shapes: dict[str, tuple[int, ...]], grid: str) -> float:
    """Peak memory of an EigenCAM over the features, in a process that has done nothing else."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_extra_megabytes, (shapes, grid))


def _extra_megabytes(shapes: dict[str, tuple[int, ...]], grid: str) -> float:
    levels = {name: torch.randn(shape) for name, shape in shapes.items()}
    strides = dict(zip(shapes, (4, 8, 16, 32, 64), strict=True))
    pyramid = Pyramid(levels, strides, (800, 1088), (800, 1088))
    # A small one first, so that libraries have loaded what they need.
    eigen(pyramid, "3x4")
    before = peak_megabytes()
    eigen(pyramid, grid)
    return peak_megabytes() - before


def library_eigen_cam(pyramid: Pyramid) -> np.ndarray:
    """EigenCAM as the grad-cam library computes it from a detector's features."""
    from pytorch_grad_cam.utils.reshape_transforms import (  # noqa: PLC0415 - optional
        fasterrcnn_reshape_transform,
    )
    from pytorch_grad_cam.utils.svd_on_activations import get_2d_projection  # noqa: PLC0415

    return get_2d_projection(fasterrcnn_reshape_transform(pyramid.levels).numpy())


def detector() -> Backbone:
    """Faster R-CNN, trained if its weights are at hand."""
    try:
        return load_backbone("fasterrcnn_resnet50_fpn", device="cpu")
    except WeightsError:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return load_backbone("fasterrcnn_resnet50_fpn", weights="none", device="cpu")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    backbone = detector()
    # An input of exactly 800 x 1088, which is what the detector pads a 480 x 640 image to.
    batch = torch.nn.functional.interpolate(as_batch([coffee()]), (800, 1088), mode="bilinear")
    pyramid = backbone(batch)
    # Taken once, so that what is timed below is the CAM and not a level that was deferred.
    shapes = {name: tuple(level.shape) for name, level in pyramid.levels.items()}
    grids = ("finest", "coarsest")
    calls = {
        # Every level, as grids of all sizes read them.
        "forward": lambda: list(backbone(batch).levels.values()),
        **{grid: lambda grid=grid: eigen(pyramid, grid) for grid in grids},
    }
    try:
        library_eigen_cam(pyramid)
        calls["library"] = lambda: library_eigen_cam(pyramid)
    except ImportError:
        print("the grad-cam library is not installed: pip install grad-cam")
    taken = in_turns(calls, repeats)
    print(machine() + "\n")
    print(
        f"{backbone.name} ({backbone.weights}), forward pass of 800 x 1088, all levels: "
        f"{taken['forward']:.2f} s\n"
    )
    for grid in grids:
        size = "x".join(map(str, pyramid.grid_size(grid)))
        extra = extra_megabytes(shapes, grid)
        print(
            f"- {grid} grid, {size}: {taken[grid] / taken['forward']:.1%} of the forward pass, "
            f"peak memory {extra:.0f} MB over the features"
        )
    if "library" in taken:
        times = taken["library"] / taken["coarsest"]
        print(f"- coarsest grid: {times:.0f} times as fast as the grad-cam library's EigenCAM")


if __name__ == "__main__":
    main()
