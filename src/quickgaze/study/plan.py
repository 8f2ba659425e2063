"""What a study will compute: the settings, the stimuli in order, the variants."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import InitVar, asdict, dataclass, field
from typing import Any

from quickgaze.backbones import BackboneSpec, check_grid, find_spec
from quickgaze.bounds import BOUNDS
from quickgaze.cams import CAMS, ORIENTATIONS, check_cam
from quickgaze.cams.features import check_level_scale
from quickgaze.cams.fusion import check_fusion
from quickgaze.catalogue import unknown_name
from quickgaze.errors import OptionError
from quickgaze.metrics import CONVENTIONS, METRICS
from quickgaze.resampling import check_sigma
from quickgaze.study.tables import bounds_schema, scores_schema

FORMAT = 2
"""Version of the run folder's layout and columns."""


@dataclass(frozen=True)
class Settings:
    """Everything that decides a study's values, apart from the stimuli.

    Parameters
    ----------
    backbones, cams, grids, orientations : tuple of str
        Names; every combination is computed.
    components : tuple of int
        Principal components, from 0.
    sigmas : tuple of float
        Blurs of the saliency map in pixels.
    metrics : tuple of str
        Names.
    convention : str
        That the metrics are computed in.
    density_sigma : float
        Blur in pixels of the fixations of data sets that provide no density.
    levels : tuple of str, optional
        Levels of the pyramid to use; all by default.
    level_scale : str
        ``"none"`` or ``"std"``.
    fusion : str
        ``"concatenate"`` or ``"mean"``.
    rectify : bool
        Whether negative values of the CAM are set to 0.
    weights : str
        ``"default"``, ``"none"`` or a file.
    precision : str
        What the backbones compute in.
    geometry : str
        How images are resized for the backbones.
    maps : mapping of str to str
        Folder or HDF5 file of maps that were computed elsewhere, by the model's name. Beside
        them, there need be no backbones.
    bounds : tuple of str
        Baselines and ceilings to compute from the data set, by name.
    draws : int
        How many observers, and splits into halves, a ceiling is averaged over.
    seed : int
        Of all draws: of observers, of halves, and in metrics.
    loaded : mapping of str to BackboneSpec, optional
        Those of the backbones that were given as objects, by name; `weights`, `precision` and
        `geometry` are those of the others.

    Raises
    ------
    UnknownNameError
        If a name is not known.
    OptionError
        If an option cannot be used.
    """

    backbones: tuple[str, ...]
    cams: tuple[str, ...]
    grids: tuple[str, ...]
    components: tuple[int, ...]
    orientations: tuple[str, ...]
    sigmas: tuple[float, ...]
    metrics: tuple[str, ...]
    convention: str
    density_sigma: float
    levels: tuple[str, ...] | None = None
    level_scale: str = "none"
    fusion: str = "concatenate"
    rectify: bool = True
    weights: str = "default"
    precision: str = "auto"
    geometry: str = "default"
    maps: Mapping[str, str] = field(default_factory=dict)
    bounds: tuple[str, ...] = ()
    draws: int = 5
    seed: int = 0
    loaded: InitVar[Mapping[str, BackboneSpec] | None] = None

    def __post_init__(self, loaded: Mapping[str, BackboneSpec] | None) -> None:
        options = ("backbones", "cams", "grids", "components", "orientations", "sigmas")
        maps_alone = bool(self.maps) and not self.backbones
        for option in options[2:] if maps_alone else options:
            if not getattr(self, option):
                raise OptionError(f"{option} is empty; name at least one")
        self._check_names()
        self._check_levels(loaded or {})
        for sigma in (*self.sigmas, self.density_sigma):
            check_sigma(sigma)
        if min(self.components) < 0:
            raise OptionError(f"component {min(self.components)} does not exist; the first is 0")
        if self.draws < 1:
            raise OptionError(f"draws is {self.draws}; give at least 1")
        if self.seed < 0:
            raise OptionError(f"seed is {self.seed}; give 0 or more")

    def _check_names(self) -> None:
        for name in self.maps:
            if not name or name in self.backbones:
                raise OptionError(
                    f"maps cannot be called {name!r}: in the scores, their name stands where a "
                    "backbone's does; give one that no backbone of this study has"
                )
        for name in self.cams:
            CAMS[name]
        for name in self.orientations:
            ORIENTATIONS[name]
        if self.convention not in CONVENTIONS:
            raise unknown_name("convention", self.convention, CONVENTIONS)
        for name in self.metrics:
            conventions = METRICS[name].conventions
            if name in {*scores_schema(()), *bounds_schema(())}:
                raise OptionError(
                    f"metric {name!r} has the name of another column of the scores; the package "
                    "that adds it has to call it otherwise"
                )
            if self.convention not in conventions:
                raise OptionError(
                    f"metric {name!r} is not defined in the convention {self.convention!r}, "
                    f"only in: {', '.join(conventions)}"
                )
        for name in self.bounds:
            BOUNDS[name]
        check_level_scale(self.level_scale)
        check_fusion(self.fusion)

    def _check_levels(self, loaded: Mapping[str, BackboneSpec]) -> None:
        for backbone in self.backbones:
            spec = loaded.get(backbone) or find_spec(backbone).at(self.geometry)
            for cam in self.cams:
                check_cam(cam, spec)
            levels = spec.levels
            names = [level.name for level in levels]
            known = [*names, *(f"s{level.stride}" for level in levels)]
            for name in self.levels or ():
                if name not in known:
                    raise unknown_name(f"level of {backbone}", name, names)
            for grid in self.grids:
                check_grid(grid, names)


