"""What the maps of runs are, read from the plans: shown, known, baselines or others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from quickgaze.cams import CAMS, ORIENTATIONS
from quickgaze.options import ModelOptions
from quickgaze.study import Run
from quickgaze.study.readout_facts import RANDOM, ReadoutFacts, Seen
from quickgaze.study.variants import (
    CALIBRATED,
    NO_BACKBONE,
    OWN_GRID,
    Variant,
    spoken,
    variants_of,
    varying,
)

Kind = Literal["baseline", "shown", "known", "applied", "other", "people"]

READOUT = "readout"

_SECTIONS = ("shown", "known", "applied", "other")
_FIRST = ("eigen", "deviation", "activation")
_CALIBRATION = "calibrated"  # under this name, the plan of a calibration says what it was made of
_BESIDE_CAMS = frozenset(
    (
        *("backbones", "cams", "grids", "components", "orientations", "sigmas", "levels"),
        *("weights", "readout", "maps", "metrics", "bounds", "convention", "density_sigma"),
        *("draws", "seed"),
    )
)
"""Settings that say nothing of how a CAM was made, or that a map has of its own."""


@dataclass(frozen=True)
class RunMap:
    """One map of a run: what it is, and what tells it from others.

    `place` is that of the run, `cam` the name before a calibration, `order` the places of the
    levels in the backbone.
    """

    place: int
    variant: Variant
    cam: str
    kind: Kind
    what: str
    calibrated: bool
    levels: tuple[str, ...]
    order: tuple[int, ...]
    weights: str
    weights_hash: str
    settings: tuple[tuple[str, str], ...]
    facts: ReadoutFacts | None
    seen: Seen | None

    @property
    def random(self) -> bool:
        """Whether the network was never trained."""
        return self.weights == RANDOM and self.variant.backbone != NO_BACKBONE

    @property
    def identity(self) -> Hashable:
        """The same for the same map in another run."""
        return self.variant, self.kind, self.levels, self.weights_hash, self.settings, self.facts

    def rank(self, cams: Sequence[str]) -> tuple[int, ...]:
        """Where it stands among the maps of its backbone."""
        hidden = -1 if self.facts is None else self.facts.hidden
        section = -1 if self.kind == "baseline" else _SECTIONS.index(self.kind)
        first = (self.kind != "baseline", self.random, section, self.calibrated)
        return (*first, cams.index(self.cam), hidden, -len(self.order), *self.order)


def any_fitted(runs: Sequence[Run]) -> bool:
    """Whether one of the runs has maps of a readout, or calibrated ones."""
    found = (each for place, run in enumerate(runs) for each in _of_run(place, run))
    return any(each.calibrated or each.facts is not None for each in found)


def maps_of(runs: Sequence[Run]) -> list[list[RunMap]]:
    """All maps in the order of a table: each as the list of the runs' maps that are the same.

    Of signed maps one orientation is taken, of blurs one: the defaults where a run has them.
    """
    same: dict[Hashable, list[RunMap]] = defaultdict(list)
    for place, run in enumerate(runs):
        for each in _of_run(place, run):
            same[each.identity].append(each)
    named = _named([each[0] for each in same.values()])
    cams = list(dict.fromkeys((*_FIRST, *(each.cam for each in named))))
    found = [[name, *others[1:]] for name, others in zip(named, same.values(), strict=True)]
    return sorted(found, key=lambda each: each[0].rank(cams))


def _of_run(place: int, run: Run) -> Iterator[RunMap]:
    variants = variants_of(run.scores())
    for key in dict.fromkeys(each.cam_key for each in variants):
        chosen = _chosen([each for each in variants if each.cam_key == key])
        if chosen is not None:
            yield _described(place, run, chosen)


def _chosen(variants: Sequence[Variant]) -> Variant | None:
    """Take one of the variants of a CAM; none where the gaze itself decides the sign of all."""
    blind = [each for each in variants if not _by_gaze(each.orientation)]
    if not blind:
        return None
    usual = [each for each in blind if each.orientation == ModelOptions.orientation]
    among = usual or [each for each in blind if each.orientation == blind[0].orientation]
    return next((each for each in among if each.sigma == ModelOptions.sigma), among[0])


def _by_gaze(orientation: str) -> bool:
    known = ORIENTATIONS.entries().get(orientation)
    return known is not None and known.needs_density


def _described(place: int, run: Run, variant: Variant) -> RunMap:
    plan, backbone = run.plan, variant.backbone
    calibrated = _CALIBRATION in plan.maps_fingerprints and variant.cam.endswith(CALIBRATED)
    cam = variant.cam.removesuffix(CALIBRATED) if calibrated else variant.cam
    facts = ReadoutFacts.of_plan(plan, backbone) if cam == READOUT else None
    kind = _kind(run, cam, backbone, facts)
    what = cam if facts is None else _readout_in_words(facts)
    settings = plan.settings.to_json().items() if kind == "shown" else ()
    of_levels = facts is not None or (kind == "shown" and variant.grid != OWN_GRID)
    levels = _levels(run, backbone, facts) if of_levels else ()
    return RunMap(
        place,
        variant,
        cam,
        kind,
        f"{what}, calibrated" if calibrated else what,
        calibrated,
        tuple(name for name, _ in levels),
        tuple(number for _, number in levels),
        _weights(run, backbone, facts),
        plan.weights_hashes.get(backbone, ""),
        tuple((name, str(value)) for name, value in settings if name not in _BESIDE_CAMS),
        facts,
        None if facts is None else facts.seen(plan.dataset),
    )


def _kind(run: Run, cam: str, backbone: str, facts: ReadoutFacts | None) -> Kind:
    if facts is not None:
        return "baseline" if facts.shuffled else "known" if facts.out_of_fold else "applied"
    if backbone == NO_BACKBONE:
        of_images = cam in CAMS.names() and CAMS[cam].of_images is not None
        return "baseline" if of_images else "other"
    return "other" if backbone in run.plan.settings.maps else "shown"


def _readout_in_words(facts: ReadoutFacts) -> str:
    told = [facts.kind, *facts.changed]
    if facts.shuffled:
        told.append("fitted to shuffled gaze")
    if not facts.out_of_fold:
        told.append(f"fitted on {facts.fitted_on}")
    return ", ".join(told)


def _levels(run: Run, backbone: str, facts: ReadoutFacts | None) -> list[tuple[str, int]]:
    """Levels that a map is made of, each with its place among the backbone's."""
    inputs = run.plan.inputs.get(backbone) or {}
    pairs = [str(each).rpartition(":")[::2] for each in inputs.get("levels", ())]
    names = [name for name, _ in pairs]
    by_stride = {f"s{stride}": name for name, stride in reversed(pairs)}
    wanted = run.plan.settings.levels if facts is None else facts.levels
    chosen = {each if each in names else by_stride.get(each, each) for each in wanted or names}
    places = {name: place for place, name in enumerate(names)}
    found = [(name, places.get(name, len(names))) for name in chosen]
    return sorted(found, key=lambda each: (each[1], each[0]))


