"""What the CAP6415 study saw by eye, as tests that anybody with annotations can run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import polars as pl
from scipy import stats

from quickgaze.errors import OptionError
from quickgaze.findings._bootstrap import (
    FEWEST_IMAGES,
    Floats,
    Resampling,
    bootstrap_intervals,
    mean_of,
)
from quickgaze.findings._effects import constant, interval_columns, trait_effects
from quickgaze.findings.discoveries import check_level, claimed, with_q_values
from quickgaze.findings.selection import Chosen, check_metric, direction, of_one_variant
from quickgaze.findings.sentences import claim_sentence
from quickgaze.findings.traits import Trait, matched, traits_of
from quickgaze.metrics import Metric
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
        Whether these images should agree more, or less, than others, or score below chance.

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


_AGREE = "On images with {}, model and people agree {} than on others."
_INVERTED = "On images with {}, the map is inverted."
_ANIMALS = ("animals", "animal", "has_animals")
_FOOD = ("food", "has_food")
_VEHICLES = ("vehicles", "vehicle", "has_vehicles")
_TEXT = ("has_text", "text")
_FACES = ("faces", "face", "has_faces")

CLAIMS = (
    Claim("animals agree", _AGREE.format("animals", "more"), _ANIMALS, "more"),
    Claim("food disagrees", _AGREE.format("food", "less"), _FOOD, "less"),
    Claim("food inverts", _INVERTED.format("food"), _FOOD, "inverted"),
    Claim("vehicles disagree", _AGREE.format("vehicles", "less"), _VEHICLES, "less"),
    Claim("vehicles invert", _INVERTED.format("vehicles"), _VEHICLES, "inverted"),
    Claim("text draws people only", _AGREE.format("text", "less"), _TEXT, "less"),
    Claim("faces draw people only", _AGREE.format("faces", "less"), _FACES, "less"),
)
"""What the study said after looking at its best and worst images."""

_COLUMNS = {
    **dict.fromkeys(("claim", "statement", "attribute", "expected"), pl.String),
    **dict.fromkeys(("effect", "low", "high", "mean_with", "held_against"), pl.Float64),
    **dict.fromkeys(("images_with", "images_without"), pl.Int64),
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

    Tests are two-sided: Welch's t test between images, Student's against the chance level.
    Intervals and q values are those of `attribute_effects`.

    Parameters
    ----------
    run : Run
    attributes : polars.DataFrame
        A column ``stimulus``, and those of ``animals``, ``food``, ``vehicles``, ``has_text`` and
        ``faces`` that are known: yes or no, or numbers, of which any above 0 is yes.
    metric : str
    variant : mapping, optional
        Keys and values that choose one variant.
    claims : tuple of Claim
        The study's by default.
    level : float
        False discovery rate over the claims.
    confidence, resamples, seed
        As in `means`.

    Returns
    -------
    polars.DataFrame
        A row per claim: ``claim, statement``, ``attribute`` (the column that was used) and
        ``expected`` (``"more"``, ``"less"`` or ``"inverted"``); ``mean_with``, the mean score of
        images that it is about; ``held_against``: the mean of the others, or, for ``"inverted"``,
        the metric's chance level; ``effect``, the difference, with its interval ``low`` to
        ``high``; ``images_with, images_without, p, reason``; ``q`` and ``tests`` as in
        `attribute_effects`; ``verdict``: ``"supported"`` or ``"contradicted"`` where q is at most
        `level` and the interval excludes 0, else ``"not decided"``; and ``sentence``.

    Raises
    ------
    UnknownNameError
        If the run has no such metric or variant.
    OptionError
        If several variants fit, or no attribute is about a stimulus of the run or about a claim.

    Examples
    --------
    >>> import tempfile, quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=24, size=(120, 160))
    >>> study = qg.Study(displays, metrics=["cc"], cams=["spectral_residual"])
    >>> animals = pl.DataFrame({"stimulus": [each.id for each in displays], "animals": [0, 1] * 12})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = study_claims(study.run(folder, progress=False), animals)
    >>> found.select("claim", "images_with", "reason").row(0), found["tests"][0]
    (('animals agree', 12, None), 1)
    """
    resampling = Resampling(confidence, resamples, seed)
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
    known = run.plan.settings.metric(metric)
    rows = [_tested(claim, values, traits, known, resampling) for claim in claims]
    table = with_q_values(pl.DataFrame(rows, _COLUMNS, orient="row"))
    expected = pl.when(expected="more").then(1).otherwise(-1) * direction(run, metric)
    verdict = (
        pl.when(~claimed(level))
        .then(pl.lit("not decided"))
        .when(pl.col("effect").sign() == expected)
        .then(pl.lit("supported"))
        .otherwise(pl.lit("contradicted"))
    )
    table = table.with_columns(verdict.alias("verdict"))
    sentences = [claim_sentence(row, metric) for row in table.to_dicts()]
    return table.with_columns(pl.Series("sentence", sentences, pl.String))


def _tested(
    claim: Claim, scores: Floats, traits: dict[str, Trait], metric: Metric, resampling: Resampling
) -> dict[str, Any]:
    row = {"claim": claim.name, "statement": claim.statement, "expected": claim.test}
    name = next((name for name in claim.attributes if name in traits), None)
    if name is None:
        return {**row, "reason": f"no attribute called {' or '.join(claim.attributes)}"}
    trait = _yes_or_no(traits[name])
    if claim.test == "inverted":
        found = _against_chance(scores, trait, metric, resampling)
    else:
        found = trait_effects(scores, [trait], resampling)[0]
        found["held_against"] = found.get("mean_without")
    return {**row, **found, "attribute": name}


def _yes_or_no(trait: Trait) -> Trait:
    if trait.kind == "yes/no":
        return trait
    more_than_none = np.where(np.isnan(trait.values), np.nan, trait.values > 0)
    return replace(trait, kind="yes/no", values=more_than_none)


def _against_chance(
    scores: Floats, trait: Trait, metric: Metric, resampling: Resampling
) -> dict[str, Any]:
    scored = np.isfinite(scores)
    about = scores[(trait.values == 1) & scored]
    others = int(((trait.values == 0) & scored).sum())
    row: dict[str, Any] = {"images_with": len(about), "images_without": others}
    level = metric.chance
    if level is None:
        return {**row, "reason": f"{metric.name} has no fixed chance level"}
    row |= {"held_against": level, "mean_with": float(about.mean()) if len(about) else None}
    if len(about) < FEWEST_IMAGES:
        return {**row, "reason": f"{len(about)} images with it; a test needs {FEWEST_IMAGES}"}
    row["effect"] = row["mean_with"] - level
    if constant(about):
        return {**row, "reason": "the scores of these images do not vary"}
    found = bootstrap_intervals(mean_of(about[:, np.newaxis] - level), len(about), resampling)
    p = float(stats.ttest_1samp(about, level).pvalue)
    return {**row, "p": p, **interval_columns(found.low.item(), found.high.item())}
