"""What a detector finds, as a map: its boxes, each as strong as its score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from quickgaze.backbones import BackboneSpec, plain_torch
from quickgaze.cams._baselines import image_grid
from quickgaze.cams._cam import Cam
from quickgaze.cams._method import CamInput, CamOptions
from quickgaze.errors import OptionError, first_line


def boxes(detector: nn.Module, images: torch.Tensor) -> Cam:
    """Where a detector finds objects: the sum of its boxes, each weighted by its score.

    Parameters
    ----------
    detector : nn.Module
        From a list of images (3, H, W) in [0, 1] to a list of dictionaries, as torchvision's
        detectors in evaluation mode: ``boxes``, (n, 4), with left, top, right and bottom in
        pixels, and ``scores``, (n,). It resizes and normalises by itself.
    images : Tensor, shape (B, 3, H, W), float32
        RGB in [0, 1].

    Returns
    -------
    Cam
        64 cells wide; a cell that a box covers in part counts in part. Without evidence. It is 0
        for an image without boxes.

    Raises
    ------
    OptionError
        If the detector takes or gives something else.

    Examples
    --------
    >>> class Finder(nn.Module):
    ...     def forward(self, images):
    ...         box = {"boxes": torch.tensor([[16.0, 0, 32, 32]]), "scores": torch.tensor([0.5])}
    ...         return [box for _ in images]
    >>> cam = boxes(Finder(), torch.zeros(1, 3, 32, 64))
    >>> cam.grid, cam.projection[0, 0, 14:18].tolist()
    ((32, 64), [0.0, 0.0, 0.5, 0.5])
    """
    height, width = images.shape[-2:]
    rows, columns = image_grid((height, width))
    maps = []
    with plain_torch(), torch.inference_mode():
        for each in _found(detector, images):
            edges, scores = (each[name].double().cpu() for name in ("boxes", "scores"))
            across = _covered(edges[:, 0], edges[:, 2], width, columns)
            down = _covered(edges[:, 1], edges[:, 3], height, rows)
            maps.append(torch.einsum("n,ni,nj->ij", scores, down, across))
        return Cam.unsigned(torch.stack(maps))


def _found(detector: nn.Module, images: torch.Tensor) -> Sequence[Mapping[str, torch.Tensor]]:
    """Let a detector find its boxes; refuse what finds none."""
    try:
        found: Sequence[Mapping[str, torch.Tensor]] = detector(list(images))
    except Exception as error:
        raise OptionError(
            f"{type(detector).__name__} does not take a list of images (3, H, W) as a detector of "
            f"torchvision does ({first_line(error)}); give such a detector"
        ) from error
    if not all(isinstance(each, Mapping) and {"boxes", "scores"} <= each.keys() for each in found):
        raise OptionError(
            f"{type(detector).__name__} does not give 'boxes' and 'scores' for each image; give a "
            "detector like torchvision's"
        )
    return found


def check_detector(spec: BackboneSpec) -> None:
    """Refuse a backbone that was not cut from a detector."""
    if spec.family != "detector":
        raise OptionError(
            f"{spec.name} is not a detector, so it has no boxes; take one of torchvision's "
            "detectors such as fasterrcnn_resnet50_fpn"
        )


def boxes_cam(given: CamInput, _: CamOptions) -> Cam:
    """Compute the map of boxes of a backbone's detector; no option applies."""
    backbone = given.backbone
    check_detector(backbone.spec)
    return boxes(backbone.whole_model, given.images.to(backbone.device, torch.float32))


def _covered(first: torch.Tensor, last: torch.Tensor, size: int, cells: int) -> torch.Tensor:
    """Share of each cell that lies between two edges, (n, cells), along one axis of the image."""
    borders = torch.arange(cells + 1, dtype=torch.float64) * (size / cells)
    lower = torch.maximum(first[:, None], borders[:-1])
    upper = torch.minimum(last[:, None], borders[1:])
    return (upper - lower).clamp(min=0) * (cells / size)
