"""`Cam`: signed maps on a grid, and the evidence for their sign."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch

from quickgaze.cams.evidence import Evidence
from quickgaze.cams.orientation import ORIENTATIONS
from quickgaze.errors import OptionError


@dataclass(frozen=True, eq=False)
class Cam:
    """Signed maps of a batch, before orientation.

    Parameters
    ----------
    projection : Tensor, shape (B, h, w), float32
        The maps. Their own sign means nothing; it is the evidence that gives them one.
    explained_variance : Tensor, shape (B,), float32
        Share of the features' variance that the component explains, in [0, 1]; NaN where the
        features do not vary at all.
    evidence : mapping of str to Tensor, shape (B,), float32
        By orientation rule: positive where the rule keeps the sign of `projection`, negative
        where it flips it. The absolute value is the margin. A rule that could not be
        evaluated is NaN. Maps whose sign is not open, as those of deviation, have no evidence.
    component : int
        Which principal component, from 0.

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

    @property
    def grid(self) -> tuple[int, int]:
        """Height and width in cells."""
        return self.projection.shape[-2], self.projection.shape[-1]

    @property
    def signed(self) -> bool:
        """Whether the maps' sign is open, so that an orientation rule has to fix it."""
        return bool(self.evidence)

    def images(self, rules: Collection[str] | None = None) -> list[Cam]:
        """Part a batch into the CAMs of single images.

        Parameters
        ----------
        rules : collection of str, optional
            The orientation rules that will be applied. Evidence of others is left out where it
            would cost more than the map. All by default.

        Returns
        -------
        list of Cam
            Batches of one, on the CPU and in memory of their own.
        """
        projection, explained = self.projection.cpu(), self.explained_variance.cpu()
        evidence = self.evidence
        evidence = evidence if isinstance(evidence, Evidence) else Evidence(evidence, {})
        evidence = evidence if rules is None else evidence.only(rules)
        return [
            Cam(
                projection[index : index + 1].clone(),
                explained[index : index + 1].clone(),
                own,
                self.component,
            )
            for index, own in enumerate(evidence.images(len(projection)))
        ]

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
        evidence = self._evidence(orientation)
        signs = torch.where(evidence < 0, -1.0, 1.0)
        return torch.where(evidence.isnan(), evidence, signs)

    def margin(self, orientation: str) -> torch.Tensor:
        """How clear a rule's choice is.

        Parameters
        ----------
        orientation : str
            Name of the rule.

        Returns
        -------
        Tensor, shape (B,), float32
            In [0, 1]; near 0 the sign is a coin toss. NaN where the rule could not be
            evaluated, and for maps whose sign is not open.

        Raises
        ------
        UnknownNameError, OptionError
            As for `sign`.
        """
        if not self.signed:
            return torch.full_like(self.explained_variance, torch.nan)
        return self._evidence(orientation).abs()

    def oriented(self, orientation: str) -> torch.Tensor:
        """Give the maps the sign that a rule gives them.

        Parameters
        ----------
        orientation : str
            Name of the rule.

        Returns
        -------
        Tensor, shape (B, h, w), float32
            NaN everywhere where the rule could not be evaluated.

        Raises
        ------
        UnknownNameError, OptionError
            As for `sign`.
        """
        return self.projection * self.sign(orientation)[:, None, None]

    def _evidence(self, orientation: str) -> torch.Tensor:
        if orientation in self.evidence:
            return self.evidence[orientation]
        rule = ORIENTATIONS[orientation]
        height, width = self.grid
        raise OptionError(
            f"orientation {orientation!r} ({rule.summary}) cannot be told on the {height}x{width} "
            f"grid; this CAM has evidence for: {', '.join(self.evidence)}"
        )
