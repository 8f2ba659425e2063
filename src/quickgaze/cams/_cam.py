"""`Cam`: signed maps on a grid, and the evidence for their sign."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from quickgaze.cams._orientation import ORIENTATIONS, sign_of
from quickgaze.errors import OptionError


@dataclass(frozen=True, eq=False)
class Cam:
    """Signed maps of a batch, before orientation.

    Parameters
    ----------
    projection : Tensor, shape (B, h, w), float32
        The maps. Their own sign means nothing; the evidence gives them one.
    explained_variance : Tensor, shape (B,), float32
        Share of the features' variance that the component explains, in [0, 1]; NaN where the
        features do not vary at all.
    evidence : mapping of str to Tensor, shape (B,), float32
        By orientation rule: positive where the rule keeps the sign of `projection`, negative
        where it flips it. The absolute value is the margin. NaN where a rule could not be
        evaluated. Maps whose sign is not open, as those of deviation, have no evidence.
    component : int
        Which principal component, from 0.
    density : bool
        Whether the values say how likely people look where. Scores keep the 0 of a density;
        of other maps, they subtract each image's minimum first.

    Examples
    --------
    >>> cam = Cam(torch.ones(1, 2, 2), torch.tensor([0.5]), {"skew": torch.tensor([-0.2])}, 0)
    >>> cam.oriented("skew").flatten().tolist()
    [-1.0, -1.0, -1.0, -1.0]
    >>> round(cam.margin("skew").item(), 3)
    0.2
    """

    projection: torch.Tensor
    explained_variance: torch.Tensor
    evidence: Mapping[str, torch.Tensor]
    component: int
    density: bool = False

    @classmethod
    def unsigned(cls, maps: torch.Tensor, density: bool = False) -> Cam:
        """Make the CAM of maps whose sign is not open, and that no component explains.

        Parameters
        ----------
        maps : Tensor, shape (B, h, w), float
        density : bool
            Whether the values say how likely people look where.

        Returns
        -------
        Cam
            Without evidence; its explained variance is NaN.

        Examples
        --------
        >>> cam = Cam.unsigned(torch.rand(2, 3, 4))
        >>> cam.signed, cam.explained_variance
        (False, tensor([nan, nan]))
        """
        maps = maps.float()
        return cls(maps, maps.new_full((len(maps),), torch.nan), {}, 0, density)

    @property
    def grid(self) -> tuple[int, int]:
        """Height and width in cells."""
        return self.projection.shape[-2], self.projection.shape[-1]

    @property
    def signed(self) -> bool:
        """Whether the maps' sign is open, so that an orientation rule has to fix it."""
        return bool(self.evidence)

    def images(self, rules: Collection[str] | None = None) -> list[Cam]:
        """Split a batch into the CAMs of single images.

        Parameters
        ----------
        rules : collection of str, optional
            The orientation rules that will be applied; all by default. Evidence of others is
            left out where it would cost more than the map.

        Returns
        -------
        list of Cam
            Batches of one, on the CPU and in memory of their own.
        """
        evidence = self.evidence
        evidence = evidence if isinstance(evidence, Evidence) else Evidence(evidence)
        projections, explained = alone(self.projection), alone(self.explained_variance)
        parts = zip(projections, explained, evidence.images(len(projections), rules), strict=True)
        return [Cam(*part, self.component, self.density) for part in parts]

    def sign(self, orientation: str) -> torch.Tensor:
        """Sign that a rule gives to each map.

        Parameters
        ----------
        orientation : str
            Name of the rule.

        Returns
        -------
        Tensor, shape (B,), float32
            1 or -1; always 1 for maps whose sign is not open, whatever the rule; NaN where
            the rule could not be evaluated. Evidence of exactly 0 keeps the sign.

        Raises
        ------
        UnknownNameError
            If there is no such rule.
        OptionError
            If the rule needs more than the features, as ``"oracle"`` does.
        """
        if not self.signed:
            return torch.ones_like(self.explained_variance)
        return sign_of(self._evidence(orientation))

    def margin(self, orientation: str) -> torch.Tensor:
        """How clear a rule's choice is.

        Parameters
        ----------
        orientation : str
            Name of the rule; errors as for `sign`.

        Returns
        -------
        Tensor, shape (B,), float32
            In [0, 1]; near 0 the sign is a coin toss. NaN where the rule could not be
            evaluated, and for maps whose sign is not open.
        """
        if not self.signed:
            return torch.full_like(self.explained_variance, torch.nan)
        return self._evidence(orientation).abs()

    def oriented(self, orientation: str) -> torch.Tensor:
        """Give the maps the sign that a rule gives them.

        Parameters
        ----------
        orientation : str
            Name of the rule; errors as for `sign`.

        Returns
        -------
        Tensor, shape (B, h, w), float32
            NaN everywhere where the rule could not be evaluated.
        """
        return self.projection * self.sign(orientation)[:, None, None]

    def _evidence(self, orientation: str) -> torch.Tensor:
        if orientation in self.evidence:
            return self.evidence[orientation]
        rule = ORIENTATIONS[orientation]
        height, width = self.grid
        raise OptionError(
            f"orientation {orientation!r} ({rule.summary}) has no evidence on the "
            f"{height}x{width} grid; this CAM has evidence for: {', '.join(self.evidence)}"
        )


class DeferredEvidence(Protocol):
    """Evidence that has not been computed yet."""

    def __call__(self) -> torch.Tensor:
        """Compute it, (B,)."""

    def images(self) -> Sequence[DeferredEvidence]:
        """Split it into that of single images, on the CPU and in memory of their own."""


class Evidence(Mapping[str, torch.Tensor]):
    """Evidence by rule, (B,) each; what costs more than the map is computed when asked for."""

    def __init__(self, found: Mapping[str, torch.Tensor | DeferredEvidence]) -> None:
        self._found = dict(found)

    def __getitem__(self, rule: str) -> torch.Tensor:
        value = self._found[rule]
        if not isinstance(value, torch.Tensor):
            value = self._found[rule] = value()
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def images(self, count: int, rules: Collection[str] | None) -> list[Evidence]:
        """Split it into that of single images; of what is not computed, keep some rules."""
        parts: dict[str, Sequence[torch.Tensor | DeferredEvidence]] = {}
        for rule, value in self._found.items():
            if isinstance(value, torch.Tensor):
                parts[rule] = alone(value)
            elif rules is None or rule in rules:
                parts[rule] = value.images()
        return [
            Evidence({rule: each[index] for rule, each in parts.items()}) for index in range(count)
        ]


def alone(batch: torch.Tensor) -> list[torch.Tensor]:
    """Split a batch into batches of one, on the CPU and in memory of their own."""
    return [each.clone() for each in torch.split(batch.cpu(), 1)]
