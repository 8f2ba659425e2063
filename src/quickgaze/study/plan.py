"""What a study will compute, as it stands in the run folder."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import Any

from quickgaze.study._settings import Settings, as_lists, facts_of, metric_of
from quickgaze.study.variants import NO_BACKBONE, OWN_GRID, CamKey

FORMAT = 3
"""Version of the run folder's layout and columns."""


class AsWritten(Mapping[str, Any]):
    """A file of a run folder, by attribute with its type, or by key as in its `content`."""

    content: Any

    def __getitem__(self, name: str) -> Any:
        return self.content[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.content)

    def __len__(self) -> int:
        return len(self.content)


@dataclass(frozen=True)
class DatasetFacts:
    """What a plan says of its data set."""

    name: str
    edition: str = "unknown"
    gaze: str = "none"
    fingerprint: str = ""
    missing: int = 0
    notes: tuple[str, ...] = ()
    imported_sha256: str | None = None

    @property
    def title(self) -> str:
        """Name and edition, as headings have them."""
        return f"{self.name} ({self.edition})"

    def to_json(self) -> dict[str, Any]:
        """Give what is known as plain values."""
        return {name: as_lists(value) for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, eq=False)
class Plan(AsWritten):
    """What a study will compute.

    `weights_hashes` are SHA-256 by backbone, `inputs` say what each backbone makes of an image
    and which levels it gives; `fingerprints` are those of the stimuli, empty where not at hand.
    """

    settings: Settings
    dataset: DatasetFacts
    weights_hashes: Mapping[str, str]
    stimuli: tuple[str, ...]
    shard_size: int = Settings.shard_size
    inputs: Mapping[str, Any] = field(default_factory=dict)
    maps_fingerprints: Mapping[str, str] = field(default_factory=dict)
    fingerprints: tuple[str, ...] = ()

    def shards(self) -> list[slice]:
        """Positions of the stimuli of each shard."""
        starts = range(0, len(self.stimuli), self.shard_size)
        return [slice(start, start + self.shard_size) for start in starts]

    def to_json(self) -> dict[str, Any]:
        """Give the plan as plain lists, dictionaries, strings and numbers."""
        content = {each.name: getattr(self, each.name) for each in fields(self)}
        settings, dataset = self.settings.to_json(), self.dataset.to_json()
        content |= {"format": FORMAT, "settings": settings, "dataset": dataset}
        if self.settings.own_metrics:
            convention = self.settings.convention
            own = self.settings.own_metrics.items()
            content["own_metrics"] = {name: facts_of(each, convention) for name, each in own}
        return {name: as_lists(value) for name, value in content.items()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Plan:
        """Read what `to_json` gave."""
        known = {each.name for each in fields(cls)} & set(content)
        parts = {name: _tuples(content[name]) for name in known}
        settings: Settings = _read(Settings, content["settings"])
        own = content.get("own_metrics", {}).items()
        metrics = {name: metric_of(name, facts, settings.convention) for name, facts in own}
        parts["settings"] = replace(settings, own_metrics=metrics)
        parts["dataset"] = _read(DatasetFacts, {"name": "", **content.get("dataset", {})})
        return cls(**{"weights_hashes": {}, **parts})

    @cached_property
    def content(self) -> Mapping[str, Any]:
        """The plan as the file has it."""
        return self.to_json()


def _read(kind: type[Any], content: Mapping[str, Any]) -> Any:
    known = {each.name for each in fields(kind)}
    return kind(**{name: _tuples(value) for name, value in content.items() if name in known})


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def cam_keys(settings: Settings, backbone: str) -> list[CamKey]:
    """CAMs that one backbone's pyramid is turned into, or those in which no backbone takes part."""
    keys = []
    for cam in settings.cams:
        method = settings.cam(cam)
        if (method.of_images is not None) != (backbone == NO_BACKBONE):
            continue
        if method.backbone not in (None, backbone):
            continue
        grids = settings.grids if method.has_grid else (OWN_GRID,)
        components = settings.components if method.has_components else (0,)
        keys += [CamKey(backbone, cam, *each) for each in itertools.product(grids, components)]
    return keys


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """Say in words how two plans differ, as `Plan.to_json` gives them."""
    found = []
    for name in sorted({*ours, *theirs}):
        here, there = ours.get(name), theirs.get(name)
        if here == there:
            continue
        if isinstance(here, Mapping) and isinstance(there, Mapping):
            found += differences(here, there)
        elif name == "stimuli" and isinstance(here, list) and isinstance(there, list):
            found.append(_stimuli_differ(here, there))
        elif name == "fingerprints":
            if ours.get("stimuli") == theirs.get("stimuli"):
                found.append(_content_differs(ours["stimuli"], here, there))
        elif name == "fingerprint":
            found.append("the data set's images or gaze are not the same")
        else:
            found.append(f"{name} is {here} here and {there} there")
    return found


def _stimuli_differ(here: list[str], there: list[str]) -> str:
    ours, theirs = set(here), set(there)
    for only, where in ((ours - theirs, "here"), (theirs - ours, "there")):
        if only:
            return (
                f"there are {len(here)} stimuli here and {len(there)} there; {len(only)} are only "
                f"{where}, such as {min(only)!r}"
            )
    return "the stimuli are in another order"


def _content_differs(stimuli: list[str], here: Any, there: Any) -> str:
    pairs = zip(stimuli, here or (), there or (), strict=False)
    changed = [name for name, ours, theirs in pairs if ours != theirs]
    first = f", the first is {changed[0]!r}" if changed else ""
    return f"{len(changed)} stimuli have changed{first}"
