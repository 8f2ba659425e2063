"""Text in images, found by a detector that needs no network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from skimage.draw import polygon2mask

from quickgaze.errors import OptionError, require
from quickgaze.findings.attributes._tables import from_images
from quickgaze.stimuli import Stimulus
from quickgaze.stimuli.types import Image

_COLUMNS = {"has_text": pl.Boolean, "text_count": pl.Int64, "text_area": pl.Float64}
_LARGEST_LINE = 0.5  # share of an image above which a box is a frame, not a line of text


def text_attributes(stimuli: Iterable[Stimulus], *, confidence: float = 0.5) -> pl.DataFrame:
    """Find out whether images show text, in how many lines, and how large.

    PP-OCR [1]_ through RapidOCR, with the models of its installation: nothing is downloaded. They
    read Chinese, Latin and digits; lines in other scripts count only where the reader is sure of
    what it reads. A box over more than half of the image is no line. About a second an image.

    Parameters
    ----------
    stimuli : iterable of Stimulus
        A data set, or a part of one.
    confidence : float
        In [0, 1]: how sure the reader must be of a line's text for the line to count.

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

    References
    ----------
    .. [1] Y. Du et al., "PP-OCR: a practical ultra lightweight OCR system", arXiv:2009.09941.

    Examples
    --------
    >>> import quickgaze as qg
    >>> text_attributes(qg.load_dataset("popout", n=1)).columns
    ['stimulus', 'has_text', 'text_count', 'text_area', 'reason']
    """
    if not 0 <= confidence <= 1:
        raise OptionError(f"confidence is {confidence}; give a number from 0 to 1")
    return from_images(stimuli, _COLUMNS, partial(_described, _detector(confidence)))


def _described(detector: Callable[[Image], Any], image: Image) -> dict[str, object]:
    boxes = detector(np.ascontiguousarray(image[..., ::-1])).boxes  # it expects BGR
    found = [] if boxes is None else list(boxes)
    lines = [box for box in found if covered_share([box], image.shape[:2]) <= _LARGEST_LINE]
    return {
        "has_text": bool(lines),
        "text_count": len(lines),
        "text_area": covered_share(lines, image.shape[:2]),
    }


def covered_share(boxes: Iterable[npt.ArrayLike], size: tuple[int, int]) -> float:
    """Share of an image, (height, width), inside any box, each (corners, 2) of x, y in pixels."""
    covered = np.zeros(size, dtype=np.bool_)
    for box in boxes:
        corners = np.asarray(box, dtype=np.float64)[:, ::-1]
        covered |= polygon2mask(size, corners)  # type: ignore[no-untyped-call]
    return float(covered.mean())


def _detector(confidence: float) -> Callable[[Image], Any]:
    """Set the detector up with the models of its installation, so that it downloads nothing."""
    rapidocr = require("rapidocr", "text", "finding text")
    require("onnxruntime", "text", "finding text")
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
