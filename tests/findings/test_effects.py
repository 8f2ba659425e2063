"""What goes with agreement: planted effects are found, and nothing where there is nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from quickgaze.errors import OptionError
from quickgaze.findings import attribute_effects
from quickgaze.findings.discoveries import claimed, keep_discoveries, with_q_values
from quickgaze.findings.traits import matched, traits_of

NAN = float("nan")


def ids(count: int) -> list[str]:
    return [f"s{number:03d}" for number in range(count)]


def planted(seed: int = 0) -> tuple[np.ndarray, pl.DataFrame]:
    """200 scores, 0.1 lower with people and rising with clutter; size tells nothing."""
    generator = np.random.default_rng(seed)
    people = generator.random(200) < 0.4
    clutter = generator.normal(size=200)
    scores = 0.5 - 0.1 * people + 0.05 * clutter + generator.normal(0, 0.08, 200)
    table = {"stimulus": ids(200), "people": people, "clutter": clutter}
    return scores, pl.DataFrame({**table, "size": generator.normal(size=200)})


def test_planted_effects_are_recovered(table_run: Callable) -> None:
    scores, attributes = planted()
    found = attribute_effects(table_run(({}, {"cc": scores})), attributes)
    people, clutter, size = found.iter_rows(named=True)
    assert people["low"] < -0.1 < people["high"] < 0
    groups = [scores[attributes["people"].to_numpy() == value] for value in (True, False)]
    assert people["effect"] == pytest.approx(groups[0].mean() - groups[1].mean())
    assert people["p"] == pytest.approx(stats.ttest_ind(*groups, equal_var=False).pvalue)
    assert (people["images_with"], people["images_without"]) == tuple(map(len, groups))
    assert clutter["effect"] == pytest.approx(
        stats.spearmanr(scores, attributes["clutter"]).statistic
    )
    assert clutter["low"] > 0
    assert [people["claimed"], clutter["claimed"], size["claimed"]] == [True, True, False]
    assert found["tests"].to_list() == [3, 3, 3]
    assert people["sentence"].startswith("Images with people agree less: mean cc 0.")
    assert clutter["sentence"].startswith("Images with more clutter agree more: rank corr")
    assert size["sentence"].startswith("Whether images with more size agree more or less is not")


def test_intervals_hold_the_planted_effect_as_often_as_they_say(table_run: Callable) -> None:
    held = 0
    for seed in range(100):
        scores, attributes = planted(seed)
        run = table_run(({}, {"cc": scores}))
        only = attributes.select("stimulus", "people")
        row = attribute_effects(run, only, resamples=300).row(0, named=True)
        held += row["low"] <= -0.1 <= row["high"]
    assert held >= 88


def test_without_an_effect_nothing_is_claimed_more_often_than_the_rate(table_run: Callable) -> None:
    generator = np.random.default_rng(8)
    claimed = 0
    for _ in range(120):
        run = table_run(({}, {"cc": generator.exponential(size=60)}))
        yes_no = {f"a{number}": generator.random(60) < 0.5 for number in range(8)}
        numbers = {f"n{number}": generator.normal(size=60) for number in range(2)}
        attributes = pl.DataFrame({"stimulus": ids(60), **yes_no, **numbers})
        claimed += attribute_effects(run, attributes, resamples=100)["claimed"].any()
    # with 0.05 nominal, 13 or more of 120 come about once in a hundred times
    assert claimed < 13


def test_agreement_goes_down_where_an_error_goes_up(table_run: Callable) -> None:
    scores, attributes = planted()
    run = table_run(({}, {"kld": 1 - scores}))
    people, clutter, _ = attribute_effects(run, attributes).iter_rows(named=True)
    assert people["effect"] > 0 > clutter["effect"]
    assert people["sentence"].startswith("Images with people agree less")
    assert clutter["sentence"].startswith("Images with more clutter agree more")


def test_everything_that_was_tested_is_listed_and_the_rate_is_over_all(
    table_run: Callable,
) -> None:
    scores, attributes = planted()
    scene = ["street"] * 100 + ["kitchen"] * 95 + ["boat"] * 5
    more = attributes.with_columns(
        pl.Series("scene", scene),
        pl.Series("name", ids(200)),
        pl.Series("outline", [[1, 2]] * 200),
        pl.Series("rare", [1] * 4 + [0] * 196),
        pl.lit(3.5).alias("same"),
        pl.lit(None).alias("nothing"),
        pl.lit("fine").alias("reason"),
    )
    found = attribute_effects(table_run(({}, {"cc": scores, "nss": -scores})), more)
    by_name = {row["attribute"]: row for row in found.head(10).iter_rows(named=True)}
    assert found.height == 2 * len(by_name) == 20
    assert list(by_name)[3:] == [
        "scene = kitchen",
        "scene = street",
        "name",
        "outline",
        "rare",
        "same",
        "nothing",
    ]
    assert by_name["scene = street"]["images_with"] == 100
    reasons = {name: row["reason"] for name, row in by_name.items() if row["p"] is None}
    assert reasons == {
        "name": "200 different texts are more than 20: names, not kinds",
        "outline": "a column of List(Int64) is neither numbers, yes or no, nor texts",
        "rare": "4 images with it; a test needs 10 with and without",
        "same": "the attribute is the same for all images",
        "nothing": "no image has both a score and the attribute",
    }
    assert found["tests"].unique().to_list() == [10]
    tested = found.filter(pl.col("p").is_not_null())
    assert tested["q"].to_list() == stats.false_discovery_control(tested["p"]).tolist()
    assert by_name["rare"]["sentence"] == (
        "Not tested for cc: rare (4 images with it; a test needs 10 with and without)."
    )
    assert not by_name["rare"]["claimed"]


def test_undefined_scores_and_unknown_attributes_are_left_out_and_counted(
    table_run: Callable,
) -> None:
    scores = [NAN, NAN] + [0.5, 0.25] * 12
    animals = [True, False, None] + [False, True] * 11 + [False]
    attributes = pl.DataFrame({"stimulus": ids(26), "animals": animals}).head(25)
    run = table_run(({}, {"cc": scores}))
    row = attribute_effects(run, attributes, resamples=200).row(0, named=True)
    assert (row["images"], row["left_out"]) == (22, 4)
    assert (row["mean_with"], row["mean_without"]) == (0.5, 0.25)
    assert row["effect"] == 0.25
    assert (row["p"], row["reason"]) == (None, "the scores do not vary within the groups")


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.5, NAN]), st.sampled_from([0, 1, 2, None])),
        min_size=1,
        max_size=40,
    )
)
def test_whatever_the_ties_a_row_is_whole_or_says_why(
    table_run: Callable, rows: list[tuple[float, int | None]]
) -> None:
    scores, values = zip(*rows, strict=True)
    attributes = pl.DataFrame(
        {"stimulus": ids(len(rows)), "value": values}, {"stimulus": pl.String, "value": pl.Int64}
    )
    run = table_run(({}, {"cc": scores}))
    row = attribute_effects(run, attributes, resamples=100).row(0, named=True)
    assert row["images"] + row["left_out"] == len(rows)
    numbers = [row[name] for name in ("effect", "low", "high", "p", "q")]
    assert not any(isinstance(each, float) and np.isnan(each) for each in numbers)
    assert (row["reason"] is None) == (None not in numbers)


def test_names_of_image_files_are_ids_too() -> None:
    attributes = pl.DataFrame({"stimulus": ["b.JPG", "a", "c.d"], "size": [2, 1, 3]})
    assert matched(["a", "b", "c.d", "e"], attributes)["size"].to_list() == [1, 2, 3, None]


def test_zeros_and_ones_are_no_and_yes() -> None:
    table = pl.DataFrame({"a": [0, 1, None], "b": [0.0, 1.0, 0.5], "c": [True, None, False]})
    traits = traits_of(table)
    assert [trait.kind for trait in traits] == ["yes/no", "numeric", "yes/no"]
    assert traits[2].values.tolist() == pytest.approx([1, NAN, 0], nan_ok=True)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"image": ["s000"], "people": [1]}, "no column called stimulus"),
        ({"stimulus": ["s000"]}, "no column beside stimulus"),
        ({"stimulus": ["x"], "people": [1]}, "they name 'x', the run has 's000'"),
        ({"stimulus": ["s000", "s000.png"], "people": [1, 0]}, "several rows for 's000'"),
    ],
)
def test_attributes_that_cannot_be_used(
    table_run: Callable, attributes: dict, message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        attribute_effects(table_run(({}, {"cc": [0.5]})), pl.DataFrame(attributes))


def test_several_variants_must_be_told_apart(table_run: Callable) -> None:
    run = table_run(({"sigma": 0.0}, {"cc": [0.5]}), ({"sigma": 5.0}, {"cc": [0.5]}))
    attributes = pl.DataFrame({"stimulus": ["s000"], "people": [1]})
    with pytest.raises(OptionError, match=r"choose one, as with variant=\{'sigma': 0\.0\}"):
        attribute_effects(run, attributes)
    assert attribute_effects(run, attributes, variant={"sigma": 5}).height == 1
    with pytest.raises(OptionError, match="level is 5"):
        attribute_effects(run, attributes, level=5, variant={"sigma": 5})


def test_false_discoveries_are_held_by_hand() -> None:
    table = with_q_values(pl.DataFrame({"p": [0.01, 0.04, 0.03, None, 0.5]}))
    # sorted: 0.01 * 4 / 1, then 0.03 * 4 / 2 and 0.04 * 4 / 3, of which the lower counts for both
    assert table["q"].to_list() == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, None, 0.5])
    assert table["tests"].to_list() == [4] * 5
    assert with_q_values(pl.DataFrame({"p": []}, {"p": pl.Float64})).height == 0


def test_a_claim_needs_q_and_an_interval_without_zero() -> None:
    table = pl.DataFrame(
        {"q": [0.01, 0.2, 0.01, None], "low": [0.1, 0.1, -0.1, None], "high": [0.3, 0.3, 0.3, None]}
    )
    assert table.select(claimed(0.05)).to_series().to_list() == [True, False, False, False]


def test_the_better_one_is_named_where_the_rate_allows_it() -> None:
    rows = pl.DataFrame({"wilcoxon_p": [0.01, 0.04], "better": ["first", "second"]})
    kept = keep_discoveries(rows, 0.03)
    assert kept["better"].to_list() == ["first", None]
    assert kept["q"].to_list() == pytest.approx([0.02, 0.04])
