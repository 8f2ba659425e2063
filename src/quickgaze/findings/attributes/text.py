"""Where something is written in images, found by a detector that needs no network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from skimage.draw import polygon2mask

from quickgaze.errors import OptionError
from quickgaze.findings.attributes.images import from_images
from quickgaze.stimuli import Stimulus
from quickgaze.stimuli.types import Image

LARGEST_LINE = 0.5
"""Share of an image above which what was found is no line of text, but a frame taken for one."""

_COLUMNS = {"has_text": pl.Boolean, "text_count": pl.Int64, "text_area": pl.Float64}


def text_attributes(stimuli: Iterable[Stimulus], *, confidence: float = 0.5) -> pl.DataFrame:
    """Find out whether, how often and how large something is written in images.

    Parameters
    ----------
    stimuli : iterable of Stimulus
        A data set, or a part of one.
    confidence : float
        In [0, 1]; how sure the reader must be of what it reads for a line to count.

    Returns
    -------
    polars.DataFrame
        A row per stimulus: ``stimulus``; ``has_text``; ``text_count``, the number of lines;
        ``text_area``, the share of the image that lies in the boxes around them, in [0, 1]; and
        ``reason``: why these are null for an image that cannot be read.

    Raises
    ------
    OptionError
        If `confidence` lies outside [0, 1], or rapidocr, its models or onnxruntime are not
        installed.

    Notes
    -----
    PP-OCR by way of RapidOCR, with the models that come with its installation: nothing is
    downloaded. They read Chinese, Latin and digits; another script is found where its lines
    look like text, but counts only where the reader makes sense of it. What covers more than
    half of the image is not taken for a line. About a second an image.

    References
    ----------
    .. [1] Y. Du et al., "PP-OCR: a practical ultra lightweight OCR system", arXiv:2009.09941.

    Examples
    --------
    >>> import quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=1, size=(120, 160))
    >>> text_attributes(displays).columns
    ['stimulus', 'has_text', 'text_count', 'text_area', 'reason']
    """
    if not 0 <= confidence <= 1:
        raise OptionError(f"confidence is {confidence}; give a number from 0 to 1")
    return from_images(stimuli, _COLUMNS, partial(_described, _detector(confidence)))


def _described(detector: Callable[[Image], Any], image: Image) -> dict[str, object]:
    boxes = detector(np.ascontiguousarray(image[..., ::-1])).boxes  # it expects BGR
    found = [] if boxes is None else list(boxes)
    lines = [box for box in found if covered_share([box], image.shape[:2]) <= LARGEST_LINE]
    return {
        "has_text": bool(lines),
        "text_count": len(lines),
        "text_area": covered_share(lines, image.shape[:2]),
    }


def covered_share(boxes: Iterable[npt.ArrayLike], size: tuple[int, int]) -> float:
    """Share of an image that lies in any of the boxes.

    Parameters
    ----------
    boxes : iterable of array_like, shape (corners, 2)
        Columns x and y of their corners, in pixels.
    size : (int, int)
        Height and width of the image.

    Returns
    -------
    float
        In [0, 1].

    Examples
    --------
    >>> covered_share([[[-0.5, -0.5], [4.5, -0.5], [4.5, 9.5], [-0.5, 9.5]]], (10, 10))
    0.5
    """
    covered = np.zeros(size, dtype=np.bool_)
    for box in boxes:
        corners = np.asarray(box, dtype=np.float64)[:, ::-1]
        covered |= polygon2mask(size, corners)  # type: ignore[no-untyped-call]
    return float(covered.mean())


def _detector(confidence: float) -> Callable[[Image], Any]:
    """Set the detector up with its own models alone, so that it never asks the network."""
    try:
        rapidocr = import_module("rapidocr")
        import_module("onnxruntime")
    except ImportError as error:
        raise OptionError(
            "finding text needs the packages rapidocr and onnxruntime, which are not installed; "
            "run: pip install 'quickgaze[text]'"
        ) from error
    models = Path(str(rapidocr.__file__)).parent / "models"
    detector: Callable[[Image], Any] = rapidocr.RapidOCR(
        params={
            "Global.log_level": "error",
            "Global.use_cls": False,
            "Global.text_score": confidence,
            "Det.model_path": _model(models, "det"),
            "Rec.model_path": _model(models, "rec"),
        }
    )
    return detector


def _model(folder: Path, task: str) -> str:
    found = sorted(folder.glob(f"*_{task}_*.onnx"))
    if not found:
        raise OptionError(
            f"rapidocr is installed without its model ({task}), and nothing is downloaded here; "
            "install a release that brings its models: pip install 'quickgaze[text]'"
        )
    return str(found[0])
