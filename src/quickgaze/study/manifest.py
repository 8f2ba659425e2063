"""What is written last: everything that a reader of a complete run must know."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from importlib.metadata import version
from typing import Any

from msgspec import convert

from quickgaze.backbones import BACKBONES, Backbone
from quickgaze.bounds import BOUNDS
from quickgaze.cams import CAMS, ORIENTATIONS
from quickgaze.metrics import METRICS
from quickgaze.stimuli import DATASETS
from quickgaze.stimuli.points import Points
from quickgaze.study.plan import AsWritten, Plan

_LIBRARIES = ("quickgaze", "torch", "torchvision", "timm", "numpy")


@dataclass(frozen=True)
class BackboneFacts:
    """What a backbone computed with."""

    weights: str
    weights_hash: str
    device: str
    precision: str

    @classmethod
    def of(cls, backbone: Backbone) -> BackboneFacts:
        """Take them from a backbone."""
        device = str(backbone.device)
        return cls(backbone.weights, backbone.weights_hash, device, backbone.precision)


@dataclass(frozen=True)
class Counts:
    """How many stimuli and recorded points a run has, and what became of them."""

    stimuli: int
    scored: int
    failed: int
    undefined_scores: int
    points: int
    points_outside: int


@dataclass(frozen=True, eq=False)
class Manifest(AsWritten):
    """What a complete run was computed with, and what came of it; ISO 8601 times in UTC."""

    backbones: Mapping[str, BackboneFacts]
    versions: Mapping[str, str]
    counts: Counts
    started: str
    finished: str
    imported: Mapping[str, Any] = field(default_factory=dict)
    content: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        plan: Plan,
        failed: int,
        undefined: int,
        points: Points,
        backbones: Mapping[str, BackboneFacts],
        started: datetime,
    ) -> Manifest:
        """Make the manifest of a run that has just been finished."""
        count = len(plan.stimuli)
        versions = {"python": platform.python_version()}
        versions |= {name: version(name) for name in _LIBRARIES}
        return cls(
            backbones,
            versions | _extensions(plan),
            Counts(count, count - failed, failed, undefined, points.total, points.outside),
            started.isoformat(timespec="seconds"),
            datetime.now(timezone.utc).isoformat(timespec="seconds"),
        )

    def to_json(self, plan: Plan) -> dict[str, Any]:
        """Give the manifest, with the plan's settings, as plain values."""
        content = plan.to_json() | asdict(self) | {"complete": True}
        dropped = {"stimuli", "content"} if self.imported else {"stimuli", "content", "imported"}
        return {name: value for name, value in content.items() if name not in dropped}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Manifest:
        """Read what `to_json` gave."""
        return replace(convert(content, cls), content=content)


def _extensions(plan: Plan) -> dict[str, str]:
    """Versions of other packages whose entries took part, by the package's name."""
    settings = plan.settings
    used = (
        (DATASETS, [plan.dataset.name]),
        (BACKBONES, settings.backbones),
        (CAMS, settings.cams),
        (ORIENTATIONS, settings.orientations),
        (METRICS, settings.metrics),
        (BOUNDS, settings.bounds),
    )
    found = (catalogue.package(name) for catalogue, names in used for name in names)
    return dict(package for package in found if package is not None)
