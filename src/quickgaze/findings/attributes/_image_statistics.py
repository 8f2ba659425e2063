"""How images look: light, colour, edges, frequencies and clutter."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import fft
from scipy.stats import binned_statistic
from skimage.color import rgb2gray
from skimage.feature import canny
from skimage.filters import gaussian
from skimage.measure import shannon_entropy
from skimage.transform import resize

from quickgaze.errors import OptionError
from quickgaze.findings.attributes._clutter import subband_entropy
from quickgaze.findings.attributes._tables import from_images
from quickgaze.stimuli import Stimulus
from quickgaze.stimuli.types import Image

Floats = npt.NDArray[np.float64]

_COLUMNS = {
    **dict.fromkeys(("brightness", "contrast", "colourfulness", "entropy"), pl.Float64),
    **dict.fromkeys(("edge_density", "spectral_slope", "clutter"), pl.Float64),
}
_BANDS = 20  # of frequency, equally wide on a logarithmic scale; each counts alike
# Last bits differ between processors; values are rounded to so many decimals before they are
# compared with one another or with limits, so that ties come out alike everywhere.
_DECIMALS = 10


def image_attributes(stimuli: Iterable[Stimulus], *, size: int = 512) -> pl.DataFrame:
    """Measure how images look.

    Parameters
    ----------
    stimuli : iterable of Stimulus
        A data set, or a part of one.
    size : int
        Pixels of the longer side to which larger images are reduced first, so that they compare.

    Returns
    -------
    polars.DataFrame
        A row per stimulus: ``stimulus`` and

        - ``brightness``: mean luma, in [0, 1];
        - ``contrast``: standard deviation of luma, in [0, 0.5] (root mean square contrast [1]_);
        - ``colourfulness``: 0 for grey, about 33 for moderate, above 80 for strong colours [2]_;
        - ``entropy``: of the luma in 256 steps, in bits, in [0, 8];
        - ``edge_density``: share of pixels on edges [3]_, in [0, 1];
        - ``spectral_slope``: of the amplitude over spatial frequency, both logarithmic; about -1
          for photographs, 0 for noise [4]_. Null for an image without structure;
        - ``clutter``: subband entropy [5]_ in bits, 0 for one colour, about 4 to 5.5 for
          photographs;

        and ``reason``: why these are null for an image that cannot be read.

    Raises
    ------
    OptionError
        If `size` is below 32.

    References
    ----------
    .. [1] E. Peli, "Contrast in complex images", J. Opt. Soc. Am. A 7(10), 1990.
    .. [2] D. Hasler, S. Süsstrunk, "Measuring colourfulness in natural images", SPIE 5007, 2003.
    .. [3] J. Canny, "A computational approach to edge detection", IEEE TPAMI 8(6), 1986.
    .. [4] D. J. Field, "Relations between the statistics of natural images and the response
       properties of cortical cells", J. Opt. Soc. Am. A 4(12), 1987.
    .. [5] R. Rosenholtz, Y. Li, L. Nakano, "Measuring visual clutter", Journal of Vision 7(2),
       2007.

    Examples
    --------
    >>> import quickgaze as qg
    >>> table = image_attributes(qg.load_dataset("popout", n=2, size=(120, 160)))
    >>> table.shape, table["reason"].to_list()
    ((2, 9), [None, None])
    """
    if size < 32:
        raise OptionError(f"size is {size}; give at least 32 pixels for the longer side")
    return from_images(stimuli, _COLUMNS, partial(image_statistics, size=size))


def image_statistics(image: Image, size: int = 512) -> dict[str, float | None]:
    """Columns of `image_attributes` for one RGB image, (H, W, 3), uint8."""
    reduced = _reduced(image, size)
    luma = rgb2gray(reduced).clip(0, 1)
    steps = np.rint((luma * 255).round(_DECIMALS)).astype(np.uint8)
    return {
        "brightness": float(luma.mean().round(12)),
        "contrast": float(luma.std().round(12)),
        "colourfulness": colourfulness(reduced),
        "entropy": abs(float(shannon_entropy(steps))),  # type: ignore[no-untyped-call]
        "edge_density": _edge_density(luma),
        "spectral_slope": spectral_slope(luma),
        "clutter": subband_entropy(reduced),
    }


def colourfulness(image: Floats) -> float:
    """Hasler and Süsstrunk's M3 of an RGB image, (H, W, 3) in [0, 1]; 0 for shades of grey."""
    red, green, blue = np.moveaxis(image, -1, 0) * 255
    first, second = red - green, (red + green) / 2 - blue
    spread = np.hypot(first.std(), second.std())
    return float(spread + 0.3 * np.hypot(first.mean(), second.mean()))


def spectral_slope(luma: Floats) -> float | None:
    """Slope of log amplitude over log frequency; None for a uniform or a small image."""
    height, width = luma.shape
    # Hann: the image fades out towards its border, so that opposite edges do not meet
    window = np.outer(np.hanning(height), np.hanning(width))
    if luma.std() < 1e-9 or not window.any():
        return None
    centred = luma - (luma * window).sum() / window.sum()
    power = np.abs(fft.fft2(centred * window)) ** 2
    radius = np.hypot(fft.fftfreq(height)[:, np.newaxis], fft.fftfreq(width))
    # from four cycles per shorter side to half of the highest frequency, which resizing changes
    edges = np.geomspace(4 / min(height, width), 0.25, _BANDS + 1)
    if edges[0] >= edges[-1]:
        return None
    # higher frequencies have a band of their own, which is left out
    bands = [*edges.round(_DECIMALS), 1.0]
    means = binned_statistic(radius.ravel().round(_DECIMALS), power.ravel(), bins=bands)[0][:-1]
    kept = means > 0
    if kept.sum() < 3:
        return None
    middle = np.sqrt(edges[:-1] * edges[1:])
    return float(np.polyfit(np.log(middle[kept]), np.log(means[kept]) / 2, 1)[0])


def _edge_density(luma: Floats) -> float:
    inside = gaussian(np.ones_like(luma), 2.0, mode="constant")  # type: ignore[no-untyped-call]
    blurred = gaussian(luma, 2.0, mode="constant") / inside  # type: ignore[no-untyped-call]
    # a binary fraction: the gradients of such values, and so their ties, are exact
    steps = np.rint(blurred * 2**24) / 2**24
    return float(canny(steps, sigma=0, mode="nearest").mean())  # type: ignore[no-untyped-call]


def _reduced(image: Image, size: int) -> Floats:
    """Values in [0, 1], with at most `size` pixels on the longer side."""
    scale = size / max(image.shape[:2])
    values = image / 255.0
    if scale >= 1:
        return values
    shape = [max(1, round(side * scale)) for side in image.shape[:2]]
    reduced: Floats = resize(values, shape, order=1, anti_aliasing=True)  # type: ignore[no-untyped-call]
    return reduced.clip(0, 1)
