"""What a study computes: its options with every default decided, as names."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from math import inf
from typing import Any

from quickgaze.backbones import Backbone, BackboneSpec, check_grid, find_spec
from quickgaze.bounds import BOUNDS
from quickgaze.cams import CAMS, ORIENTATIONS, CamMethod, Readout, as_cam, check_cam
from quickgaze.catalogue import check_known, unknown_name
from quickgaze.errors import OptionError
from quickgaze.metrics import CONVENTIONS, DEFAULT_METRICS, METRICS, Definition, Metric
from quickgaze.options import ModelOptions, StudyOptions, check, keywords, options_of
from quickgaze.resampling import check_sigma
from quickgaze.stimuli import Dataset
from quickgaze.study._tables import schemas
from quickgaze.study.variants import NO_BACKBONE

METRICS_OF: Mapping[str, tuple[str, ...]] = {
    "tuebingen": DEFAULT_METRICS,
    "mit": ("cc", "sim", "kld", "nss", "auc_judd", "auc_borji"),
    "salicon": ("cc", "nss", "auc"),
    "cap6415": ("cc", "cc_union", "kld", "mae", "mse", "nss", "auc"),
}
"""The metrics that are computed in each convention by default: those that its authors report and
that need nothing but the stimulus's own gaze."""


@dataclass(frozen=True)
class Settings(StudyOptions):
    """The options of a study, every default decided; what was given as an object by its name."""

    _: KW_ONLY
    backbones: tuple[str, ...] = ()
    cams: tuple[str, ...] = ()
    grids: tuple[str, ...] = ()
    components: tuple[int, ...] = ()
    orientations: tuple[str, ...] = ()
    sigmas: tuple[float, ...] = ()
    metrics: tuple[str, ...] = ()
    bounds: tuple[str, ...] = ()
    levels: tuple[str, ...] | None = None
    maps: Mapping[str, str] = field(default_factory=dict)
    weights: str = str(StudyOptions.weights)
    readout: str | None = None
    density_sigma: float = Dataset.density_sigma
    own_cams: Mapping[str, CamMethod] = field(default_factory=dict, compare=False)
    own_metrics: Mapping[str, Metric] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, given: StudyOptions, dataset: Dataset) -> Settings:
        """Decide what was left open, and refuse what cannot be computed."""
        values = keywords(given) | {
            name: default()
            for name, default in _defaults(given, dataset).items()
            if getattr(given, name) is None
        }
        kinds = {each.name: known.kind for each, known in options_of(given)}
        cams = [as_cam(each) for each in values["cams"] if not isinstance(each, str)]
        metrics = [METRICS.choose(each) for each in values["metrics"] if not isinstance(each, str)]
        settings = cls(
            **{name: _plain(value, kinds[name]) for name, value in values.items()},
            own_cams=_by_name(cams),
            own_metrics={each.name: each for each in metrics if each.name not in METRICS.names()},
        )
        objects = [each for each in given.backbones or () if isinstance(each, Backbone)]
        settings.check({each.name: each.spec for each in objects})
        return settings if settings._takes_backbones() else replace(settings, backbones=())

    def to_json(self) -> dict[str, Any]:
        """Give what decides values as plain lists, dictionaries, strings and numbers."""
        names = (each.name for each, known in options_of(self) if known.decides)
        return {name: as_lists(getattr(self, name)) for name in names}

    def cam(self, name: str) -> CamMethod:
        """Give a CAM by its name: the object that was given, or the catalogue's."""
        return self.own_cams.get(name) or CAMS[name]

    @property
    def fitted(self) -> Readout | None:
        """The readout that makes one of the CAMs, where it is at hand."""
        found = (getattr(each.compute, "readout", None) for each in self.own_cams.values())
        return next((each for each in found if isinstance(each, Readout)), None)

    def metric(self, name: str) -> Metric:
        """Give a metric by its name: the object that was given, or the catalogue's."""
        return self.own_metrics.get(name) or METRICS[name]

    def chosen_metrics(self) -> tuple[str | Metric, ...]:
        """Give the metrics as they are to be computed: objects where they were given."""
        return tuple(self.own_metrics.get(name, name) for name in self.metrics)

    def check(self, loaded: Mapping[str, BackboneSpec]) -> None:
        """Refuse names that are not known and values that cannot be used.

        `loaded` describes those of the backbones that were given as objects.
        """
        needed = {"grids", "components", "orientations", "sigmas"}
        if self._takes_backbones() or not (self.cams or self.maps):
            needed.add("backbones")
        if self.backbones or not self.maps:
            needed.add("cams")
        for option in ("backbones", "cams", "grids", "components", "orientations", "sigmas"):
            if option in needed and not getattr(self, option):
                raise OptionError(f"{option} is empty; name at least one")
        for sigma in (*self.sigmas, self.density_sigma):
            check_sigma(sigma)
        check(self)
        self._check_names()
        self._check_metrics()
        for backbone in self.backbones:
            self._check_backbone(
                backbone, loaded.get(backbone) or find_spec(backbone).at(self.geometry)
            )

    def _takes_backbones(self) -> bool:
        """Whether some map is made of what a backbone computes."""
        return any(self.cam(name).of_images is None for name in self.cams)

    def _check_names(self) -> None:
        if NO_BACKBONE in self.backbones:
            raise OptionError(
                f"a backbone cannot be called {NO_BACKBONE!r}, which stands for maps without one; "
                "give yours another name"
            )
        for name in self.maps:
            if not name or name in {*self.backbones, NO_BACKBONE}:
                raise OptionError(
                    f"maps cannot be called {name!r}: in the scores, their name stands where a "
                    "backbone's does; give one that no backbone of this study has"
                )
        for name in self.cams:
            self.cam(name)
        for name in self.orientations:
            ORIENTATIONS[name]
        for name in self.bounds:
            BOUNDS[name]

    def _check_metrics(self) -> None:
        check_known("convention", self.convention, CONVENTIONS)
        columns = schemas(())
        taken = {*columns["scores"], *columns["bounds"]}
        for name in self.metrics:
            conventions = self.metric(name).conventions
            if name in taken:
                raise OptionError(
                    f"metric {name!r} has the name of another column of the scores; give it "
                    "another name"
                )
            if self.convention not in conventions:
                raise OptionError(
                    f"metric {name!r} is not defined in the convention {self.convention!r}, "
                    f"only in: {', '.join(conventions)}"
                )

    def _check_backbone(self, backbone: str, spec: BackboneSpec) -> None:
        for cam in map(self.cam, self.cams):
            # one that another of the backbones has is left out here
            if cam.backbone in (None, backbone) or cam.backbone not in self.backbones:
                check_cam(cam, spec)
        names = [level.name for level in spec.levels]
        known = [*names, *(f"s{level.stride}" for level in spec.levels)]
        for name in self.levels or ():
            if name not in known:
                raise unknown_name(f"level of {backbone}", name, names)
        for grid in self.grids:
            check_grid(grid, names)


