"""`Readout`: the few weights that turn a network's features into a density of gaze."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch.nn import functional

from quickgaze.backbones import Backbone, BackboneSpec, Pyramid, plain_torch
from quickgaze.cams._method import CamMethod
from quickgaze.cams._readout_card import ReadoutCard
from quickgaze.cams._readout_checks import CENTRE_SIZE, check_card, check_tensors
from quickgaze.cams._readout_features import readout_features
from quickgaze.cams._readout_method import ReadoutMap, readout_method
from quickgaze.errors import OptionError, WeightsError
from quickgaze.resampling import bilinear_matrix, enlarging_matrix
from quickgaze.stimuli.types import Size

FILE_NAME = "readout.safetensors"
FORMAT = 1
"""Version of the file of a readout."""

_WIDEST_BLUR = 100.0  # cells; a file must not ask for a kernel that fills the memory


@dataclass(frozen=True, eq=False)
class Readout:
    """The few weights, fitted to gaze, from a network's channels to a density.

    Made by `fit_readout` or `load_readout`. With z the channels on the grid, each less its mean
    and divided by its deviation, and without the sum and the softplus where there are no hidden
    units::

        logits  = sum over hidden units of output * softplus(weights @ z + bias)
        density = softmax(blur(logits) + centre_weight * centre_bias)

    Parameters
    ----------
    card : ReadoutCard
        What it belongs to.
    mean, deviation : Tensor, shape (C,), float32
        Of each channel over the images that it was fitted on.
    weights : Tensor, shape (max(1, hidden), C), float32
    bias : Tensor, shape (max(1, hidden),), float32
    output : Tensor, shape (hidden,), float32, optional
        None without hidden units.
    sigma : float
        Standard deviation of the Gaussian that blurs the logits, in cells of the grid.
    centre_weight : float
    centre_bias : Tensor, shape (60, 80), float32
        Log density of where people look whatever the image; it is resized to each image.

    Raises
    ------
    OptionError
        If the parts do not fit together, or hold what cannot be computed with.

    References
    ----------
    Kümmerer, M., Wallis, T. S. A. and Bethge, M. (2016). DeepGaze II. arXiv:1610.01563.

    Examples
    --------
    >>> card = ReadoutCard(
    ...     backbone="mine", weights="none", weights_hash="", levels=("0",), grid="0", hidden=0,
    ...     dataset="osie", edition="sample", gaze="eye tracking", licence="MIT", images=40,
    ...     fingerprint="", seed=0, folds=0, scores={}, chosen={}, versions={},
    ... )
    >>> readout = Readout(
    ...     card, mean=torch.zeros(1), deviation=torch.ones(1), weights=torch.ones(1, 1),
    ...     bias=torch.zeros(1), output=None, sigma=0.0, centre_weight=0.0,
    ...     centre_bias=torch.zeros(60, 80),
    ... )
    >>> features = torch.tensor([[[[0.0, 0.0], [0.0, 1.0]]]])
    >>> pyramid = Pyramid({"0": features}, {"0": 8}, (16, 16), (16, 16))
    >>> readout.log_density(pyramid).exp()
    tensor([[[0.1749, 0.1749],
             [0.1749, 0.4754]]])
    >>> readout.density(pyramid, (30, 40)).shape
    torch.Size([1, 30, 40])
    """

    card: ReadoutCard
    mean: torch.Tensor
    deviation: torch.Tensor
    weights: torch.Tensor
    bias: torch.Tensor
    output: torch.Tensor | None
    sigma: float
    centre_weight: float
    centre_bias: torch.Tensor

    def __post_init__(self) -> None:
        check_card(self.card)
        check_tensors(self.tensors, self.card.hidden)
        if not 0 <= self.sigma <= _WIDEST_BLUR:
            raise OptionError(f"sigma is {self.sigma}; give 0 to {_WIDEST_BLUR:g} cells")
        if not math.isfinite(self.centre_weight):
            raise OptionError(f"centre_weight is {self.centre_weight}; give a finite number")

    @property
    def tensors(self) -> dict[str, torch.Tensor]:
        """Its tensors by name, as they stand in a file."""
        named = {
            "mean": self.mean,
            "deviation": self.deviation,
            "weights": self.weights,
            "bias": self.bias,
            "centre_bias": self.centre_bias,
        }
        return named if self.output is None else {**named, "output": self.output}

    @property
    def name(self) -> str:
        """What it is called where it was given as an object."""
        return f"{self.card.backbone}-{self.card.dataset}-{self.digest[:8]}"

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that it is: the same for the same card and numbers."""
        sha256 = hashlib.sha256(self._header().encode())
        for name, tensor in sorted(self.tensors.items()):
            sha256.update(f"{name} {tuple(tensor.shape)}\n".encode())
            sha256.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        return sha256.hexdigest()

    def log_density(self, pyramid: Pyramid) -> torch.Tensor:
        """Predict where people look, in the cells of the readout's grid.

        Parameters
        ----------
        pyramid : Pyramid
            What the backbone of the card gives.

        Returns
        -------
        Tensor, shape (B, h, w), float32
            Natural logarithm of a density whose sum over the cells is 1; NaN for images whose
            features are not finite.

        Raises
        ------
        OptionError
            If the pyramid has not the levels or channels that the readout was fitted to.
        """
        return self.log_density_of(self._features(pyramid))

    def log_density_of(self, features: torch.Tensor) -> torch.Tensor:
        """Predict where people look from features that are on the readout's grid already.

        Parameters
        ----------
        features : Tensor, shape (B, C, h, w)
            As `readout_features` gives them.

        Returns
        -------
        Tensor, shape (B, h, w), float32
            As `log_density` gives it.
        """
        height, width = features.shape[2:]
        return self._normalised(features, (height, width)).float()

    def density(self, pyramid: Pyramid, size: Size) -> torch.Tensor:
        """Predict where people look, in the pixels of the image.

        Parameters
        ----------
        pyramid : Pyramid
            As for `log_density`; errors as there.
        size : (int, int)
            Height and width of the image in pixels.

        Returns
        -------
        Tensor, shape (B, H, W), float32
            A density whose sum over the pixels is 1.
        """
        return self.density_of(self._features(pyramid), size)

    def density_of(self, features: torch.Tensor, size: Size) -> torch.Tensor:
        """Predict a density in pixels from features that are on the readout's grid already.

        Parameters
        ----------
        features : Tensor, shape (B, C, h, w)
            As `readout_features` gives them.
        size : (int, int)
            Height and width of the image in pixels.

        Returns
        -------
        Tensor, shape (B, H, W), float32
            As `density` gives it.
        """
        return self._normalised(features, size).exp().float()

    def check(self, backbone: Backbone) -> None:
        """Refuse a backbone that it was not fitted to.

        Parameters
        ----------
        backbone : Backbone

        Raises
        ------
        OptionError
            If the network, its weights or its geometry is another; says both.
        """
        self._check_spec(backbone.spec)
        if backbone.weights_hash != self.card.weights_hash:
            raise OptionError(
                f"the readout was fitted to the weights {self.card.weights} of "
                f"{self.card.backbone} (SHA-256 {self.card.weights_hash[:12]}), but these are "
                f"{backbone.weights} ({backbone.weights_hash[:12]}); give those weights, or fit a "
                "readout to these"
            )

    def _check_spec(self, spec: BackboneSpec) -> None:
        if spec.name != self.card.backbone:
            raise OptionError(
                f"the readout was fitted to {self.card.backbone}, not to {spec.name}; take "
                f"backbone={self.card.backbone!r}, or fit a readout to {spec.name}"
            )
        if self.card.geometry not in ("", str(spec.geometry)):
            raise OptionError(
                f"the readout was fitted to {spec.name} with the geometry {self.card.geometry}, "
                f"not {spec.geometry}; take the geometry that it was fitted with, or fit another"
            )

    def adapted(
        self,
        to: str,
        *,
        centre_bias: torch.Tensor | None = None,
        centre_weight: float | None = None,
        sigma: float | None = None,
    ) -> Readout:
        """Put a centre bias or blur of other data in the place of those that were fitted.

        Parameters
        ----------
        to : str
            Name of these data.
        centre_bias : Tensor, shape (60, 80), float32, optional
            Log density, such as `quickgaze.readouts.centre_bias` gives; as fitted by default.
        centre_weight : float, optional
            As fitted by default; 0 leaves the centre bias out.
        sigma : float, optional
            Blur in cells of the grid; as fitted by default.

        Returns
        -------
        Readout
            Its card says what was ``changed``, and has no scores: those were of another.

        Raises
        ------
        OptionError
            If nothing is changed, or a value cannot be computed with.
        """
        changed = []
        if centre_weight == 0:
            changed.append("no centre bias")
        elif centre_bias is not None:
            changed.append(f"centre bias of {to}")
        if centre_weight:
            changed.append(f"weight {centre_weight:g} of the centre bias")
        if sigma is not None:
            changed.append(f"blur of {sigma:g} cells")
        if not changed:
            raise OptionError("nothing is changed; give centre_bias, centre_weight or sigma")
        return replace(
            self,
            card=replace(self.card, changed=(*self.card.changed, *changed), scores={}),
            centre_bias=self.centre_bias if centre_bias is None else centre_bias,
            centre_weight=self.centre_weight if centre_weight is None else centre_weight,
            sigma=self.sigma if sigma is None else sigma,
        )

    def method(self) -> CamMethod:
        """Give the CAM of the readout, for a study or a model.

        Returns
        -------
        CamMethod
            Named ``"readout"``; its map is the density on the readout's own grid.
        """
        return readout_method(ReadoutMap(self), self._check_spec, self.card.backbone)

    def save(self, path: str | Path) -> Path:
        """Write the readout into a file.

        Parameters
        ----------
        path : path or str
            The file, or a folder that is there, which gets a ``readout.safetensors``.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        WeightsError
            If it cannot be written.
        """
        path = Path(path)
        path = path / FILE_NAME if path.is_dir() else path
        tensors = {name: each.detach().cpu().contiguous() for name, each in self.tensors.items()}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # in one key, so that the same readout is the same file
            path.write_bytes(safetensors.torch.save(tensors, {"readout": self._header()}))
        except OSError as error:
            raise WeightsError(
                f"the readout could not be written to {path} ({error.strerror or error}); name a "
                "file in a folder that can be written"
            ) from error
        return path

    def _header(self) -> str:
        card = {**asdict(self.card), "scores": _without_nan(self.card.scores)}
        header: dict[str, Any] = {"format": FORMAT, "card": card}
        header |= {"sigma": float(self.sigma), "centre_weight": float(self.centre_weight)}
        return json.dumps(header, sort_keys=True, allow_nan=False)

    def _features(self, pyramid: Pyramid) -> torch.Tensor:
        features = readout_features(pyramid, self.card.levels, self.card.grid)
        if features.shape[1] != len(self.mean):
            raise OptionError(
                f"the readout was fitted to {len(self.mean)} channels, and the levels "
                f"{', '.join(self.card.levels)} have {features.shape[1]}; take the backbone "
                f"{self.card.backbone}, or fit another readout"
            )
        return features

    def _normalised(self, features: torch.Tensor, size: Size) -> torch.Tensor:
        """Log density (B, H, W) of features on the grid, at any size."""
        with plain_torch():
            logits = self._logits(features)
            if logits.device.type != "mps":  # which has no float64
                logits = logits.double()
            enlarge = [
                bilinear_matrix(target, source) @ enlarging_matrix(source, source, self.sigma)
                for target, source in zip(size, logits.shape[1:], strict=True)
            ]
            resize = [
                bilinear_matrix(target, source)
                for target, source in zip(size, CENTRE_SIZE, strict=True)
            ]
            down, across, centre_down, centre_across = (
                torch.tensor(matrix).to(logits) for matrix in (*enlarge, *resize)
            )
            centre = centre_down @ self.centre_bias.to(logits) @ centre_across.T
            values = down @ logits @ across.T + self.centre_weight * centre
            flat = functional.log_softmax(values.flatten(1), 1)
            return flat.reshape(values.shape)

    def _logits(self, features: torch.Tensor) -> torch.Tensor:
        """Logits (B, h, w) of features, not blurred; the standardisation is in the weights."""
        folded = self.weights.double() / self.deviation.double()
        bias = self.bias.double() - folded @ self.mean.double()
        weights, bias = (each.to(features.device, torch.float32) for each in (folded, bias))
        units = torch.einsum("uc,bcyx->buyx", weights, features.float()) + bias[:, None, None]
        if self.output is None:
            return units[:, 0]
        return torch.einsum("u,buyx->byx", self.output.to(units), functional.softplus(units))


def _without_nan(scores: Mapping[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(score) else score for name, score in scores.items()}