def _weights(run: Run, backbone: str, facts: ReadoutFacts | None) -> str:
    if facts is not None and facts.weights:
        return facts.weights
    if run.complete and backbone in run.manifest.backbones:
        return run.manifest.backbones[backbone].weights
    return run.plan.settings.weights


def _named(found: Sequence[RunMap]) -> list[RunMap]:
    """Add to the names what tells maps apart: weights, keys, settings, what they were fitted on."""
    trained = defaultdict(set)
    for each in found:
        if not each.random and each.kind != "baseline":
            trained[each.variant.backbone].add(each.weights_hash)
    alike = defaultdict(list)
    for each in found:
        weights = []
        if each.random:
            weights = ["random weights"]
        elif len(trained[each.variant.backbone]) > 1:
            weights = [f"weights {each.weights}"]
        named = replace(each, what=", ".join([each.what, *weights]))
        alike[named.variant.backbone, named.kind, named.what, named.levels].append(named)
    told = {each.identity: _told_apart(each, group) for group in alike.values() for each in group}
    return [told[each.identity] for each in found]


def _told_apart(one: RunMap, alike: Sequence[RunMap]) -> RunMap:
    if len(alike) == 1:
        return one
    keys = varying([each.variant for each in alike])
    told = [spoken(one.variant, keys)] if keys else []
    for name, value in one.settings:
        if len({dict(each.settings).get(name) for each in alike}) > 1:
            told.append(f"{name.replace('_', ' ')} {value}")
    if one.facts is not None:
        told.append(one.facts.digest[:8])
    return replace(one, what=" · ".join([one.what, *told]))