def _defaults(given: StudyOptions, dataset: Dataset) -> dict[str, Callable[[], Any]]:
    """Give what stands for an option that was left open, by its name."""
    model = ModelOptions()
    maps_alone = bool(given.maps) and given.cams is None
    cams = [as_cam(each) for each in given.cams or ()]
    without_backbone = maps_alone if given.backbones is None else not given.backbones
    baselines = bool(cams) and all(cam.of_images is not None for cam in cams)
    return {
        "backbones": lambda: () if maps_alone or baselines else (model.backbone,),
        "cams": lambda: () if without_backbone else (model.cam,),
        "orientations": lambda: tuple(ORIENTATIONS.entries()),
        "metrics": lambda: default_metrics(given.convention),
        "bounds": lambda: default_bounds(dataset),
        "density_sigma": lambda: dataset.density_sigma,
        "maps": dict,
    }


def _by_name(cams: Iterable[CamMethod]) -> dict[str, CamMethod]:
    named: dict[str, CamMethod] = {}
    for cam in cams:
        if named.setdefault(cam.name, cam) != cam:
            raise OptionError(
                f"two of the CAMs have the name {cam.name!r}; give them names that differ, or "
                "score them in two studies"
            )
    return named


def _plain(value: Any, kind: type) -> Any:
    """Write names for objects, texts for paths, and each value once."""
    if isinstance(value, Mapping):
        return {name: os.fspath(place) for name, place in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return tuple(dict.fromkeys(_plain(each, kind) for each in value))
    if kind is float and value is not None:
        return float(value)
    return os.fspath(value) if isinstance(value, os.PathLike) else getattr(value, "name", value)


def as_lists(value: Any) -> Any:
    """Write tuples, at any depth, as the lists that JSON has."""
    if isinstance(value, Mapping):
        return {name: as_lists(each) for name, each in value.items()}
    return [as_lists(each) for each in value] if isinstance(value, tuple | list) else value


_FACTS = ("higher_is_better", "unit", "summary", "reference", "chance", "spearman_brown")


def facts_of(metric: Metric, convention: str) -> dict[str, Any]:
    """Give what readers of a run must know of a metric that no catalogue holds."""
    facts = {name: getattr(metric, name) for name in _FACTS}
    return {**facts, "compares": metric.compares[convention]}


def metric_of(name: str, facts: Mapping[str, Any], convention: str) -> Metric:
    """Give a metric that a run was scored with; it says what it was, but computes nothing."""

    def gone(*_: object) -> Any:
        raise OptionError(
            f"the metric {name!r} was given as an object, which the run does not keep"
        )

    known = {each: facts[each] for each in _FACTS}
    definitions = {convention: Definition(facts["compares"], gone)}
    return Metric(name, gone, definitions, range=(-inf, inf), **known)


def default_metrics(convention: str) -> tuple[str, ...]:
    """Metrics that a study computes unless told otherwise."""
    return METRICS_OF.get(convention, DEFAULT_METRICS)


def default_bounds(dataset: Dataset) -> tuple[str, ...]:
    """Bounds that a study computes unless told otherwise.

    All baselines, and the ceilings where the first stimulus with readable gaze has fixations of
    several observers. None for a single stimulus, or without gaze.
    """
    if len(dataset) < 2:
        return ()
    kinds = _kinds(dataset)
    return tuple(name for name, bound in BOUNDS.entries().items() if bound.kind in kinds)


def _kinds(dataset: Dataset) -> tuple[str, ...]:
    """Kinds of bounds that the first stimulus with readable gaze promises."""
    for stimulus in dataset:
        try:
            fixations = stimulus.fixations
        except Exception:  # noqa: BLE001, S112 - reported where the stimulus is scored
            continue
        if fixations is not None and len(set(fixations.observer)) > 1:
            return "baseline", "ceiling"
        if fixations is not None or stimulus.map is not None:
            return ("baseline",)
    return ()
