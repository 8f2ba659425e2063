"""What a network shows of where people look, and what its features know of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from quickgaze.bounds import CHANCE, people
from quickgaze.catalogue import check_known
from quickgaze.errors import OptionError
from quickgaze.findings._bootstrap import Resampling
from quickgaze.findings._means import means_of
from quickgaze.findings.kinds import RunMap, maps_of
from quickgaze.findings.selection import check_comparable, check_installed, direction
from quickgaze.study import Run
from quickgaze.study.variants import NO_BACKBONE

_METRICS_SHOWN = ("cc", "nss", "auc", "information_gain")

_PEOPLE = "people"  # the ceiling that stands for them in a metric
_CEILINGS = frozenset(("split_half", "gold_standard"))
_BOUNDS = {CHANCE: "centre bias", "one_observer": "one observer", _PEOPLE: "people"}
_NO_SCORES = pl.DataFrame(schema={"stimulus": pl.String, "model": pl.Float64})
_FACTS = {
    **dict.fromkeys(("backbone", "levels", "kind", "what"), pl.String),
    **dict.fromkeys(("calibrated", "random_weights"), pl.Boolean),
    **dict.fromkeys(("fitted_on", "seen", "metric"), pl.String),
}
_FOUND = {
    **dict.fromkeys(("mean", "low", "high"), pl.Float64),
    **dict.fromkeys(("images", "left_out"), pl.Int64),
    **dict.fromkeys(("share", "share_low", "share_high"), pl.Float64),
    "paired_images": pl.Int64,
    "reason": pl.String,
}


def shown_and_known(
    runs: Run | Sequence[Run],
    metrics: str | Sequence[str] | None = None,
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> pl.DataFrame:
    """Hold what maps show without training beside what readouts fitted to gaze know.

    Shown is what a map without training takes from a network's features, such as ``eigen``; known
    is what a readout fitted to gaze takes from the same features, out of fold.

    Parameters
    ----------
    runs : Run or sequence of Run
        On one data set: those of studies, of `quickgaze.fit_readout`, of
        `quickgaze.readouts.calibrate`. What each holds stands in its plan.
    metrics : str or sequence of str, optional
        By default those of cc, nss, auc and information_gain that some run has.
    confidence, resamples, seed
        As in `means`.

    Returns
    -------
    polars.DataFrame
        For each backbone, a row per map and metric:

        ``backbone``, ``levels`` (names of those that a map is made of; null where it has none),
        ``kind`` and ``what``. Kinds come in this order: ``"baseline"`` (the centre bias first);
        ``"shown"``, then the same maps after a calibration; ``"known"``, from linear readouts to
        those with the most hidden units; ``"applied"``, readouts that were given as a file and so
        are not out of fold; ``"other"``, maps computed elsewhere. The same of random weights, which
        is what the architecture alone shows and knows, follows; ``"people"`` come last.

        ``calibrated`` and ``random_weights``: whether the map was calibrated, and whether the
        network was never trained; null for bounds. ``fitted_on`` and ``seen``: for readouts, the
        images that it was fitted on, and whether those of the run are among them: ``"none"``,
        ``"perhaps"`` (another part of the same edition) or ``"all"``.

        ``metric``, ``mean``, its interval ``low`` to ``high``, and the ``images`` behind it: those
        that all runs have scored and that have a score from every map, whichever its backbone.
        ``left_out`` is how many of those that all runs have scored lack one. All intervals are of
        the same draws of images.

        ``share``, ``share_low``, ``share_high``, ``paired_images``, ``reason``: as in `means`.

    Raises
    ------
    UnknownNameError
        If no run has such a metric.
    OptionError
        If the runs cannot be compared, as in `compare`, or have no stimulus in common.

    Notes
    -----
    Of signed maps, the orientation ``activation`` is shown, or else the run's first that the
    features decide; of blurs, 19 pixels or else the first. Where several maps would have the same
    name, what tells them apart follows it. Baselines and people are those of the first run that has
    them; `quickgaze.bounds.people` names the ceiling that stands for people in a metric.
    Information gain is over the centre bias of each run's own images, so that runs of the same
    images are to be preferred.

    Examples
    --------
    >>> import tempfile, quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=3, size=(120, 160))
    >>> study = qg.Study(displays, metrics=["cc"], cams=["activation", "eigen"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = shown_and_known(study.run(folder, progress=False))
    >>> found.select("kind", "what").rows()
    [('baseline', 'centre bias'), ('shown', 'eigen'), ('shown', 'activation')]
    """
    resampling = Resampling(confidence, resamples, seed)
    opened = [runs] if isinstance(runs, Run) else list(runs)
    names = _metrics(opened, metrics)
    for run in opened:
        check_comparable(opened[0], run)
        check_installed(run, [name for name in names if name in run.metrics])
    lines = [*_bound_lines(opened), *(_Line(_facts(each[0]), each) for each in maps_of(opened))]
    scores = _Scores(opened, lines)
    found = {name: scores.means(name, resampling) for name in names}
    named = list(dict.fromkeys(line.facts["backbone"] for line in lines if line.maps))
    backbones = [name for name in named if name != NO_BACKBONE] or named
    rows = [
        {**found[metric][number], **lines[number].facts, "backbone": backbone, "metric": metric}
        for backbone in backbones
        for number in _of_backbone(lines, backbone)
        for metric in names
    ]
    columns = _FACTS | _FOUND
    return pl.DataFrame([{name: row.get(name) for name in columns} for row in rows], columns)


@dataclass(frozen=True, eq=False)
class _Line:
    """What a row is about: a map, as the runs have it, or a bound by its name."""

    facts: dict[str, Any]
    maps: Sequence[RunMap] = ()
    bound: str = ""


def _metrics(runs: Sequence[Run], metrics: str | Sequence[str] | None) -> list[str]:
    if not runs:
        raise OptionError("there is no run to compare; give at least one")
    known = list(dict.fromkeys(name for run in runs for name in run.metrics))
    if metrics is None:
        found = [name for name in _METRICS_SHOWN if name in known]
        if not found:
            raise OptionError(
                f"the runs have none of {', '.join(_METRICS_SHOWN)}; choose among theirs with "
                f"metrics: {', '.join(known)}"
            )
        return found
    chosen = [metrics] if isinstance(metrics, str) else list(dict.fromkeys(metrics))
    for name in chosen:
        check_known("metric of the runs", name, known)
    return chosen


def _facts(one: RunMap) -> dict[str, Any]:
    facts: dict[str, Any] = {"backbone": one.variant.backbone, "kind": one.kind, "what": one.what}
    facts |= {"levels": ", ".join(one.levels) or None, "calibrated": one.calibrated}
    facts |= {"random_weights": one.random, "seen": one.seen}
    return facts | {"fitted_on": None if one.facts is None else one.facts.fitted_on}


def _bound_lines(runs: Sequence[Run]) -> list[_Line]:
    """Lines of the centre bias and of people, where some run has them."""
    there = {name for run in runs for name in run.bounds()["bound"].unique()}
    if there & _CEILINGS:
        there.add(_PEOPLE)
    return [
        _Line({"kind": "baseline" if name == CHANCE else "people", "what": what}, bound=name)
        for name, what in _BOUNDS.items()
        if name in there
    ]


class _Scores:
    """Scores of all lines on the stimuli that all runs have scored."""

    def __init__(self, runs: Sequence[Run], lines: Sequence[_Line]) -> None:
        self._runs, self._lines = runs, lines
        self._scores = [run.scores() for run in runs]
        self._bounds = [run.bounds() for run in runs]
        common = self._scores[0].select("stimulus").unique(maintain_order=True)
        for scores in self._scores[1:]:
            common = _kept(common, scores)
        if common.is_empty():
            places = ", ".join(run.place for run in runs)
            raise OptionError(f"no stimulus has been scored in all of {places}")
        self._common = common

    def means(self, metric: str, resampling: Resampling) -> list[dict[str, Any]]:
        """Columns of the table that are found, for each line."""
        scored = [self._of_line(line, metric) for line in self._lines]
        kept = self._common
        for line, own in zip(self._lines, scored, strict=True):
            defined = own.filter(pl.col("model").is_not_nan())
            if line.bound in ("", CHANCE) and defined.height:
                kept = _kept(kept, defined)
        left_out = self._common.height - kept.height
        if kept.is_empty():
            reason = "no image has a score from every map"
            return [{"images": 0, "left_out": left_out, "reason": reason} for _ in scored]
        numbered = [_aligned(kept, own, row=pl.lit(row)) for row, own in enumerate(scored)]
        paired = pl.concat(numbered)
        for name, bound in (("chance", CHANCE), ("people", _PEOPLE)):
            own = self._of_bound(bound, metric)
            beside = _aligned(kept, own).select("stimulus", pl.col("model").alias(name))
            paired = paired.join(beside, on="stimulus", maintain_order="left")
        run = next(run for run in self._runs if metric in run.metrics)
        found = means_of(paired, ["row"], metric, direction(run, metric), resampling)
        rows = []
        for own, row in zip(scored, found.iter_rows(named=True), strict=True):
            nothing = "undefined on every image" if own.height else "no run has computed it"
            reason = row["reason"] if row["images"] else nothing
            rows.append({**row, "left_out": left_out, "reason": reason})
        return rows

    def _of_line(self, line: _Line, metric: str) -> pl.DataFrame:
        """Give ``stimulus`` and ``model`` of a line; no rows where no run has computed it."""
        if line.bound:
            return self._of_bound(line.bound, metric)
        for each in line.maps:
            if metric in self._runs[each.place].metrics:
                rows = each.variant.rows(self._scores[each.place])
                return rows.select("stimulus", model=metric)
        return _NO_SCORES

    def _of_bound(self, name: str, metric: str) -> pl.DataFrame:
        """Give the same of a bound, from the first run that has it."""
        for run, bounds in zip(self._runs, self._bounds, strict=True):
            if metric not in run.metrics:
                continue
            settings = run.plan.settings
            ceiling = people(settings.metric(metric), settings.convention)
            rows = bounds.filter(bound=ceiling if name == _PEOPLE else name)
            if rows.height:
                return rows.select("stimulus", model=metric)
        return _NO_SCORES


def _kept(stimuli: pl.DataFrame, scores: pl.DataFrame) -> pl.DataFrame:
    return stimuli.join(scores, on="stimulus", how="semi", maintain_order="left")


def _aligned(stimuli: pl.DataFrame, scores: pl.DataFrame, **more: pl.Expr) -> pl.DataFrame:
    """Put scores in the order of stimuli, NaN where there is none."""
    joined = stimuli.join(scores, on="stimulus", how="left", maintain_order="left")
    return joined.select("stimulus", pl.col("model").fill_null(float("nan")), **more)


def _of_backbone(lines: Sequence[_Line], backbone: str) -> list[int]:
    """Numbers of a backbone's lines and of those of none, in the order of its rows."""
    own = [
        number
        for number, line in enumerate(lines)
        if line.facts.get("backbone", NO_BACKBONE) in (backbone, NO_BACKBONE)
    ]
    ends = {"baseline": 0, "people": 2}
    return sorted(own, key=lambda number: ends.get(lines[number].facts["kind"], 1))
