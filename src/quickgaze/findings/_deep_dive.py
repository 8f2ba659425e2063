"""Chosen stimuli at every grid of a run, with the sign of the rule and with the other one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from quickgaze.catalogue import check_known
from quickgaze.errors import OptionError
from quickgaze.findings._summary import VARIANT
from quickgaze.findings.selection import Chosen, check_metric, direction, of_one_variant
from quickgaze.study import Run

_MAP = ("stimulus", *(name for name in VARIANT if name != "orientation"))


@dataclass(frozen=True, eq=False)
class DeepDive:
    """Scores of chosen stimuli at every grid and with both signs, and the best of them.

    Parameters
    ----------
    grids : polars.DataFrame
        A row per stimulus and grid, in the order in which the stimuli were named and the grids
        computed: ``stimulus, grid, score`` (with the sign of the rule), ``flipped`` (with the other
        sign; null where the run does not have it), ``best`` and ``best_flipped``: whether this is
        the best of the stimulus's grids with that sign, the first of equal scores.
    best : polars.DataFrame
        A row per stimulus: ``stimulus, grid`` and ``score`` (of the grid that others are compared
        with), then ``best_grid``, ``best_sign`` (``"rule"`` or ``"flipped"``), ``best_score`` and
        ``gain``: how much better that is, never negative, whichever way the metric goes. Null, with
        a ``reason``, where there is no score.

    Examples
    --------
    >>> import tempfile, quickgaze as qg
    >>> study = qg.Study(qg.load_dataset("popout", n=1), metrics=["cc"], cams=["center"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     dive = deep_dive(study.run(folder, progress=False), ["popout-000000"], "cc")
    >>> dive.best.select("best_grid", "best_sign", "gain").row(0)
    ('own', 'rule', 0.0)
    """

    grids: pl.DataFrame
    best: pl.DataFrame

    def _repr_html_(self) -> str:
        return "".join(table._repr_html_() for table in (self.best, self.grids))


def deep_dive(
    run: Run, stimuli: Sequence[str], metric: str, *, variant: Chosen | None = None
) -> DeepDive:
    """Compare the grids of a run for chosen stimuli, flipped and not.

    A map has two signs, and rules of the same sign score the same in every metric. So the score of
    the other sign is that of any other rule of the run that scores differently; ``oracle`` has it
    wherever the rule has the worse sign. Flipping comes before rectifying.

    Parameters
    ----------
    run : Run
    stimuli : sequence of str
        Ids, as a column of `ranking` gives them.
    metric : str
    variant : mapping, optional
        Keys and values that choose one variant, the grid excepted. The others are compared with the
        grid that it names, or else with the run's first.

    Returns
    -------
    DeepDive

    Raises
    ------
    UnknownNameError
        If the run has no such metric, stimulus or variant.
    OptionError
        If several variants fit, or no stimulus is named.

    Examples
    --------
    >>> import tempfile, quickgaze as qg
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
    for name in names:
        check_known("stimulus of the run", name, run.plan.stimuli)
    scores = run.scores()
    rule = {key: value for key, value in (variant or {}).items() if key != "grid"}
    of_one_variant(scores, rule, ["grid"])
    reference = of_one_variant(scores, variant, ["grid"])["grid"].head(1).to_list()
    scores = scores.filter(pl.col("stimulus").is_in(names))
    order = pl.DataFrame({"stimulus": names}, {"stimulus": pl.String})
    better = direction(run, metric)
    flipped = _flipped(scores, rule, run.metrics, metric)
    grids = (
        order.join(scores.filter(**rule), on="stimulus", maintain_order="left_right")
        .join(flipped, on=_MAP, how="left", maintain_order="left")
        .select("stimulus", "grid", pl.col(metric).fill_nan(None).alias("score"), "flipped")
        .with_columns(
            _first_best("score", better).alias("best"),
            _first_best("flipped", better).alias("best_flipped"),
        )
    )
    held = grids.filter(pl.col("grid").is_in(reference)).select("stimulus", "grid", "score")
    failures = run.failures().select("stimulus", reason="message").unique("stimulus", keep="first")
    missing = "the score that it would be compared with is undefined or not computed yet"
    best = (
        order.join(held, on="stimulus", how="left", maintain_order="left")
        .join(_best(grids, better), on="stimulus", how="left", maintain_order="left")
        .join(failures, on="stimulus", how="left", maintain_order="left")
        .with_columns(
            ((pl.col("best_score") - pl.col("score")) * better).alias("gain"),
            pl.coalesce("reason", pl.when(pl.col("score").is_null()).then(pl.lit(missing))),
        )
        .select(pl.exclude("reason"), "reason")
    )
    return DeepDive(grids, best)


def _flipped(
    scores: pl.DataFrame, rule: Chosen, metrics: Sequence[str], metric: str
) -> pl.DataFrame:
    """Score of the other sign, where another rule of the run gave it."""
    decided = scores.filter(~pl.all_horizontal(pl.col(metrics).is_nan()))
    ours = decided.filter(**rule).select(*_MAP, of_rule=pl.struct(metrics))
    theirs = decided.select(*_MAP, other=pl.struct(metrics))
    return (
        ours.join(theirs, on=_MAP, maintain_order="left_right")
        .filter(pl.col("of_rule").ne_missing(pl.col("other")))
        .unique(_MAP, keep="first", maintain_order=True)
        .select(*_MAP, flipped=pl.col("other").struct.field(metric).fill_nan(None))
    )


def _first_best(column: str, better: int) -> pl.Expr:
    place = (pl.col(column) * better).arg_max()
    return (pl.int_range(pl.len()) == place).over("stimulus").fill_null(value=False)


def _best(grids: pl.DataFrame, better: int) -> pl.DataFrame:
    """Best grid and sign of each stimulus: the rule's sign unless the other one is better."""
    signs = (
        grids.select("stimulus", best_grid="grid", best_sign=pl.lit(sign), best_score=column)
        for sign, column in (("rule", "score"), ("flipped", "flipped"))
    )
    scored = pl.concat(signs).drop_nulls("best_score")
    return scored.filter(_first_best("best_score", better))
