"""Gradient CAMs and their relatives, by the grad-cam library."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from quickgaze.backbones import plain_torch
from quickgaze.backbones.wrapping import copied
from quickgaze.cams._cam import Cam
from quickgaze.cams._orientation import orientation_evidence
from quickgaze.catalogue import check_known
from quickgaze.errors import OptionError, first_line, require

_LIBRARY = "pytorch_grad_cam"


@dataclass(frozen=True)
class GradientMethod:
    """A method of the grad-cam library, where its class is `library_name`."""

    name: str
    library_name: str
    summary: str
    by_passes: bool = False  # needs no gradient, but a pass through the network for each channel


_METHODS = (
    GradientMethod("gradcam", "GradCAM", "channels by the mean gradient of the top class"),
    GradientMethod("gradcam++", "GradCAMPlusPlus", "channels by weighted positive gradients"),
    GradientMethod("hirescam", "HiResCAM", "features times their own gradients"),
    GradientMethod("layercam", "LayerCAM", "features times their own positive gradients"),
    GradientMethod(
        "eigengradcam", "EigenGradCAM", "the first principal component of features times gradients"
    ),
    GradientMethod(
        "scorecam",
        "ScoreCAM",
        "channels by the top class's score behind them as a mask; slow",
        by_passes=True,
    ),
    GradientMethod(
        "ablationcam",
        "AblationCAM",
        "channels by what the top class loses without them; slow",
        by_passes=True,
    ),
)

GRADIENT_METHODS = {method.name: method for method in _METHODS}
"""The gradient CAMs of the grad-cam library, by their names here."""


def gradient(
    classifier: nn.Module, layer: str, batch: torch.Tensor, method: str = "gradcam"
) -> Cam:
    """Where a classifier finds the class that it gives an image.

    Parameters
    ----------
    classifier : nn.Module
        Gives scores (B, K) of a batch. It is copied, and left as it was; the copy computes in
        float32.
    layer : str
        Name, as in ``classifier.named_modules()``, of the layer that the map is made of; it gives
        features (B, C, h, w).
    batch : Tensor, shape (B, 3, H, W), float
        Images as the classifier wants them, normalised.
    method : str
        ``"gradcam"``, ``"gradcam++"``, ``"hirescam"``, ``"layercam"``, ``"eigengradcam"``,
        ``"scorecam"`` or ``"ablationcam"``. The last two take a pass through the network for
        each of the layer's channels.

    Returns
    -------
    Cam
        On the layer's grid; negative where the image speaks against its top class. Only
        ``"eigengradcam"`` has an open sign, hence evidence, and an explained variance: it is a
        principal component of features times gradients, with LAPACK's sign. The rule
        ``"activation"`` compares it with their mean over channels, which is ``"hirescam"``.
        Maps of images whose features are not finite are NaN.

    Raises
    ------
    UnknownNameError
        If there is no such method or layer.
    OptionError
        If the grad-cam library is not installed, there is no image, or the classifier or the
        layer gives something else.

    Notes
    -----
    The target is each image's class with the highest score. The maps follow the library's
    reading of each paper: its Ablation-CAM, for one, sets a channel not to 0 but far below all
    features, unless the least of them is 0.

    References
    ----------
    Selvaraju, R. R. et al. (2017). Grad-CAM. ICCV. Chattopadhay, A. et al. (2018). Grad-CAM++.
    WACV. Draelos, R. L. and Carin, L. (2020). HiResCAM. arXiv:2011.08891. Jiang, P.-T. et al.
    (2021). LayerCAM. IEEE Transactions on Image Processing 30. Wang, H. et al. (2020).
    Score-CAM. CVPR Workshops. Desai, S. and Ramaswamy, H. G. (2020). Ablation-CAM. WACV.
    Gildenblat, J. et al. (2021). PyTorch library for CAM methods (also EigenGradCAM).

    Examples
    --------
    >>> layers = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    >>> classifier = nn.Sequential(*layers, nn.Linear(4, 10))
    >>> gradient(classifier, "1", torch.rand(2, 3, 16, 24), "layercam").projection.shape
    torch.Size([2, 14, 22])
    """
    check_known("gradient CAM", method, GRADIENT_METHODS)
    if batch.ndim != 4 or batch.numel() == 0:
        raise OptionError(
            f"a gradient CAM takes images (B, C, H, W), at least one; it got {tuple(batch.shape)}"
        )
    if isinstance(classifier, torch.jit.ScriptModule):
        raise OptionError(
            "the classifier is TorchScript, whose layers cannot be watched; give the "
            "torch.nn.Module that it was made from"
        )
    chosen = GRADIENT_METHODS[method]
    # Passes for all channels of several images at once would take gigabytes.
    portions = torch.split(batch, 1) if chosen.by_passes else [batch]
    cams = [_gradient(classifier, layer, portion, chosen) for portion in portions]
    return Cam(
        torch.cat([cam.projection for cam in cams]),
        torch.cat([cam.explained_variance for cam in cams]),
        cams[0].evidence,
        0,
    )


def require_library() -> ModuleType:
    """Import the grad-cam library; an `OptionError` says how to install it."""
    return require(_LIBRARY, "gradcam", "a gradient CAM")


def _gradient(
    classifier: nn.Module, layer: str, batch: torch.Tensor, method: GradientMethod
) -> Cam:
    library = require_library()
    kept: list[Cam] = []
    method_class = _keeping(getattr(library, method.library_name), method, kept, layer)
    extra = {"ablation_layer": library.AblationLayer()} if method.name == "ablationcam" else {}
    with plain_torch(), torch.enable_grad(), _without_progress_bars():
        model, target, images = _copies(classifier, layer, batch, not method.by_passes)
        _refuse_scores(model, images)
        maker = method_class(model, [target], **extra)
        try:
            maker.forward(images, None)
        finally:
            maker.activations_and_grads.release()
    return kept[0]


def _copies(
    classifier: nn.Module, layer: str, batch: torch.Tensor, differentiable: bool
) -> tuple[nn.Module, nn.Module, torch.Tensor]:
    """Copy a classifier and a batch, and find the layer in the copy."""
    # Hooks, gradients and the layer that Ablation-CAM exchanges go to the copy alone. The library
    # computes with NumPy, which does not have all of PyTorch's types.
    model = copied(classifier).eval().float().requires_grad_(False)
    known: dict[str, nn.Module] = dict(model.named_modules())
    check_known("layer", layer, [name for name in known if name])
    # The parameters have no gradient; that of the images reaches the layer.
    return model, known[layer], batch.detach().float().clone().requires_grad_(differentiable)


def _keeping(library_class: Any, method: GradientMethod, kept: list[Cam], layer: str) -> Any:
    """Make a class that keeps its maps before they are clipped, scaled and resized."""

    class Keeping(library_class):  # type: ignore[misc]
        def get_cam_image(self, *given: Any) -> npt.NDArray[np.float32]:
            activations, gradients = given[3:5]
            shape = getattr(activations, "shape", None)
            if shape is None or len(shape) != 4:
                raise OptionError(
                    f"layer {layer!r} gives {shape}, not features (B, C, h, w); name another layer"
                )
            maps: npt.NDArray[np.float32] = super().get_cam_image(*given)
            kept.append(_cam(maps, activations, gradients, method))
            return maps

    return Keeping


def _refuse_scores(model: nn.Module, images: torch.Tensor) -> None:
    try:
        with torch.no_grad():
            scores = model(images[:1])
    except Exception as error:
        raise OptionError(
            f"{type(model).__name__} cannot score images of {tuple(images.shape)} "
            f"({first_line(error)}); gradient CAMs need its head, so give images of the size that "
            "it takes, with geometry=InputGeometry(fixed_size=(HEIGHT, WIDTH))"
        ) from error
    if not isinstance(scores, torch.Tensor) or scores.ndim != 2:
        shape = tuple(scores.shape) if isinstance(scores, torch.Tensor) else type(scores).__name__
        raise OptionError(
            f"{type(model).__name__} gives {shape}, not one score for each class, (B, K); gradient "
            "CAMs need a classifier"
        )


def _cam(given: Any, activations: Any, gradients: Any, method: GradientMethod) -> Cam:
    maps = torch.from_numpy(np.array(given, dtype=np.float32))
    finite = torch.from_numpy(np.isfinite(activations).all((1, 2, 3)))
    maps = torch.where(finite[:, None, None], maps, torch.nan)
    if method.name != "eigengradcam":
        return Cam.unsigned(maps)
    features = torch.from_numpy(gradients * activations).double()
    centred = features - features.mean((2, 3), keepdim=True)
    total = centred.square().sum((1, 2, 3))
    explained = torch.where(total > 0, maps.double().square().sum((1, 2)) / total, torch.nan)
    evidence = orientation_evidence(maps, features.mean(1).float())
    return Cam(maps, explained.float(), {**evidence, "lapack": torch.ones(len(maps))}, 0)


@contextmanager
def _without_progress_bars() -> Iterator[None]:
    """Keep the library from drawing a progress bar for every image."""
    modules = [import_module(f"{_LIBRARY}.{name}") for name in ("score_cam", "ablation_cam")]
    bars = [module.tqdm for module in modules]
    try:
        for module in modules:
            module.tqdm = SimpleNamespace(tqdm=lambda steps: steps)  # type: ignore[attr-defined]
        yield
    finally:
        for module, bar in zip(modules, bars, strict=True):
            module.tqdm = bar  # type: ignore[attr-defined]
