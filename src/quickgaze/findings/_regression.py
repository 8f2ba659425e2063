"""Regression of the scores on all attributes together."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import stats

from quickgaze.errors import require
from quickgaze.findings._bootstrap import FEWEST_IMAGES, Floats, Resampling
from quickgaze.findings._effects import constant
from quickgaze.findings.discoveries import with_q_values
from quickgaze.findings.selection import Chosen, check_metric, of_one_variant
from quickgaze.findings.traits import TEXTS, Trait, matched, traits_of
from quickgaze.study import Run

_IMAGES_PER_ATTRIBUTE = 10
_NOTHING_LEFT = 1e-7  # share of a column that is rounding, once those before it are taken away

_COLUMNS = {
    **dict.fromkeys(("attribute", "kind"), pl.String),
    **dict.fromkeys(("coefficient", "low", "high", "p", "variance_inflation"), pl.Float64),
    "reason": pl.String,
}


def attribute_regression(
    run: Run,
    attributes: pl.DataFrame,
    metric: str,
    *,
    variant: Chosen | None = None,
    confidence: float = 0.95,
) -> pl.DataFrame:
    """Regress the scores on all attributes together.

    Ordinary least squares with HC3 standard errors [1]_, which stay right where the spread of the
    scores differs between images. Attributes that do not vary, that fewer than ten images have or
    lack, or that follow from those before them are set aside; each needs ten images.

    Parameters
    ----------
    run : Run
    attributes : polars.DataFrame
        As in `attribute_effects`; of a text's kinds, the most frequent is the reference.
    metric : str
    variant : mapping, optional
        Keys and values that choose one variant.
    confidence : float
        Share of intervals that should hold the true value, in (0, 1).

    Returns
    -------
    polars.DataFrame
        A row per attribute: ``attribute, kind``; ``coefficient`` with ``low`` and ``high``: by how
        much the score differs, all else equal, between images with it and without (yes or no), or
        with each standard deviation more of it (numeric); ``p``; ``variance_inflation`` (1 for an
        attribute that is unrelated to the others; above about 10 they can hardly be separated);
        ``reason`` (why it is not in the regression); ``q`` and ``tests`` as in `attribute_effects`;
        then, the same in all rows, ``metric``, ``images`` (that have a score and all attributes),
        ``left_out`` and ``r_squared``.

    Raises
    ------
    UnknownNameError
        If the run has no such metric or variant.
    OptionError
        If several variants fit, no row of the attributes is about a stimulus of the run, or
        statsmodels is not installed.

    References
    ----------
    .. [1] J. S. Long, L. H. Ervin, "Using heteroscedasticity consistent standard errors in the
       linear regression model", The American Statistician 54(3), 2000.

    Examples
    --------
    >>> import tempfile, quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=24, size=(120, 160))
    >>> study = qg.Study(displays, metrics=["cc"], cams=["spectral_residual"])
    >>> kinds = pl.DataFrame({"stimulus": [each.id for each in displays], "even": [0, 1] * 12})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = attribute_regression(study.run(folder, progress=False), kinds, "cc")
    >>> found.select("attribute", "variance_inflation", "images").rows()
    [('even', 1.0, 24)]
    """
    Resampling(confidence)
    check_metric(run, metric)
    scores = of_one_variant(run.scores(), variant)
    table = matched(scores["stimulus"].to_list(), attributes)
    traits = _without_commonest(traits_of(table), table)
    values = scores[metric].to_numpy()
    known = [~np.isnan(trait.values) for trait in traits if trait.kind != "none"]
    complete = np.all([np.isfinite(values), *known], axis=0)
    images = int(complete.sum())
    rows = _rows(traits, complete)
    used = [trait for trait, row in zip(traits, rows, strict=True) if row["reason"] is None]
    r_squared = None
    if images < _IMAGES_PER_ATTRIBUTE * max(len(used), 1):
        reason = f"{images} images for {len(used)} attributes; each needs {_IMAGES_PER_ATTRIBUTE}"
        rows = [{**row, "reason": row["reason"] or reason} for row in rows]
    elif used:
        fitted, r_squared = _fit(values[complete], used, complete, confidence)
        rows = [{**row, **fitted.get(row["attribute"], {})} for row in rows]
    return with_q_values(pl.DataFrame(rows, _COLUMNS, orient="row")).with_columns(
        metric=pl.lit(metric),
        images=pl.lit(images, pl.Int64),
        left_out=pl.lit(len(complete) - images, pl.Int64),
        r_squared=pl.lit(r_squared, pl.Float64),
    )


def _without_commonest(traits: list[Trait], table: pl.DataFrame) -> list[Trait]:
    """Leave out the most frequent of each text's kinds: it is the reference for the others."""
    texts = [name for name in table.columns if table[name].dtype in TEXTS]
    for name in texts:
        kinds = [trait for trait in traits if trait.name.startswith(f"{name} = ")]
        if kinds:
            commonest = max(kinds, key=lambda trait: np.nansum(trait.values))
            traits = [trait for trait in traits if trait is not commonest]
    return traits


def _rows(traits: list[Trait], complete: npt.NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Name, kind and, for what cannot be in one regression with those before it, the reason."""
    rows = []
    before = [np.ones(int(complete.sum()))]
    for trait in traits:
        values = trait.values[complete]
        reason = _reason(trait, values)
        if reason is None:
            scaled = (values - values.mean()) / np.linalg.norm(values - values.mean())
            basis = np.stack(before, axis=1)
            left = scaled - basis @ np.linalg.lstsq(basis, scaled)[0]
            if np.linalg.norm(left) < _NOTHING_LEFT:
                reason = "it follows from the attributes before it"
            else:
                before.append(scaled)
        rows.append({"attribute": trait.name, "kind": trait.kind, "reason": reason})
    return rows


def _reason(trait: Trait, values: Floats) -> str | None:
    if trait.kind == "none":
        return trait.reason
    if not len(values):
        return "no image has a score and all attributes"
    if constant(values):
        return "it is the same for all images that have a score and all attributes"
    if trait.kind == "yes/no" and min(values.sum(), (1 - values).sum()) < FEWEST_IMAGES:
        return f"fewer than {FEWEST_IMAGES} images have it, or lack it"
    return None


def _fit(
    scores: Floats, traits: list[Trait], complete: npt.NDArray[np.bool_], confidence: float
) -> tuple[dict[str, dict[str, float]], float]:
    """Columns of each trait, by its name, and the regression's R squared."""
    columns = [
        stats.zscore(trait.values[complete], ddof=1)
        if trait.kind == "numeric"
        else trait.values[complete] - trait.values[complete].mean()
        for trait in traits
    ]
    statsmodels = require("statsmodels.api", "findings", "a regression")
    design = statsmodels.add_constant(np.stack(columns, axis=1), has_constant="add")
    fit = statsmodels.OLS(scores, design).fit(cov_type="HC3", use_t=True)
    inflation = np.linalg.inv(np.atleast_2d(np.corrcoef(columns))).diagonal()
    limits = fit.conf_int(alpha=1 - confidence)[1:].T
    numbers = np.stack([fit.params[1:], *limits, fit.pvalues[1:], inflation], axis=1)
    names = ("coefficient", "low", "high", "p", "variance_inflation")
    rows = {
        trait.name: dict(zip(names, row, strict=True))
        for trait, row in zip(traits, numbers.tolist(), strict=True)
    }
    return rows, float(fit.rsquared)
