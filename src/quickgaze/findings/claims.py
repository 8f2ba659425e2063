"""What the CAP6415 study saw by eye, as tests that anybody with annotations can run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import polars as pl
from scipy import stats

from quickgaze.errors import OptionError
from quickgaze.findings.bootstrap import FEWEST, Floats, Resampling, bootstrap_intervals, mean_of
from quickgaze.findings.discoveries import adjusted, check_level, claimed
from quickgaze.findings.effects import constant, limits, trait_effects
from quickgaze.findings.selection import (
    CHANCE_LEVELS,
    Chosen,
    check_metric,
    direction,
    of_one_variant,
)
from quickgaze.findings.sentences import chance, interval, number
from quickgaze.findings.traits import Trait, matched, traits_of
from quickgaze.study import Run


@dataclass(frozen=True)
class Claim:
    """Something that was said about the images on which model and people agree.

    Parameters
    ----------
    name : str
    statement : str
        What is claimed, in a sentence.
    attributes : tuple of str
        Columns that say which images it is about; the first that is there is used.
    test : {"more", "less", "inverted"}
        Whether these images are to agree more, or less, than others, or to score worse than a
        map that knows nothing, as inverted maps do.

    Examples
    --------
    >>> birds = Claim("birds agree", "On images with birds, they agree more.", ("birds",), "more")
    >>> birds.test, CLAIMS[0].name
    ('more', 'animals agree')
    """

    name: str
    statement: str
    attributes: tuple[str, ...]
    test: Literal["more", "less", "inverted"]


_FOOD, _VEHICLES = ("food", "has_food"), ("vehicles", "vehicle", "has_vehicles")
_TEXT, _FACES = ("has_text", "text"), ("faces", "face", "has_faces")

CLAIMS = (
    Claim(
        "animals agree",
        "On images with animals, model and people agree more than on others.",
        ("animals", "animal", "has_animals"),
        "more",
    ),
    Claim(
        "food disagrees",
        "On images with food, model and people agree less than on others.",
        _FOOD,
        "less",
    ),
    Claim("food inverts", "On images with food, the map is inverted.", _FOOD, "inverted"),
    Claim(
        "vehicles disagree",
        "On images with vehicles, model and people agree less than on others.",
        _VEHICLES,
        "less",
    ),
    Claim(
        "vehicles invert", "On images with vehicles, the map is inverted.", _VEHICLES, "inverted"
    ),
    Claim(
        "text draws people only",
        "On images with text, model and people agree less than on others.",
        _TEXT,
        "less",
    ),
    Claim(
        "faces draw people only",
        "On images with faces, model and people agree less than on others.",
        _FACES,
        "less",
    ),
)
"""What the study said after looking at its best and worst images."""

_COLUMNS = {
    "claim": pl.String,
    "statement": pl.String,
    "attribute": pl.String,
    "expected": pl.String,
    "effect": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "mean_with": pl.Float64,
    "held_against": pl.Float64,
    "images_with": pl.Int64,
    "images_without": pl.Int64,
    "p": pl.Float64,
    "reason": pl.String,
}


def study_claims(
    run: Run,
    attributes: pl.DataFrame,
    metric: str = "cc",
    *,
    variant: Chosen | None = None,
    claims: tuple[Claim, ...] = CLAIMS,
    level: float = 0.05,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> pl.DataFrame:
    """Test what the CAP6415 study saw by eye.

    It said that animals agree, that food and vehicles invert the map, and that text and faces
    draw people only. Anybody with the annotations can hold any run to that.

    Parameters
    ----------
    run : Run
        Complete or not.
    attributes : polars.DataFrame
        A column ``stimulus``, and those of ``animals``, ``food``, ``vehicles``, ``has_text``
        and ``faces`` that are known: yes or no, or numbers, of which any above 0 is yes.
    metric : str
        One of the run's.
    variant : mapping, optional
        Keys and values that tell one variant from all others.
    claims : tuple of Claim
        The study's by default.
    level : float
        False discovery rate that is held over the claims.
    confidence : float
        Share of intervals that should hold the true value.
    resamples : int
        How many times the images are drawn.
    seed : int
        Of the draws.

    Returns
    -------
    polars.DataFrame
        A row per claim: ``claim, statement``, ``attribute`` (the column that was used) and
        ``expected`` (``"more"``, ``"less"`` or ``"inverted"``); ``mean_with``, the mean score
        of images that it is about; ``held_against``: the mean of the others, or, for
        ``"inverted"``, what a map scores that knows nothing; ``effect``, the difference, with
        its interval ``low`` to ``high``; ``images_with, images_without, p, reason``; ``q`` and
        ``tests`` as in `attribute_effects`; ``verdict``: ``"supported"`` or ``"contradicted"``
        where q is at most `level` and the interval excludes 0, else ``"not decided"``; and
        ``sentence``.

    Raises
    ------
    UnknownNameError
        If the run has no such metric or variant.
    OptionError
        If several variants fit, or the attributes tell of no stimulus of the run or of nothing
        that is claimed.

    Notes
    -----
    Tests are two-sided: Welch's t test between images, Student's against a map that knows
    nothing. Intervals are bias-corrected and accelerated bootstrap intervals (BCa).

    References
    ----------
    .. [1] B. L. Welch, "The generalization of 'Student's' problem when several different
       population variances are involved", Biometrika 34(1/2), 1947.
    .. [2] B. Efron, "Better bootstrap confidence intervals", Journal of the American
       Statistical Association 82(397), 1987.
    .. [3] Y. Benjamini, Y. Hochberg, "Controlling the false discovery rate: a practical and
       powerful approach to multiple testing", Journal of the Royal Statistical Society B 57(1),
       1995.

    Examples
    --------
    >>> import tempfile
    >>> import quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=24, size=(120, 160))
    >>> study = qg.Study(displays, metrics=["cc"], cams=["spectral_residual"])
    >>> animals = pl.DataFrame({"stimulus": [each.id for each in displays], "animals": [0, 1] * 12})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = study_claims(study.run(folder, progress=False), animals)
    >>> found.select("claim", "images_with", "reason").row(0), found["tests"][0]
    (('animals agree', 12, None), 1)
    """
    how = Resampling(confidence, resamples, seed)
    check_level(level)
    check_metric(run, metric)
    scores = of_one_variant(run.scores(), variant)
    traits = {
        trait.name: trait
        for trait in traits_of(matched(scores["stimulus"].to_list(), attributes))
        if trait.kind != "none"
    }
    wanted = [name for claim in claims for name in claim.attributes]
    if not any(name in traits for name in wanted):
        raise OptionError(
            f"none of the claims can be tested: the attributes have {', '.join(traits) or 'none'}; "
            f"name columns as one of {', '.join(dict.fromkeys(wanted))}"
        )
    values = scores[metric].to_numpy()
    rows = [_tested(claim, values, traits, metric, how) for claim in claims]
    table = adjusted(pl.DataFrame(rows, _COLUMNS, orient="row"))
    expected = {"more": 1, "less": -1, "inverted": -1}
    agreeing = pl.col("effect").sign() * direction(metric)
    as_claimed = agreeing == pl.col("expected").replace_strict(expected, return_dtype=pl.Int64)
    verdict = (
        pl.when(claimed(level) & as_claimed)
        .then(pl.lit("supported"))
        .when(claimed(level))
        .then(pl.lit("contradicted"))
        .otherwise(pl.lit("not decided"))
    )
    table = table.with_columns(verdict.alias("verdict"))
    sentences = [_sentence(row, metric) for row in table.iter_rows(named=True)]
    return table.with_columns(pl.Series("sentence", sentences, pl.String))


def _tested(
    claim: Claim, scores: Floats, traits: dict[str, Trait], metric: str, how: Resampling
) -> dict[str, Any]:
    row: dict[str, Any] = {
        **dict.fromkeys(_COLUMNS),
        "claim": claim.name,
        "statement": claim.statement,
        "expected": claim.test,
    }
    name = next((name for name in claim.attributes if name in traits), None)
    if name is None:
        return {**row, "reason": f"no attribute called {' or '.join(claim.attributes)}"}
    trait = _yes_or_no(traits[name])
    row["attribute"] = name
    if claim.test == "inverted":
        return {**row, **_against_chance(scores, trait, metric, how)}
    found = trait_effects(scores, [trait], how)[0]
    found["held_against"] = found["mean_without"]
    return {
        **row,
        **{name: found[name] for name in _COLUMNS if name in found and name != "attribute"},
    }


def _yes_or_no(trait: Trait) -> Trait:
    if trait.kind == "yes/no":
        return trait
    more_than_none = np.where(np.isnan(trait.values), np.nan, trait.values > 0)
    return replace(trait, kind="yes/no", values=more_than_none)


def _against_chance(scores: Floats, trait: Trait, metric: str, how: Resampling) -> dict[str, Any]:
    """Images with something, against what a map scores that knows nothing."""
    about = scores[(trait.values == 1) & np.isfinite(scores)]
    others = int(((trait.values == 0) & np.isfinite(scores)).sum())
    row: dict[str, Any] = {"images_with": len(about), "images_without": others}
    if metric not in CHANCE_LEVELS:
        return {**row, "reason": f"{metric} does not say what a map scores that knows nothing"}
    level = CHANCE_LEVELS[metric]
    row |= {"held_against": level, "mean_with": float(about.mean()) if len(about) else None}
    if len(about) < FEWEST:
        return {**row, "reason": f"{len(about)} images with it; a test needs {FEWEST}"}
    row["effect"] = row["mean_with"] - level
    if constant(about):
        return {**row, "reason": "the scores of these images do not vary"}
    found = bootstrap_intervals(mean_of(about[:, np.newaxis] - level), len(about), how)
    p = stats.ttest_1samp(about, level).pvalue
    return {**row, "p": float(p), **limits(found.low.item(), found.high.item())}


def _sentence(row: dict[str, Any], metric: str) -> str:
    if row["q"] is None or row["low"] is None:
        return f"{row['statement']} Not decided: {row['reason']}."
    return (
        f"{row['statement']} {row['verdict'].capitalize()}: mean {metric} "
        f"{number(row['mean_with'])} against {number(row['held_against'])}, difference "
        f"{interval(row['effect'], row['low'], row['high'])}, {chance('q', row['q'])}."
    )
