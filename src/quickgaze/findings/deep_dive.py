"""Chosen stimuli at every grid of a run, with the sign of the rule and with the other one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from quickgaze.catalogue import unknown_name
from quickgaze.errors import OptionError
from quickgaze.findings.selection import Chosen, check_metric, direction, of_one_variant
from quickgaze.findings.summary import VARIANT
from quickgaze.study import Run

_PLACE = ("stimulus", *(name for name in VARIANT if name != "orientation"))


@dataclass(frozen=True, eq=False)
class DeepDive:
    """What other grids, and the other sign, would make of chosen stimuli.

    Parameters
    ----------
    grids : polars.DataFrame
        A row per stimulus and grid, in the order in which the stimuli were named and the grids
        computed: ``stimulus, grid, score`` (with the sign of the rule), ``flipped`` (with the
        other sign; null where the run does not hold it), ``best`` and ``best_flipped``: whether
        this is the best of the stimulus's grids with that sign. Of equal scores, the first is
        the best.
    best : polars.DataFrame
        A row per stimulus: ``stimulus, grid`` and ``score`` (that it is held against), then
        ``best_grid``, ``best_sign`` (``"rule"`` or ``"flipped"``), ``best_score`` and ``gain``:
        how much better that is, never negative, whichever way the metric goes. Null, with a
        ``reason``, where there is no score.

    Examples
    --------
    >>> import tempfile
    >>> import quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=1, size=(120, 160))
    >>> study = qg.Study(displays, metrics=["cc"], orientations=["activation"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     dive = deep_dive(study.run(folder, progress=False), ["popout-000000"], "cc")
    >>> dive.best.select("best_grid", "best_sign", "gain").row(0)
    ('coarsest', 'rule', 0.0)
    """

    grids: pl.DataFrame
    best: pl.DataFrame

    def _repr_html_(self) -> str:
        """Show the tables, for notebooks."""
        return "".join(table._repr_html_() for table in (self.best, self.grids))


def deep_dive(
    run: Run, stimuli: Sequence[str], metric: str, *, variant: Chosen | None = None
) -> DeepDive:
    """Hold the grids of a run side by side for chosen stimuli, flipped and not.

    Parameters
    ----------
    run : Run
        Complete or not, with as many grids as are to be compared.
    stimuli : sequence of str
        Ids, as a column of `ranking` gives them.
    metric : str
        One of the run's.
    variant : mapping, optional
        Keys and values that tell one variant from all others, the grid excepted. Where it
        names a grid, that is the one that the others are held against; else it is the run's
        first.

    Returns
    -------
    DeepDive

    Raises
    ------
    UnknownNameError
        If the run has no such metric, stimulus or variant.
    OptionError
        If several variants fit, or no stimulus is named.

    Notes
    -----
    A map has two signs, and rules of the same sign score the same in every metric. So the
    score of the other sign is that of any other rule of the run that scores differently;
    ``oracle`` has it wherever the rule has the worse sign. Flipping comes before rectifying.

    Examples
    --------
    >>> import tempfile
    >>> import quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=2, size=(120, 160))
    >>> study = qg.Study(displays, metrics=["cc"], grids=["coarsest", "s16"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = study.run(folder, progress=False)
    ...     dive = deep_dive(run, ["popout-000000"], "cc", variant={"orientation": "lapack"})
    >>> dive.grids["grid"].to_list(), dive.best["gain"][0] >= 0
    (['coarsest', 's16'], True)
    """
    check_metric(run, metric)
    names = list(dict.fromkeys(stimuli))
    if not names:
        raise OptionError("no stimulus is named; give the ids of those to look at")
    planned = set(run.plan["stimuli"])
    for name in names:
        if name not in planned:
            raise unknown_name("stimulus of the run", name, run.plan["stimuli"])
    chosen = dict(variant or {})
    everything = run.scores()
    of_one_variant(everything, {k: v for k, v in chosen.items() if k != "grid"}, ["grid"])
    reference = of_one_variant(everything, chosen, ["grid"])["grid"].head(1).to_list()
    chosen.pop("grid", None)
    scores = everything.filter(pl.col("stimulus").is_in(names))
    under_rule = _of_rule(scores, chosen)
    flipped = _flipped(scores, under_rule, run.metrics, metric)
    order = pl.DataFrame({"stimulus": names}, {"stimulus": pl.String})
    sides = (
        order.join(under_rule, on="stimulus", maintain_order="left_right")
        .join(flipped, on=list(_PLACE), how="left", maintain_order="left")
        .select("stimulus", "grid", pl.col(metric).fill_nan(None).alias("score"), "flipped")
    )
    higher = direction(metric) > 0
    grids = sides.with_columns(
        _first_best("score", higher).alias("best"),
        _first_best("flipped", higher).alias("best_flipped"),
    )
    return DeepDive(grids, _best(order, grids, reference, higher, _reasons(run, names)))


def _of_rule(scores: pl.DataFrame, chosen: Chosen) -> pl.DataFrame:
    """Rows of the variant at all grids; none, rather than an error, for stimuli that failed."""
    wanted = [pl.col(key) == value for key, value in chosen.items()]
    return scores.filter(*wanted) if wanted else scores


def _flipped(
    scores: pl.DataFrame, under_rule: pl.DataFrame, metrics: Sequence[str], metric: str
) -> pl.DataFrame:
    """Score of the other sign, where another rule of the run gave it."""
    rule = pl.struct(f"{name}_rule" for name in metrics)
    other = pl.struct(pl.col(name).alias(f"{name}_rule") for name in metrics)
    undecided = pl.all_horizontal(pl.col(metrics).is_nan())
    theirs = scores.filter(~undecided).select(*_PLACE, *metrics)
    ours = under_rule.filter(~undecided).select(
        *_PLACE, *(pl.col(name).alias(f"{name}_rule") for name in metrics)
    )
    return (
        ours.join(theirs, on=list(_PLACE), maintain_order="left_right")
        .filter(rule.ne_missing(other))
        .unique(_PLACE, keep="first", maintain_order=True)
        .select(*_PLACE, pl.col(metric).fill_nan(None).alias("flipped"))
    )


def _first_best(column: str, higher_is_better: bool) -> pl.Expr:
    """Whether a score is the first of the best of its stimulus."""
    place = pl.col(column).arg_max() if higher_is_better else pl.col(column).arg_min()
    return (pl.int_range(pl.len()) == place).over("stimulus").fill_null(False)


def _reasons(run: Run, names: Sequence[str]) -> pl.DataFrame:
    failures = run.failures().filter(pl.col("stimulus").is_in(names))
    return failures.select("stimulus", failure="message").unique("stimulus", keep="first")


def _best(
    order: pl.DataFrame,
    grids: pl.DataFrame,
    reference: Sequence[str],
    higher_is_better: bool,
    failures: pl.DataFrame,
) -> pl.DataFrame:
    """Row per stimulus: the best of its grids and signs, and how much better that is."""
    held = grids.filter(pl.col("grid").is_in(list(reference))).select("stimulus", "grid", "score")
    # The rule's sign comes first, so that the other one is best only where it is better.
    ordered = pl.concat(
        grids.select(
            "stimulus",
            pl.col("grid").alias("best_grid"),
            pl.lit(sign).alias("best_sign"),
            pl.col(column).alias("best_score"),
        )
        for sign, column in (("rule", "score"), ("flipped", "flipped"))
    ).filter(pl.col("best_score").is_not_null())
    best = ordered.filter(_first_best("best_score", higher_is_better))
    way = pl.col("best_score") - pl.col("score")
    reason = (
        pl.when(pl.col("failure").is_not_null())
        .then("failure")
        .when(pl.col("score").is_null())
        .then(pl.lit("the score that it would be held against is undefined or not computed yet"))
    )
    return (
        order.join(held, on="stimulus", how="left", maintain_order="left")
        .join(best, on="stimulus", how="left", maintain_order="left")
        .join(failures, on="stimulus", how="left", maintain_order="left")
        .select(
            pl.exclude("failure"),
            (way if higher_is_better else -way).alias("gain"),
            reason.alias("reason"),
        )
    )
