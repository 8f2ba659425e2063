"""The cost of moving a saliency map's mass to where people looked."""

# ruff: noqa: A002 - `map` is the field's name for it, and part of the public interface

from __future__ import annotations

from importlib import import_module
from math import ceil
from types import ModuleType

import numpy as np
import numpy.typing as npt

from quickgaze.errors import OptionError
from quickgaze.metrics.arrays import Array, numbers_beside, on_host
from quickgaze.metrics.conventions import Definition
from quickgaze.metrics.evaluation import evaluate
from quickgaze.metrics.prepared import PreparedMap
from quickgaze.metrics.scaling import share
from quickgaze.metrics.undefined import UndefinedError

CELL = 32
"""Side in pixels of the cells that maps are reduced to."""

MAXIMUM_STEPS = 10_000_000
"""Steps of the network simplex; a photograph of 480 x 640 pixels takes some thousands."""


def emd(map: Array, density: Array, convention: str = "mit") -> Array:
    """Earth mover's distance: the least work that turns the map's mass into the density's.

    Parameters
    ----------
    map : Array, shape (H, W) or (B, H, W)
        Saliency map, or a batch of them; any scale. A constant one counts as uniform.
    density : Array, shape (H, W) or (B, H, W)
        Human saliency map: one for all maps, or one for each.
    convention : {"mit"}
        The only convention that defines it.

    Returns
    -------
    float, or Array of shape () or (B,)
        In cells of 32 pixels, from 0, lower is better. A float for one NumPy map, otherwise an
        array of the library and on the device of `map`, without a gradient. NaN if the image has
        less than two cells, if the density is constant, or if the map or the density holds NaN
        or infinity.

    Raises
    ------
    OptionError
        If the shapes do not fit, the convention is not known or does not define EMD, or the
        package POT is not installed.

    Notes
    -----
    Each map is divided by its sum, after its minimum is subtracted if that is negative. Its
    pixels are brought together in ``ceil(H / 32)`` by ``ceil(W / 32)`` cells of equal size;
    pixels on the border of two cells are divided between them, so that no mass is lost. The
    distance of two cells is the Euclidean distance of their places in this grid, and the score
    is the exact minimum of mass times distance: multiplied by 32, it is a mean number of pixels.
    An image needs a side of more than 32 pixels.

    The MATLAB code of the benchmark reduces maps with bicubic interpolation, so that its scores
    differ a little. Time grows with about the cube of the number of cells: a photograph of
    480 x 640 pixels takes some 10 ms, one of 1080 x 1920 about a second.

    References
    ----------
    .. [1] Y. Rubner, C. Tomasi and L. J. Guibas, "The Earth Mover's Distance as a Metric for Image
       Retrieval", International Journal of Computer Vision 40(2), 2000.
    .. [2] Z. Bylinskii, T. Judd, A. Oliva, A. Torralba and F. Durand, "What do different
       evaluation metrics tell us about saliency models?", IEEE TPAMI 41(3), 2019.

    Examples
    --------
    >>> import numpy as np
    >>> density = np.zeros((64, 96))
    >>> density[10, 10] = 1
    >>> round(emd(np.roll(density, 64, axis=1), density), 6)
    2.0
    """
    return evaluate("emd", EMD, convention, map, density)


def require_library() -> ModuleType:
    """Import POT, the library of optimal transport.

    Returns
    -------
    module

    Raises
    ------
    OptionError
        If it is not installed; says how to install it.
    """
    try:
        return import_module("ot")
    except ImportError as error:
        raise OptionError(
            "emd needs the package POT, which is not installed; run: pip install 'quickgaze[emd]'"
        ) from error


def _least_work(prediction: PreparedMap, density: PreparedMap) -> Array:
    height, width = (ceil(side / CELL) for side in prediction.size)
    if height * width < 2:
        raise UndefinedError(
            f"an image of {prediction.size[0]} x {prediction.size[1]} pixels has one cell of "
            f"{CELL} x {CELL}, in which nothing can be moved"
        )
    source, destination = prediction.once(_cells), density.once(_cells)
    # cells without mass neither give nor take any
    given, taken = source > 0, destination > 0
    distances = _distances(height, width)[np.ix_(given, taken)]
    work, log = require_library().emd2(
        source[given], destination[taken], distances, numItermax=MAXIMUM_STEPS, log=True
    )
    if log["warning"] is not None:
        raise UndefinedError(f"the optimal transport was not found: {log['warning']}")
    return numbers_beside(prediction.row, np.asarray(float(work)))


def _cells(prepared: PreparedMap) -> npt.NDArray[np.float64]:
    """Mass in each cell, (number of cells,), with a sum of 1."""
    height, width = prepared.size
    mass = (
        on_host(share(prepared, prepared.values))
        .reshape(height, width)
        .astype(np.float64, copy=False)
    )
    return (_overlaps(height) @ mass @ _overlaps(width).T).ravel()


def _overlaps(side: int) -> npt.NDArray[np.float64]:
    """Share of each pixel of a row that lies in each cell, (cells, side)."""
    number = ceil(side / CELL)
    borders = np.arange(number + 1)[:, None] * (side / number)
    pixels = np.arange(side)
    shared = np.minimum(borders[1:], pixels + 1) - np.maximum(borders[:-1], pixels)
    overlaps: npt.NDArray[np.float64] = np.clip(shared, 0, None)
    return overlaps


def _distances(height: int, width: int) -> npt.NDArray[np.float64]:
    """Euclidean distance of each cell from each, (cells, cells), in cells."""
    rows, columns = (each.ravel() for each in np.indices((height, width)))
    apart: npt.NDArray[np.float64] = np.hypot(
        np.subtract.outer(rows, rows), np.subtract.outer(columns, columns)
    )
    return apart


EMD = {"mit": Definition("density", _least_work, library=require_library)}
