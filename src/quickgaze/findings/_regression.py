"""Regression of the scores on all attributes together."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from quickgaze.errors import require
from quickgaze.findings._bootstrap import FEWEST_IMAGES, Floats, Resampling
from quickgaze.findings._effects import constant
from quickgaze.findings.discoveries import with_q_values
from quickgaze.findings.selection import Chosen, check_metric, of_one_variant
from quickgaze.findings.traits import TEXTS, Trait, matched, traits_of
from quickgaze.study import Run

_IMAGES_PER_ATTRIBUTE = 10

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
    testable = [trait for trait in traits if trait.kind != "none"]
    complete = np.isfinite(values)
    for trait in testable:
        complete &= ~np.isnan(trait.values)
    images = int(complete.sum())
    used, reasons = _usable(testable, complete)
    found: dict[str, dict[str, Any]] = {name: {"reason": why} for name, why in reasons.items()}
    r_squared = None
    if images < _IMAGES_PER_ATTRIBUTE * max(len(used), 1):
        reason = f"{images} images for {len(used)} attributes; each needs {_IMAGES_PER_ATTRIBUTE}"
        found |= {trait.name: {"reason": reason} for trait in used}
    elif used:
        columns = [(trait, trait.values[complete]) for trait in used]
        coefficients, r_squared = _fit(values[complete], columns, confidence)
        found |= coefficients
    rows = [
        {
            "attribute": trait.name,
            "kind": trait.kind,
            **found.get(trait.name, {"reason": trait.reason}),
        }
        for trait in traits
    ]
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


def _usable(
    traits: list[Trait], complete: npt.NDArray[np.bool_]
) -> tuple[list[Trait], dict[str, str]]:
    """Those that can be in one regression, and by name the reasons of the others."""
    used, reasons = [], {}
    basis = [np.ones(int(complete.sum()))]
    for trait in traits:
        values = trait.values[complete]
        reason = _reason(trait, values)
        if reason is None and _follows(values - values.mean(), basis):
            reason = "it follows from the attributes before it"
        if reason is None:
            used.append(trait)
        else:
            reasons[trait.name] = reason
    return used, reasons


def _reason(trait: Trait, values: Floats) -> str | None:
    if not len(values):
        return "no image has a score and all attributes"
    if constant(values):
        return "it is the same for all images that have a score and all attributes"
    if trait.kind == "yes/no" and min(values.sum(), (1 - values).sum()) < FEWEST_IMAGES:
        return f"fewer than {FEWEST_IMAGES} images have it, or lack it"
    return None


def _follows(values: Floats, basis: list[Floats]) -> bool:
    """Whether a column is a sum of those before it; if not, it joins their orthogonal basis."""
    left = values / np.linalg.norm(values)
    for _ in range(2):  # a second pass takes away what rounding left of the first
        for direction in basis:
            left = left - direction * (direction @ left) / (direction @ direction)
    if np.linalg.norm(left) < 1e-7:
        return True
    basis.append(left)
    return False


def _fit(
    scores: Floats, columns: list[tuple[Trait, Floats]], confidence: float
) -> tuple[dict[str, dict[str, float]], float]:
    scaled = [
        (values - values.mean()) / (values.std(ddof=1) if trait.kind == "numeric" else 1.0)
        for trait, values in columns
    ]
    statsmodels = require("statsmodels.api", "findings", "a regression")
    design = statsmodels.add_constant(np.stack(scaled, axis=1), has_constant="add")
    fit = statsmodels.OLS(scores, design).fit(cov_type="HC3", use_t=True)
    limits = fit.conf_int(alpha=1 - confidence)
    inflation = np.linalg.inv(np.atleast_2d(np.corrcoef(scaled))).diagonal()
    rows = {
        trait.name: {
            "coefficient": float(fit.params[place + 1]),
            "low": float(limits[place + 1][0]),
            "high": float(limits[place + 1][1]),
            "p": float(fit.pvalues[place + 1]),
            "variance_inflation": float(inflation[place]),
        }
        for place, (trait, _) in enumerate(columns)
    }
    return rows, float(fit.rsquared)
