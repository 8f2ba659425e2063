"""Why an image has no map: what its features lack."""

from __future__ import annotations

from collections.abc import Sequence

from quickgaze.backbones.pyramid import Pyramid
from quickgaze.cams._cam import Cam


def why_undefined(
    pyramid: Pyramid, cam: Cam, image: int, levels: Sequence[str] | None = None
) -> str:
    """Say why the map of an image is NaN.

    Parameters
    ----------
    pyramid : Pyramid
        What the map was made of.
    cam : Cam
        The maps of the batch.
    image : int
        Which image of the batch.
    levels : sequence of str, optional
        The levels that were used; all by default.

    Returns
    -------
    str
        A clause about the image: ``"its features are 0 everywhere"``.

    Raises
    ------
    UnknownNameError
        If there is no such level.

    Examples
    --------
    >>> import torch
    >>> from quickgaze.cams import deviation
    >>> pyramid = Pyramid({"0": torch.zeros(1, 2, 3, 4)}, {"0": 8}, (24, 32), (24, 32))
    >>> why_undefined(pyramid, deviation(pyramid), 0)
    'its features are 0 everywhere'
    """
    features = {name: level[image] for name, level in pyramid.select(levels).levels.items()}
    broken = [name for name, level in features.items() if not bool(level.isfinite().all())]
    if broken:
        return f"its features are not finite in {', '.join(broken)}"
    if not any(bool(level.any()) for level in features.values()):
        return "its features are 0 everywhere"
    height, width = cam.grid
    if height * width == 1:
        return "its grid is a single cell; take a finer grid or a larger image"
    if all(bool((level == level[:, :1, :1]).all()) for level in features.values()):
        return "its features are the same everywhere"
    return f"what the map shows is the same in all cells of the {height}x{width} grid"
