"""What networks show and know of where people look, from runs whose plans say what they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quickgaze.errors import OptionError, UnknownNameError
from quickgaze.findings import means, shown_and_known
from quickgaze.findings._bootstrap import Resampling, bootstrap_intervals, mean_of
from quickgaze.study.readout_facts import SHUFFLED, ReadoutFacts

NAN = float("nan")
IMAGES = 24
LEVELS = ["fine:8", "coarse:16"]
OUT_OF_FOLD = ReadoutFacts(
    digest="d0" * 32,
    weights="ImageNet-1k",
    levels=("fine", "coarse"),
    grid="s16",
    dataset="folder",
    edition="images",
    gaze="fixations",
    images=IMAGES,
    out_of_fold=True,
)


def scores(number: float, metrics: tuple[str, ...] = ("cc",)) -> dict[str, list[float]]:
    """Scores around a number, other ones for each."""
    generator = np.random.default_rng(round(1000 * number))
    return {name: (number + generator.normal(0, 0.05, IMAGES)).tolist() for name in metrics}


def bounds(metrics: tuple[str, ...] = ("cc",)) -> dict[str, dict[str, list[float]]]:
    levels = {"center_bias": 0.4, "one_observer": 0.7, "split_half": 0.9, "gold_standard": 0.95}
    return {name: scores(number, metrics) for name, number in levels.items()}


def plan(facts: ReadoutFacts | None = None, weights_hash: str = "a1", **more: Any) -> dict:
    inputs = {"levels": LEVELS, **({} if facts is None else facts.inputs())}
    return {"inputs": {"net": inputs}, "weights_hashes": {"net": weights_hash}, **more}


def changed(**facts: Any) -> ReadoutFacts:
    return replace(OUT_OF_FOLD, **facts)


def readout_run(table_run: Callable, facts: ReadoutFacts, number: float, **more: Any) -> Any:
    keys = {"cam": "readout", "grid": "own", "orientation": "none", "sigma": 0.0}
    weights_hash = "0" if facts.weights == "none" else "a1"
    dataset = {"gaze": "fixations", "fingerprint": "f0", **more.pop("dataset", {})}
    return table_run(
        (keys, scores(number)), plan=plan(facts, weights_hash), dataset=dataset, **more
    )


def unsigned(cam: str, **keys: Any) -> dict[str, Any]:
    return {"cam": cam, "orientation": "none", **keys}


@pytest.fixture
def runs(table_run: Callable) -> list:
    """Every kind of run, in no good order."""
    center = {"backbone": "none", "grid": "own"}
    known = {"bounds": bounds(), "plan": plan(), "dataset": {"gaze": "fixations"}}
    calibrated = {"calibrated": "10 folds, seed 0"}
    return [
        readout_run(table_run, changed(hidden=16), 0.8),
        table_run(
            (unsigned("boxes", grid="own"), scores(0.33)),
            (unsigned("activation"), scores(0.43)),
            ({"orientation": "lapack"}, scores(0.1)),
            ({"sigma": 0.0}, scores(0.2)),
            ({}, scores(0.5)),
            ({"orientation": "oracle"}, scores(0.55)),
            (unsigned("deviation"), scores(0.53)),
            (unsigned("center", **center), scores(0.39)),
            **known,
        ),
        readout_run(table_run, changed(weights="none", hidden=16), 0.45),
        table_run(
            ({}, scores(0.5)),
            (unsigned("eigen_calibrated", sigma=0.0), scores(0.6)),
            **{**known, "plan": plan(maps_fingerprints=calibrated)},
        ),
        readout_run(table_run, OUT_OF_FOLD, 0.75),
        readout_run(
            table_run, changed(dataset="osie", edition="2014", hidden=8, out_of_fold=False), 0.7
        ),
    ]


def test_the_order_of_rows_and_what_they_are_called(runs: list) -> None:
    found = shown_and_known(runs, resamples=100)
    assert found.select("kind", "what").rows() == [
        ("baseline", "centre bias"),
        ("baseline", "center"),
        ("shown", "eigen"),
        ("shown", "deviation"),
        ("shown", "activation"),
        ("shown", "boxes"),
        ("shown", "eigen, calibrated"),
        ("known", "linear readout"),
        ("known", "readout, 16 hidden units"),
        ("applied", "readout, 8 hidden units, fitted on 24 images of osie (2014)"),
        ("known", "readout, 16 hidden units, random weights"),
        ("people", "one observer"),
        ("people", "people"),
    ]
    assert set(found["backbone"]) == {"net"}
    assert set(found["images"]) == {IMAGES}
    assert set(found["left_out"]) == {0}
    levels = dict(found.select("what", "levels").rows())
    assert levels["eigen"] == levels["linear readout"] == "fine, coarse"
    assert levels["boxes"] is levels["centre bias"] is levels["people"] is None
    eigen = found.filter(what="eigen")["mean"].item()
    assert eigen == pytest.approx(np.mean(scores(0.5)["cc"])), "activation at 19 pixels"


def test_the_order_of_the_runs_changes_nothing(runs: list) -> None:
    there = shown_and_known(runs, resamples=100)
    back = shown_and_known(runs[::-1], resamples=100)
    assert there.equals(back)


def test_intervals_are_those_of_the_bootstrap_and_of_means(runs: list) -> None:
    found = shown_and_known(runs, resamples=300, seed=4)
    own = scores(0.75)["cc"]
    expected = bootstrap_intervals(
        mean_of(np.array(own)[:, np.newaxis]), IMAGES, Resampling(resamples=300, seed=4)
    )
    row = found.filter(what="linear readout").row(0, named=True)
    assert row["mean"] == pytest.approx(expected.estimate.item())
    assert (row["low"], row["high"]) == pytest.approx((expected.low.item(), expected.high.item()))
    theirs = means(runs[1], resamples=300, seed=4, variant={"cam": "deviation"}).row(0, named=True)
    ours = found.filter(what="deviation").row(0, named=True)
    for name in ("mean", "low", "high", "share", "share_low", "share_high", "paired_images"):
        assert ours[name] == pytest.approx(theirs[name])


def test_shares_go_from_the_centre_bias_to_people(runs: list) -> None:
    shares = dict(shown_and_known(runs, resamples=100).select("what", "share").rows())
    assert shares["centre bias"] == pytest.approx(0, abs=1e-12)
    assert shares["people"] == pytest.approx(1)
    assert 0 < shares["eigen"] < shares["linear readout"] < shares["people"]


def test_only_images_that_all_runs_scored_and_all_maps_have_are_compared(
    table_run: Callable,
) -> None:
    shown = {"cc": [*scores(0.5)["cc"][:-1], NAN]}
    one = table_run((unsigned("deviation"), shown), plan=plan(), bounds=bounds())
    other = readout_run(table_run, OUT_OF_FOLD, 0.8)
    other.table = other.table.slice(4)
    found = shown_and_known([one, other], resamples=100)
    assert set(found["images"]) == {IMAGES - 5}
    assert set(found["left_out"]) == {1}
    expected = np.mean(scores(0.8)["cc"][4:-1])
    assert found.filter(kind="known")["mean"].item() == pytest.approx(expected)


def test_people_without_a_score_take_no_image_from_the_maps(table_run: Callable) -> None:
    held = bounds()
    held["split_half"]["cc"][:20] = [NAN] * 20
    one = table_run((unsigned("deviation"), scores(0.5)), plan=plan(), bounds=held)
    found = shown_and_known([one], resamples=100)
    assert dict(found.select("what", "images").rows()) == {
        "centre bias": IMAGES,
        "deviation": IMAGES,
        "one observer": IMAGES,
        "people": 4,
    }
    people = found.filter(what="people").row(0, named=True)
    assert people["low"] is None
    assert "4 images with a score" in people["reason"]
    assert found.filter(what="deviation")["paired_images"].item() == 4


def test_a_map_without_any_score_stands_there_without_taking_the_others_images(
    table_run: Callable,
) -> None:
    nothing = {"cc": [NAN] * IMAGES}
    one = table_run((unsigned("deviation"), scores(0.5)), ({}, nothing), plan=plan())
    rows = {row["what"]: row for row in shown_and_known([one], resamples=100).rows(named=True)}
    assert (rows["eigen"]["mean"], rows["eigen"]["images"]) == (None, 0)
    assert rows["eigen"]["reason"] == "undefined on every image"
    assert rows["deviation"]["images"] == IMAGES


def test_no_image_with_a_score_from_every_map(table_run: Callable) -> None:
    values = scores(0.5)["cc"]
    half = IMAGES // 2
    one = table_run(
        (unsigned("deviation"), {"cc": [*values[:half], *[NAN] * half]}),
        (unsigned("activation"), {"cc": [*[NAN] * half, *values[half:]]}),
        plan=plan(),
    )
    found = shown_and_known([one], resamples=100)
    assert set(found["reason"]) == {"no image has a score from every map"}
    assert set(found["images"]) == {0}
    assert found["mean"].null_count() == found.height


def test_a_metric_that_only_some_runs_have(table_run: Callable) -> None:
    both = ("cc", "nss")
    keys = unsigned("deviation")
    one = table_run((keys, scores(0.5, both)), plan=plan(), bounds=bounds(both))
    found = shown_and_known([readout_run(table_run, OUT_OF_FOLD, 0.8), one], resamples=100)
    assert found.filter(kind="shown")["metric"].to_list() == ["cc", "nss"]
    missing = found.filter(kind="known", metric="nss").row(0, named=True)
    assert (missing["mean"], missing["reason"]) == (None, "no run has computed it")
    assert set(shown_and_known([one], "nss", resamples=100)["metric"]) == {"nss"}
    with pytest.raises(UnknownNameError, match="metric of the runs"):
        shown_and_known([one], "auc")


def test_the_same_map_of_two_runs_takes_each_metric_from_the_one_that_has_it(
    table_run: Callable,
) -> None:
    one = table_run((unsigned("deviation"), scores(0.5)), plan=plan())
    other = table_run((unsigned("deviation"), scores(1.5, ("cc", "nss"))), plan=plan())
    found = shown_and_known([one, other], resamples=100)
    assert dict(found.select("metric", "mean").rows()) == {
        "cc": pytest.approx(np.mean(scores(0.5)["cc"])),
        "nss": pytest.approx(np.mean(scores(1.5, ("cc", "nss"))["nss"])),
    }


@pytest.mark.parametrize(
    ("facts", "kind", "seen"),
    [
        ({"out_of_fold": True}, "known", "none"),
        ({"fingerprint": "f0"}, "applied", "all"),
        ({"fingerprint": "f1"}, "applied", "perhaps"),
        ({"dataset": "eyecrowd"}, "applied", "none"),
        ({"edition": "others"}, "applied", "none"),
        ({"out_of_fold": True, "gaze": "fixations" + SHUFFLED}, "baseline", "none"),
    ],
)
def test_readouts_that_are_not_out_of_fold_are_marked(
    table_run: Callable, facts: Mapping[str, Any], kind: str, seen: str
) -> None:
    given = changed(**{"out_of_fold": False, **facts})
    found = shown_and_known([readout_run(table_run, given, 0.8)], resamples=100)
    row = found.row(0, named=True)
    assert (row["kind"], row["seen"]) == (kind, seen)
    assert row["fitted_on"] == given.fitted_on


def test_a_cam_of_that_name_without_a_readout_in_the_plan_is_no_readout(
    table_run: Callable,
) -> None:
    one = table_run((unsigned("readout"), scores(0.8)), plan=plan())
    other = table_run((unsigned("eigen_calibrated"), scores(0.7)), plan=plan())
    found = shown_and_known([one, other], resamples=100)
    assert found.select("kind", "what", "seen").rows() == [
        ("shown", "readout", None),
        ("shown", "eigen_calibrated", None),
    ]


def test_level_sets_stand_side_by_side(table_run: Callable) -> None:
    each = [
        readout_run(table_run, changed(levels=levels, digest=digest), number)
        for levels, digest, number in (
            (("coarse",), "d2", 0.7),
            (("fine",), "d1", 0.6),
            (("fine", "coarse"), "d0", 0.8),
        )
    ]
    shown = table_run(
        (unsigned("deviation"), scores(0.5)), plan=plan(), settings={"levels": ["s16"]}
    )
    found = shown_and_known([*each, shown], resamples=100)
    assert found.select("what", "levels").rows() == [
        ("deviation", "coarse"),
        ("linear readout", "fine, coarse"),
        ("linear readout", "fine"),
        ("linear readout", "coarse"),
    ]


def test_what_would_have_the_same_name_is_told_apart(table_run: Callable) -> None:
    grids = table_run(({}, scores(0.5)), ({"grid": "s16"}, scores(0.51)), plan=plan())
    scaled = table_run(
        (unsigned("deviation"), scores(0.52)), plan=plan(), settings={"fusion": "mean"}
    )
    plain = table_run((unsigned("deviation"), scores(0.53)), plan=plan())
    seeds = [readout_run(table_run, changed(digest=name), 0.8) for name in ("ab" * 9, "cd" * 9)]
    found = shown_and_known([grids, scaled, plain, *seeds], resamples=100)
    assert found["what"].to_list() == [
        "eigen · grid coarsest",
        "eigen · grid s16",
        "deviation · fusion mean",
        "deviation · fusion concatenate",
        "linear readout · abababab",
        "linear readout · cdcdcdcd",
    ]


def test_each_backbone_has_the_baselines_and_people_beside_it(table_run: Callable) -> None:
    center = unsigned("center", backbone="none", grid="own")
    one = table_run(
        (unsigned("deviation"), scores(0.5)),
        (unsigned("deviation", backbone="other"), scores(0.6)),
        (unsigned("precomputed", backbone="theirs", grid="own"), scores(0.7)),
        (center, scores(0.4)),
        bounds=bounds(),
        settings={"maps": {"theirs": "folder"}},
    )
    found = shown_and_known([one], resamples=100)
    beside = ["centre bias", "center", "one observer", "people"]
    for backbone, kind in (("net", "shown"), ("other", "shown"), ("theirs", "other")):
        own = found.filter(backbone=backbone)
        assert own["what"].to_list()[:2] + own["what"].to_list()[3:] == beside
        assert own["kind"][2] == kind
    alone = shown_and_known([table_run((center, scores(0.4)))], resamples=100)
    assert alone.select("backbone", "what").rows() == [("none", "center")]


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        ({"dataset": {"name": "osie"}}, "different data sets (folder and osie)"),
        ({"dataset": {"edition": "2020"}}, "different editions of the data set"),
        ({"settings": {"density_sigma": 9.0}}, "blur the fixations differently"),
        ({"settings": {"convention": "mit"}}, "score in different conventions"),
    ],
)
def test_runs_whose_scores_do_not_mean_the_same_are_refused(
    table_run: Callable, difference: Mapping[str, Any], said: str
) -> None:
    one = table_run((unsigned("deviation"), scores(0.5)))
    other = table_run((unsigned("deviation"), scores(0.5)), place="OTHER", **difference)
    with pytest.raises(OptionError) as error:
        shown_and_known([one, other])
    assert said in str(error.value)
    assert "RUN and OTHER" in str(error.value)


def test_runs_without_anything_in_common_are_refused(table_run: Callable) -> None:
    one, other = (table_run((unsigned("deviation"), scores(0.5))) for _ in range(2))
    one.table, other.table = one.table.head(4), other.table.tail(4)
    with pytest.raises(OptionError, match="no stimulus has been scored in all of RUN, RUN"):
        shown_and_known([one, other])
    with pytest.raises(OptionError, match="at least one"):
        shown_and_known([])
    with pytest.raises(OptionError, match="the runs have none of cc, nss, auc, information_gain"):
        shown_and_known([table_run((unsigned("deviation"), scores(0.5, ("kld",))))])
