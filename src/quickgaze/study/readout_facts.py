"""What a run says of the readout that made its maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from msgspec import convert

from quickgaze.cams import Readout
from quickgaze.study.plan import DatasetFacts, Plan

Seen = Literal["none", "perhaps", "all"]
"""Whether a readout was fitted on images that it is scored on."""

RANDOM = "none"
"""What a run calls the weights of a network that was never trained."""

SHUFFLED = ", shuffled among the images"
"""What a card adds to the gaze of a readout that was fitted to the gaze on other images."""

_KEY = "readout"  # in the plan's inputs of a backbone


@dataclass(frozen=True)
class ReadoutFacts:
    """What tells a readout from others, and what it was fitted on.

    `out_of_fold` says that each image has a map of a readout that was fitted without it, not of
    the one that has the digest; `changed` what was put in the place of what had been fitted.
    """

    digest: str = ""
    weights: str = ""
    levels: tuple[str, ...] = ()
    grid: str = ""
    hidden: int = 0
    dataset: str = ""
    edition: str = ""
    gaze: str = ""
    licence: str = ""
    images: int = 0
    fingerprint: str = ""
    changed: tuple[str, ...] = ()
    out_of_fold: bool = False

    @classmethod
    def of(cls, readout: Readout, out_of_fold: bool = False) -> ReadoutFacts:
        """Take them from a readout."""
        known = {each.name for each in fields(cls)} & {each.name for each in fields(readout.card)}
        facts = {name: getattr(readout.card, name) for name in known}
        return cls(digest=readout.digest, out_of_fold=out_of_fold, **facts)

    @classmethod
    def of_plan(cls, plan: Plan, backbone: str) -> ReadoutFacts | None:
        """Read what a plan has of the readout of a backbone, if there is one."""
        inputs = plan.inputs.get(backbone) or {}
        return convert(inputs[_KEY], cls) if _KEY in inputs else None

    @property
    def kind(self) -> str:
        """Whether it is linear, in words."""
        return f"readout, {self.hidden} hidden units" if self.hidden else "linear readout"

    @property
    def random(self) -> bool:
        """Whether the network was never trained."""
        return self.weights == RANDOM

    @property
    def shuffled(self) -> bool:
        """Whether it is a control that was fitted to the gaze on other images."""
        return self.gaze.endswith(SHUFFLED)

    @property
    def fitted_on(self) -> str:
        """What it was fitted on."""
        return f"{self.images:,} images of {self.dataset} ({self.edition})"

    def inputs(self) -> Mapping[str, Any]:
        """Give them as they stand among what a plan says of a backbone."""
        return {_KEY: asdict(self)}

    def seen(self, dataset: DatasetFacts) -> Seen:
        """Say whether it was fitted on images of a data set that it is scored on.

        Editions that have the same name may share images.
        """
        if self.out_of_fold or self.dataset != dataset.name:
            return "none"
        if self.fingerprint == dataset.fingerprint:
            return "all"
        return "perhaps" if self.edition == dataset.edition else "none"
