"""Attributes held together: what each adds to the others."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from quickgaze.errors import OptionError
from quickgaze.findings import attribute_effects, attribute_regression


def confounded(seed: int = 0) -> tuple[np.ndarray, pl.DataFrame]:
    """300 scores that people lower; outdoor images have fewer people and matter no further."""
    generator = np.random.default_rng(seed)
    outdoor = generator.random(300) < 0.5
    people = generator.random(300) < np.where(outdoor, 0.15, 0.85)
    clutter = generator.normal(50, 10, 300)
    noise = generator.normal(0, np.where(people, 0.15, 0.05))
    scores = 0.6 - 0.2 * people + 0.004 * (clutter - 50) + noise
    stimuli = [f"s{number:03d}" for number in range(300)]
    columns = {"stimulus": stimuli, "people": people, "outdoor": outdoor, "clutter": clutter}
    return scores, pl.DataFrame(columns)


def test_what_only_goes_along_adds_nothing(table_run: Callable) -> None:
    scores, attributes = confounded()
    run = table_run(({}, {"cc": scores}))
    alone = {row["attribute"]: row for row in attribute_effects(run, attributes).to_dicts()}
    assert alone["outdoor"]["claimed"]
    found = attribute_regression(run, attributes, "cc")
    people, outdoor, clutter = found.iter_rows(named=True)
    assert people["low"] < -0.2 < people["high"] < 0
    assert outdoor["low"] < 0 < outdoor["high"]
    # by standard deviation: 0.004 for each of about ten
    assert clutter["low"] < 0.004 * attributes["clutter"].std() < clutter["high"]
    assert people["variance_inflation"] > 1.5
    assert found["tests"].to_list() == [3, 3, 3]
    assert (found["images"][0], found["left_out"][0]) == (300, 0)


def test_standard_errors_are_hc3(table_run: Callable) -> None:
    scores, attributes = confounded()
    found = attribute_regression(table_run(({}, {"cc": scores})), attributes, "cc")
    raw = [attributes[name].to_numpy().astype(float) for name in ("people", "outdoor", "clutter")]
    raw[2] = (raw[2] - raw[2].mean()) / raw[2].std(ddof=1)
    design = np.stack([np.ones(300), *raw], axis=1)
    inverse = np.linalg.inv(design.T @ design)
    coefficients = inverse @ design.T @ scores
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    weighted = design * ((scores - design @ coefficients) / (1 - leverage))[:, None]
    errors = np.sqrt((inverse @ weighted.T @ weighted @ inverse).diagonal())
    assert found["coefficient"].to_list() == pytest.approx(coefficients[1:].tolist())
    unexplained = np.var(scores - design @ coefficients) / np.var(scores)
    assert found["r_squared"].to_list() == pytest.approx([1 - unexplained] * 3)
    width = (found["high"] - found["low"]).to_numpy()
    np.testing.assert_allclose(width, 2 * 1.96793 * errors[1:], rtol=1e-4)


def test_what_cannot_be_told_apart_is_set_aside(table_run: Callable) -> None:
    scores, attributes = confounded()
    more = attributes.with_columns(
        (~pl.col("outdoor")).alias("indoor"),
        (pl.col("clutter") * 2 + 1).alias("mess"),
        pl.lit(1.5).alias("same"),
        pl.Series("rare", [True] * 3 + [False] * 297),
        pl.Series("scene", ["a", "b", "c"] * 90 + ["a"] * 30),
        pl.Series("names", attributes["stimulus"]),
    )
    found = attribute_regression(table_run(({}, {"cc": scores})), more, "cc")
    reasons = dict(found.select("attribute", "reason").iter_rows())
    assert reasons["indoor"] == reasons["mess"] == "it follows from the attributes before it"
    assert reasons["same"] == "it is the same for all images that have a score and all attributes"
    assert reasons["rare"] == "fewer than 10 images have it, or lack it"
    assert "names, not kinds" in reasons["names"]
    assert {name for name in reasons if name.startswith("scene")} == {"scene = b", "scene = c"}
    assert found["tests"][0] == found["coefficient"].is_not_null().sum() == 5


def test_few_images_give_nothing_and_say_why(table_run: Callable) -> None:
    scores, attributes = confounded()
    scores[25:] = np.nan
    found = attribute_regression(table_run(({}, {"cc": scores})), attributes, "cc")
    assert found["coefficient"].null_count() == 3
    assert found["reason"].to_list() == ["25 images for 3 attributes; each needs 10"] * 3
    assert (found["images"][0], found["left_out"][0], found["r_squared"][0]) == (25, 275, None)


def test_without_an_effect_nothing_is_claimed(table_run: Callable) -> None:
    generator = np.random.default_rng(4)
    claimed = 0
    for seed in range(60):
        _, attributes = confounded(seed)
        run = table_run(({}, {"cc": generator.normal(size=300)}))
        claimed += (attribute_regression(run, attributes, "cc")["q"] <= 0.05).any()
    assert claimed <= 8


def test_statsmodels_is_named_where_it_is_missing(
    table_run: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores, attributes = confounded()
    monkeypatch.setitem(sys.modules, "statsmodels.api", None)
    with pytest.raises(OptionError, match=r"quickgaze\[findings\]"):
        attribute_regression(table_run(({}, {"cc": scores})), attributes, "cc")
