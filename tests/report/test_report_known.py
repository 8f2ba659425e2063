"""The chapter on what is shown and what is known, where a run has readouts or calibrated maps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from quickgaze.report import write_report
from quickgaze.report._contents import Bootstrap, Chapter
from quickgaze.report._subjects import subject_of
from quickgaze.report.chapters._known import known_chapters
from quickgaze.study import Run
from quickgaze.study.plan import FORMAT
from quickgaze.study.readout_facts import ReadoutFacts

WriteRun = Callable[..., Run]

IMAGES = 12
METRICS = ("cc", "information_gain")
FACTS = ReadoutFacts(
    digest="d0",
    weights="ImageNet-1k",
    levels=("s8", "s16"),
    dataset="osie",
    edition="2014",
    gaze="fixations",
    images=IMAGES,
    hidden=16,
    out_of_fold=True,
)
BOUNDS = {"center_bias": 0.4, "one_observer": 0.7, "split_half": 0.9, "gold_standard": 0.95}
DEVIATION = {"cam": "deviation", "grid": "coarsest", "sigma": 19.0}
READOUT = {"cam": "readout", "grid": "own", "sigma": 0.0}


def scored(number: float) -> list[dict[str, Any]]:
    generator = np.random.default_rng(round(100 * abs(number)))
    values = number + generator.normal(0, 0.05, (IMAGES, len(METRICS)))
    return [dict(zip(METRICS, row, strict=True)) for row in values.tolist()]


@pytest.fixture
def make(write_run: WriteRun, tmp_path: Path) -> Callable[..., Run]:
    """Make a run of maps: keys and about how well each scores."""

    def run(
        name: str,
        *maps: tuple[dict[str, Any], float],
        facts: ReadoutFacts | None = None,
        dataset: str = "osie",
        fingerprint: str = "f9",
        **plan: Any,
    ) -> Run:
        keys = {"backbone": "net", "component": 0, "orientation": "none"}
        more = {"convention": "tuebingen", "explained_variance": None, "orientation_margin": None}
        stimuli = [f"s{number:02d}" for number in range(IMAGES)]
        content = {
            "format": FORMAT,
            "settings": {"metrics": METRICS, "convention": "tuebingen"},
            "dataset": {"name": dataset, "edition": "2014", "gaze": "fixations"}
            | {"fingerprint": fingerprint},
            "stimuli": stimuli,
            "inputs": {"net": {"levels": ["s8:8", "s16:16"], **(facts.inputs() if facts else {})}},
            **plan,
        }
        scores = [
            {"stimulus": stimulus, **keys, **more, **own, **values}
            for own, number in maps
            for stimulus, values in zip(stimuli, scored(number), strict=True)
        ]
        bounds = [
            {"stimulus": stimulus, "bound": bound, "convention": "tuebingen", "trials": 1, **values}
            for bound, number in BOUNDS.items()
            for stimulus, values in zip(stimuli, scored(number), strict=True)
        ]
        return write_run(tmp_path / name, METRICS, content, scores=scores, bounds=bounds)

    return run


def chapters(*runs: Run) -> list[Chapter]:
    return known_chapters(subject_of(runs), Bootstrap(resamples=100, seed=0))


def test_there_is_none_without_readouts_and_calibrated_maps(make: Callable[..., Run]) -> None:
    shown = make("shown", (DEVIATION, 0.5), ({**DEVIATION, "cam": "deviation_calibrated"}, 0.6))
    assert chapters(shown) == []
    assert chapters(shown, make("more", (READOUT, 0.5))) == [], "no plan speaks of a readout"


def test_a_chart_for_each_metric_and_one_table(make: Callable[..., Run]) -> None:
    (chapter,) = chapters(
        make("shown", (DEVIATION, 0.5)), make("known", (READOUT, 0.8), facts=FACTS)
    )
    assert chapter.title == "Shown and known"
    overall, *by_metric = chapter.parts
    assert [part.label for part in by_metric] == list(METRICS)
    names = [figure.name for part in by_metric for figure in part.figures]
    assert names == ["known-cc", "known-information_gain"]
    (table,) = overall.tables
    assert table.view.columns == [
        "what",
        "kind",
        "cc ↑",
        "information_gain ↑",
        "way, cc",
        "way, information_gain",
    ]
    assert table.view.select("what", "kind").rows() == [
        ("centre bias", "baseline"),
        ("deviation", "shown"),
        ("readout, 16 hidden units", "known"),
        ("one observer", "people"),
        ("people", "people"),
    ]
    ways = table.view["way, cc"].to_list()
    assert (ways[0], ways[-1]) == ("0 %", "100 %")
    known = table.data.filter(kind="known", metric="cc").row(0, named=True)
    low, high = (f"{known[name]:.3f}" for name in ("low", "high"))
    assert table.view["cc ↑"][2] == f"{known['mean']:.3f} [{low}, {high}]"
    (text,) = overall.texts
    assert text.startswith("Compared on 12 images that all runs have scored:")


def test_the_centre_bias_and_people_are_lines_and_the_rest_dots(make: Callable[..., Run]) -> None:
    calibrated = ({**DEVIATION, "cam": "deviation_calibrated"}, 0.6)
    one = make("own", (DEVIATION, 0.5), calibrated, maps_fingerprints={"calibrated": "10 folds"})
    (chapter,) = chapters(one, make("known", (READOUT, 0.8), facts=FACTS))
    chart = chapter.parts[1].figures[0].chart
    ruled, spans, points = (layer.to_dict() for layer in chart.layer)
    lines = rows_of(ruled)
    assert [row["measure"] for row in lines] == ["centre bias", "one observer", "people"]
    assert [(row["name"], row["group"]) for row in rows_of(points)] == [
        ("deviation", "shown"),
        ("deviation, calibrated", "shown, calibrated"),
        ("readout, 16 hidden units", "known"),
    ]
    for row in rows_of(spans):
        assert row["low"] < row["mean"] < row["high"]


def test_a_line_below_the_centre_bias_stands_in_the_table_alone(
    make: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BOUNDS, "one_observer", -7.0)
    (chapter,) = chapters(make("known", (READOUT, 0.8), facts=FACTS))
    lines = rows_of(chapter.parts[1].figures[0].chart.layer[0].to_dict())
    assert [row["measure"] for row in lines] == ["centre bias", "people"]
    assert "one observer" in chapter.parts[0].tables[0].view["what"].to_list()


def rows_of(layer: dict[str, Any]) -> list[dict[str, Any]]:
    (rows,) = layer["datasets"].values()
    return list(rows)


@pytest.mark.parametrize(
    ("fingerprint", "remark"),
    [
        ("f0", "it was fitted on these images: not out of fold"),
        ("f1", "it may have been fitted on some of these images: not out of fold"),
    ],
)
def test_a_readout_that_may_have_seen_the_images_is_marked(
    make: Callable[..., Run], fingerprint: str, remark: str
) -> None:
    given = replace(FACTS, out_of_fold=False, fingerprint="f0")
    run = make("given", (READOUT, 0.8), facts=given, fingerprint=fingerprint)
    (chapter,) = chapters(run, make("known", (READOUT, 0.7), facts=FACTS))
    view = chapter.parts[0].tables[0].view
    assert dict(view.filter(kind="applied").select("what", "remark").rows()) == {
        "readout, 16 hidden units, fitted on 12 images of osie (2014)": remark
    }
    assert set(view.filter(pl.col("kind") != "applied")["remark"]) == {""}
    dots = rows_of(chapter.parts[1].figures[0].chart.layer[2].to_dict())
    assert [row["group"] for row in dots] == ["known", "not out of fold"]


def test_runs_on_different_data_sets_stand_apart(make: Callable[..., Run]) -> None:
    (chapter,) = chapters(
        make("known", (READOUT, 0.8), facts=FACTS),
        make("elsewhere", (READOUT, 0.7), facts=FACTS, dataset="eyecrowd"),
        make("shown", (DEVIATION, 0.5), dataset="figrim"),
    )
    assert [part.label for part in chapter.parts] == [
        "osie (2014)",
        "osie (2014) · cc",
        "osie (2014) · information_gain",
        "eyecrowd (2014)",
        "eyecrowd (2014) · cc",
        "eyecrowd (2014) · information_gain",
    ]
    names = [table.name for part in chapter.parts for table in part.tables]
    assert names == ["known-1", "known-2"]


def test_runs_of_other_images_are_told_of(make: Callable[..., Run]) -> None:
    few = {"stimuli": ["s00", "s01"]}
    (chapter,) = chapters(
        make("known", (READOUT, 0.8), facts=FACTS), make("shown", (DEVIATION, 0.5), **few)
    )
    assert chapter.parts[0].texts[1:] == [
        "The runs are not of the same images: information_gain is over each one's own centre bias."
    ]


def test_level_sets_and_backbones_are_named_where_there_are_several(
    make: Callable[..., Run],
) -> None:
    coarse = replace(FACTS, levels=("s16",), digest="d1")
    (chapter,) = chapters(
        make("all", (READOUT, 0.8), facts=FACTS), make("coarse", (READOUT, 0.7), facts=coarse)
    )
    assert chapter.parts[0].tables[0].view["what"].to_list()[1:3] == [
        "readout, 16 hidden units · s8, s16",
        "readout, 16 hidden units · s16",
    ]
    (chapter,) = chapters(
        make("known", (READOUT, 0.8), facts=FACTS),
        make("other", ({**DEVIATION, "backbone": "other"}, 0.5)),
    )
    named = chapter.parts[0].tables[0].view["what"].to_list()
    assert "net · readout, 16 hidden units" in named
    assert "other · deviation" in named


def test_runs_without_a_stimulus_in_common_say_so(
    make: Callable[..., Run], write_run: WriteRun, tmp_path: Path
) -> None:
    known = make("known", (READOUT, 0.8), facts=FACTS)
    first = known.scores().head(1).with_columns(stimulus=pl.lit("another"))
    other = write_run(tmp_path / "other", METRICS, dict(known.plan), scores=first)
    (chapter,) = chapters(known, other)
    (part,) = chapter.parts
    assert part.texts[0].startswith("There is nothing to compare: no stimulus has been scored in")


def test_it_stands_on_the_page_where_there_is_something_to_say(
    make: Callable[..., Run], tmp_path: Path
) -> None:
    shown, known = make("shown", (DEVIATION, 0.5)), make("known", (READOUT, 0.8), facts=FACTS)
    pages = []
    for number, runs in enumerate(([shown], [shown, known])):
        out = tmp_path / f"report{number}"
        options = {"pictures": False, "papers": False, "resamples": 100, "progress": False}
        pages.append(write_report(runs, out, **options).page.read_text(encoding="utf-8"))
    assert ['id="known"' in page for page in pages] == [False, True]
    assert ["Shown and known" in page for page in pages] == [False, True]