@dataclass(frozen=True)
class CamKey:
    """What identifies a CAM within a run."""

    backbone: str
    cam: str
    grid: str
    component: int


@dataclass(frozen=True)
class Variant(CamKey):
    """What identifies a score within a run, beside its stimulus and metric."""

    orientation: str
    sigma: float
    convention: str


def cam_keys(settings: Settings, backbone: str) -> list[CamKey]:
    """CAMs that one backbone's pyramid is turned into.

    Parameters
    ----------
    settings : Settings
    backbone : str
        One of its backbones.

    Returns
    -------
    list of CamKey
    """
    keys = []
    for cam in settings.cams:
        method = CAMS[cam]
        grids = settings.grids if method.has_grid else ("own",)
        components = settings.components if method.has_components else (0,)
        keys += [CamKey(backbone, cam, *each) for each in itertools.product(grids, components)]
    return keys


@dataclass(frozen=True)
class Plan:
    """What will be computed, as it is written into the run folder.

    Parameters
    ----------
    settings : Settings
    dataset : mapping
        Name, edition, fingerprint and what else tells one set of stimuli from another.
    weights_hashes : mapping of str to str
        SHA-256 of the weights, by backbone.
    stimuli : tuple of str
        Ids, in order.
    shard_size : int
        Stimuli per shard.
    inputs : mapping of str to mapping
        What each backbone makes of an image before it looks, and the levels that it gives.
    maps_fingerprints : mapping of str to str
        Of maps that were computed elsewhere, by the model's name.
    fingerprints : tuple of str
        Of the stimuli, in order; empty where they are not at hand.
    """

    settings: Settings
    dataset: Mapping[str, Any]
    weights_hashes: Mapping[str, str]
    stimuli: tuple[str, ...]
    shard_size: int
    inputs: Mapping[str, Any] = field(default_factory=dict)
    maps_fingerprints: Mapping[str, str] = field(default_factory=dict)
    fingerprints: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.shard_size < 1:
            raise OptionError(f"shard_size is {self.shard_size}; give at least 1")

    def shards(self) -> list[range]:
        """Positions of the stimuli of each shard."""
        count = len(self.stimuli)
        return [
            range(start, min(start + self.shard_size, count))
            for start in range(0, count, self.shard_size)
        ]

    def to_json(self) -> dict[str, Any]:
        """Give the plan as plain lists, dictionaries, strings and numbers."""
        return {
            "format": FORMAT,
            "settings": {
                name: list(value) if isinstance(value, tuple) else value
                for name, value in asdict(self.settings).items()
            },
            "dataset": dict(self.dataset),
            "weights_hashes": dict(self.weights_hashes),
            "inputs": dict(self.inputs),
            "maps_fingerprints": dict(self.maps_fingerprints),
            "shard_size": self.shard_size,
            "stimuli": list(self.stimuli),
            "fingerprints": list(self.fingerprints),
        }


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """Say in words how two plans differ.

    Parameters
    ----------
    ours, theirs : mapping
        Plans as `Plan.to_json` gives them.

    Returns
    -------
    list of str
        Empty if they are the same.

    Examples
    --------
    >>> differences({"settings": {"sigmas": [19.0]}}, {"settings": {"sigmas": [5.0]}})
    ['sigmas is [19.0] here and [5.0] there']
    """
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
                f"{where}, as {min(only)!r}"
            )
    return "the stimuli are in another order"


def _content_differs(stimuli: list[str], here: Any, there: Any) -> str:
    pairs = zip(stimuli, here or (), there or (), strict=False)
    changed = [name for name, ours, theirs in pairs if ours != theirs]
    first = f", the first is {changed[0]!r}" if changed else ""
    return f"{len(changed)} stimuli have changed{first}"
