"""The study's claims, on scores in which they are true, false or open."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from quickgaze.errors import OptionError
from quickgaze.findings import CLAIMS, study_claims


def run_and_attributes(
    table_run: Callable, effects: dict[str, float], metric: str = "cc", base: float = 0.3
) -> tuple[object, pl.DataFrame]:
    generator = np.random.default_rng(0)
    having = {name: generator.random(250) < 0.3 for name in effects}
    scores = base + generator.normal(0, 0.1, 250)
    scores += sum(effect * having[name] for name, effect in effects.items())
    stimuli = [f"s{number:03d}" for number in range(250)]
    run = table_run(({}, {metric: scores}))
    return run, pl.DataFrame({"stimulus": stimuli, **having})


def verdicts(table: pl.DataFrame) -> dict[str, str]:
    return dict(table.select("claim", "verdict").iter_rows())


def test_what_is_true_is_supported_and_what_is_false_contradicted(table_run: Callable) -> None:
    effects = {"animals": 0.2, "food": -0.6, "vehicles": 0.15, "has_text": 0.0}
    found = study_claims(*run_and_attributes(table_run, effects))
    assert verdicts(found) == {
        "animals agree": "supported",
        "food disagrees": "supported",
        "food inverts": "supported",
        "vehicles disagree": "contradicted",
        "vehicles invert": "contradicted",
        "text draws people only": "not decided",
        "faces draw people only": "not decided",
    }
    assert found["claim"].to_list() == [claim.name for claim in CLAIMS]
    assert found["tests"].to_list() == [6] * 7
    rows = {row["claim"]: row for row in found.iter_rows(named=True)}
    assert rows["food disagrees"]["low"] < -0.6 < rows["food disagrees"]["high"]
    inverted = rows["food inverts"]
    assert (inverted["held_against"], inverted["mean_with"]) == (0.0, inverted["effect"])
    assert (
        rows["faces draw people only"]["reason"] == "no attribute called faces or face or has_faces"
    )
    assert rows["faces draw people only"]["sentence"].endswith(
        "Not decided: no attribute called faces or face or has_faces."
    )
    assert "Contradicted: mean cc 0." in rows["vehicles disagree"]["sentence"]


def test_where_lower_is_better_more_is_less(table_run: Callable) -> None:
    run, attributes = run_and_attributes(table_run, {"animals": 0.2, "food": 0.3}, "kld", 2.0)
    found = study_claims(run, attributes, "kld")
    assert verdicts(found)["animals agree"] == "contradicted"
    assert verdicts(found)["food disagrees"] == "supported"
    row = found.row(2, named=True)
    assert (row["verdict"], row["p"]) == ("not decided", None)
    assert row["reason"] == "kld has no fixed chance level"


def test_chance_is_a_half_for_areas(table_run: Callable) -> None:
    run, attributes = run_and_attributes(table_run, {"vehicles": -0.2}, "auc", 0.6)
    row = study_claims(run, attributes, "auc").row(4, named=True)
    assert (row["held_against"], row["verdict"]) == (0.5, "supported")
    assert row["effect"] == pytest.approx(row["mean_with"] - 0.5)


def test_counts_above_zero_are_yes_and_few_images_decide_nothing(table_run: Callable) -> None:
    run, attributes = run_and_attributes(table_run, {"face": -0.3, "animals": 0.1})
    counted = attributes.with_columns(
        pl.col("face").cast(pl.Int64) * 3,
        pl.Series("animals", [2, 3] + [0] * 248),
    )
    found = study_claims(run, counted)
    assert verdicts(found)["faces draw people only"] == "supported"
    assert found["attribute"].to_list()[-1] == "face"
    assert found["images_with"].to_list()[-1] == attributes["face"].sum()
    assert found["reason"][0] == "2 images with it; a test needs 10 with and without"
    assert found["verdict"][0] == "not decided"


def test_without_effects_claims_are_seldom_decided(table_run: Callable) -> None:
    generator = np.random.default_rng(1)
    names = ("animals", "food", "vehicles", "has_text", "faces")
    decided = 0
    for _ in range(80):
        run = table_run(({}, {"cc": generator.normal(size=80)}))
        stimuli = [f"s{number:03d}" for number in range(80)]
        having = {name: generator.random(80) < 0.4 for name in names}
        found = study_claims(run, pl.DataFrame({"stimulus": stimuli, **having}), resamples=100)
        decided += (found["verdict"] != "not decided").any()
    assert decided <= 10


def test_attributes_that_say_nothing_of_the_claims(table_run: Callable) -> None:
    run, attributes = run_and_attributes(table_run, {"clouds": 0.0})
    with pytest.raises(OptionError, match="the attributes have clouds; name columns as one of ani"):
        study_claims(run, attributes)
