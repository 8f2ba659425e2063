"""Calibration of the maps of a stored run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy import ndimage

import quickgaze as qg
from quickgaze.cams import Cam
from quickgaze.errors import DatasetError, OptionError, RunError, StimulusError, UnknownNameError
from quickgaze.readouts import Calibration, calibrate, calibrated_scores
from quickgaze.stimuli import Dataset, Fixations, Stimulus
from quickgaze.stimuli.types import Density, Image, Size
from quickgaze.study import Run
from quickgaze.study.plan import FORMAT
from quickgaze.study.stored import StoredMap
from quickgaze.study.variants import CamKey

SIZE = (60, 80)

Planes = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Grey:
    """An image without content."""

    def read(self) -> Image:
        return np.full((*SIZE, 3), 128, np.uint8)

    def size(self) -> Size:
        return SIZE

    def fingerprint(self) -> str:
        return "grey"


@dataclass(frozen=True, eq=False)
class Drawn:
    """Fixations in memory."""

    points: Planes

    def read(self, size: Size) -> Fixations:
        names = [f"p{number % 4}" for number in range(len(self.points))]
        return Fixations.inside(self.points[:, 0], self.points[:, 1], names, size)

    def fingerprint(self) -> str:
        return str(hash(self.points.tobytes()))


@dataclass(frozen=True, eq=False)
class Map:
    """A density in memory."""

    values: Planes

    def read(self, size: Size) -> Density:
        assert size == SIZE
        return (self.values / self.values.max()).astype(np.float32)


def centre_bias() -> Planes:
    """Where people look in any image: near the centre."""
    down, across = np.mgrid[: SIZE[0], : SIZE[1]]
    plane: Planes = np.exp(-(((down - 29.5) / 15) ** 2 + ((across - 39.5) / 20) ** 2) / 2)
    return plane / plane.sum()


def fields(count: int, seed: int = 0) -> Planes:
    """Smooth random planes in [0, 1]."""
    generator = np.random.default_rng(seed)
    planes = np.stack(
        [ndimage.gaussian_filter(generator.normal(size=SIZE), 4) for _ in range(count)]
    )
    planes -= planes.min((1, 2), keepdims=True)
    made: Planes = planes / planes.max((1, 2), keepdims=True)
    return made


def shares(planes: Planes) -> Planes:
    """Planes with a sum of 1."""
    made: Planes = planes / planes.sum((-2, -1), keepdims=True)
    return made


def drawn_from(density: Planes, count: int, seed: int) -> Planes:
    """Points (n, 2) that are drawn from a density."""
    generator = np.random.default_rng(seed)
    cells = generator.choice(density.size, count, p=density.ravel())
    rows, columns = np.divmod(cells, density.shape[1])
    return np.stack([columns, rows], axis=1).astype(np.float64)


def dataset_of(densities: Planes, count: int = 60, seed: int = 1) -> Dataset:
    """Stimuli with fixations from densities."""
    stimuli = tuple(
        Stimulus(f"s{number:03d}", Grey(), Drawn(drawn_from(each, count, seed + number)))
        for number, each in enumerate(densities)
    )
    return Dataset("drawn", stimuli, "in memory", density_sigma=3.0)


def maps_alone(densities: Planes) -> Dataset:
    """Stimuli with densities and no fixations."""
    stimuli = tuple(
        Stimulus(f"s{number:03d}", Grey(), map=Map(each)) for number, each in enumerate(densities)
    )
    return Dataset("maps", stimuli, "in memory", gaze="none", density_sigma=3.0)


MakeRun = Callable[..., Run]


@pytest.fixture
def map_run(write_run: Callable[..., Run], tmp_path: Path) -> MakeRun:
    """Write a run that holds nothing but maps, by the name of their CAM."""

    def make(
        maps: Mapping[str, Sequence[Planes]],
        stimuli: Sequence[str] | None = None,
        *,
        ids: Sequence[str] | None = None,
        settings: Mapping[str, Any] | None = None,
        name: str = "run",
        **tables: Sequence[Mapping[str, Any]],
    ) -> Run:
        count = len(next(iter(maps.values())))
        mapped = [f"s{number:03d}" for number in range(count)] if stimuli is None else stimuli
        rows = [
            StoredMap(
                stimulus,
                CamKey("net", cam, "coarsest", 0),
                SIZE,
                Cam.unsigned(torch.from_numpy(np.asarray(plane, np.float32))[None]),
            ).row()
            for cam, planes in maps.items()
            for stimulus, plane in zip(mapped, planes, strict=False)
        ]
        options: dict[str, Any] = {
            "backbones": ["net"],
            "cams": list(maps),
            "grids": ["coarsest"],
            "components": [0],
            "orientations": ["activation"],
            "sigmas": [0.0],
            "metrics": ["kld", "cc"],
            "bounds": ["center_bias", "gold_standard"],
            "convention": "tuebingen",
            "density_sigma": 3.0,
            "draws": 2,
            **(settings or {}),
        }
        plan = {
            "format": FORMAT,
            "settings": options,
            "stimuli": list(mapped if ids is None else ids),
            "dataset": {"name": "drawn", "edition": "in memory"},
            "weights_hashes": {"net": "0"},
            "shard_size": 16,
        }
        return write_run(tmp_path / name, options["metrics"], plan, maps=rows, **tables)

    return make


COUNT = 16


@pytest.fixture(scope="module")
def planes() -> Planes:
    return fields(COUNT)


@pytest.fixture(scope="module")
def density(planes: Planes) -> Planes:
    """Where people look: where the plane is high, and near the centre."""
    return shares(np.exp(5 * planes) * centre_bias())


@pytest.fixture(scope="module")
def dataset(density: Planes) -> Dataset:
    return dataset_of(density)


def _mean(found: Calibration, metric: str, column: str, cam: str = "made") -> float:
    rows = found.summary.filter(metric=metric, cam=cam)
    assert rows.height == 1
    value: float = rows[column][0]
    return value


def _calibrated(run: Run, dataset: Dataset, **options: Any) -> Calibration:
    return calibrate(run, dataset, **{"folds": 4, "progress": False, **options})


def test_a_cube_of_the_density_is_told_as_the_density(density: Planes, map_run: MakeRun) -> None:
    dataset = dataset_of(density, 600)
    found = _calibrated(map_run({"made": shares(density) ** 3}), dataset)
    told = np.stack([found.density(stimulus.id) for stimulus in dataset])
    assert told.sum((1, 2)) == pytest.approx(np.ones(COUNT))
    missed = (density * np.log2(density / told)).sum((1, 2)).mean()
    to_gain = (density * np.log2(density / centre_bias())).sum((1, 2)).mean()
    assert missed < 0.1 * to_gain
    assert _mean(found, "kld", "calibrated") < _mean(found, "kld", "own") / 2


def test_a_centre_bias_that_a_map_lacks_is_given_to_it(
    planes: Planes, density: Planes, map_run: MakeRun
) -> None:
    dataset = dataset_of(density, 600)
    found = _calibrated(map_run({"made": planes}), dataset)
    assert found.folds["centre_weight"].to_numpy() == pytest.approx(np.ones(4), abs=0.3)
    assert set(found.folds["used"]) == {"calibrated"}
    own, after = (_mean(found, "information_gain", name) for name in ("own", "calibrated"))
    assert own < 0 < after
    assert _mean(found, "cc", "calibrated") > _mean(found, "cc", "own")


def _kinds() -> dict[str, Planes]:
    generator = np.random.default_rng(3)
    near = fields(COUNT)
    return {
        "noise": generator.random((COUNT, 6, 8)),
        "constant": np.ones((COUNT, 3, 4)),
        "zero": np.zeros((COUNT, 3, 4)),
        "opposite": 1 - near,
        "density": shares(np.exp(5 * near) * centre_bias()),
        "one_pixel": np.eye(COUNT * 4, 48).reshape(COUNT, 4, 6, 8)[:, 0],
        "centre": np.tile(centre_bias(), (COUNT, 1, 1)),
        "negative": near - 0.5,
        "tiny": near * 1e-30,
        "huge": near * 1e30,
        "one_cell": generator.random((COUNT, 1, 1)),
    }


def test_calibrated_maps_are_not_below_their_own_nor_the_centre_bias(
    dataset: Dataset, map_run: MakeRun
) -> None:
    found = _calibrated(map_run(_kinds(), settings={"metrics": [], "bounds": []}), dataset, folds=2)
    gains = found.summary.filter(metric="information_gain")
    assert gains["images"].to_list() == [COUNT] * len(_kinds())
    for row in gains.iter_rows(named=True):
        assert row["calibrated"] >= row["own"] - 1e-4, row["cam"]  # rounding of a map that is kept
        assert row["calibrated"] >= -0.05, row["cam"]  # a fold knows half of the centre bias


@pytest.mark.parametrize("seed", range(3))
def test_nor_are_those_of_gaze_that_has_nothing_to_do_with_maps(
    seed: int, map_run: MakeRun
) -> None:
    people = dataset_of(shares(np.exp(5 * fields(COUNT, seed)) * centre_bias()), 40, seed)
    found = _calibrated(map_run({"made": fields(COUNT, seed + 50)}), people, seed=seed)
    own, after = (_mean(found, "information_gain", name) for name in ("own", "calibrated"))
    assert after >= own
    assert abs(after) < 0.05
    assert set(found.folds["used"]) == {"centre bias"}


def test_gaze_on_an_image_does_not_change_its_own_map(
    planes: Planes, dataset: Dataset, map_run: MakeRun
) -> None:
    run = map_run({"made": planes})
    before = _calibrated(run, dataset)
    moved = replace(dataset[5], gaze=Drawn(np.full((60, 2), 3.0)))
    stimuli = (*dataset.stimuli[:5], moved, *dataset.stimuli[6:])
    after = _calibrated(run, replace(dataset, stimuli=stimuli))
    same = [bool((before.density(each.id) == after.density(each.id)).all()) for each in dataset]
    assert same[5]
    assert not all(same)
    assert sum(same) == COUNT // 4  # those of its own fold


def test_the_same_seed_gives_the_same(planes: Planes, dataset: Dataset, map_run: MakeRun) -> None:
    run = map_run({"made": planes})
    torch.manual_seed(7)
    state = torch.get_rng_state()
    first, second = _calibrated(run, dataset), _calibrated(run, dataset)
    other = _calibrated(run, dataset, seed=1)
    assert (torch.get_rng_state() == state).all()
    assert first.scores.equals(second.scores, null_equal=True)
    assert first.folds.equals(second.folds)
    assert not first.folds.equals(other.folds)


def test_densities_do_where_there_are_no_fixations(
    planes: Planes, density: Planes, map_run: MakeRun
) -> None:
    run = map_run({"made": planes}, settings={"metrics": ["kld", "sim"]})
    found = _calibrated(run, maps_alone(density))
    assert _mean(found, "kld", "calibrated") < _mean(found, "kld", "own") / 3
    assert _mean(found, "sim", "calibrated") > 0.9
    gains = found.summary.filter(metric="information_gain")
    assert gains["own"].to_list() == [None]
    assert gains["images"].to_list() == [0]


def test_a_map_of_nan_is_left_out_with_the_reason(
    planes: Planes, dataset: Dataset, map_run: MakeRun, tmp_path: Path
) -> None:
    holed = planes.copy()
    holed[4, 0, 0] = np.nan
    found = _calibrated(map_run({"made": holed, "whole": planes}), dataset, out=tmp_path / "out")
    assert found.left_out == {"s004": "its map of made is NaN"}
    with pytest.raises(StimulusError, match="'s004' has no calibrated map: its map of made is NaN"):
        found.density("s004", cam="made")
    assert found.density("s004", cam="whole").shape == SIZE
    rows = found.scores.filter(stimulus="s004", metric="kld").sort("cam")
    assert rows["calibrated"].is_nan().to_list() == [True, False]
    assert found.summary.filter(metric="kld")["images"].to_list() == [COUNT - 1, COUNT]
    assert not found.summary["calibrated"].is_nan().any()
    assert found.run is not None
    reasons = found.run.undefined().filter(cam="made_calibrated", metric="kld")["reason"]
    assert "NaN" in reasons[0]


def test_a_stimulus_that_failed_in_the_run_fails_again(
    planes: Planes, dataset: Dataset, map_run: MakeRun
) -> None:
    names = [stimulus.id for stimulus in dataset]
    row = {"stimulus": "s000", "stage": "image", "error": "E", "message": "it cannot be read"}
    run = map_run({"made": planes[1:]}, names[1:], ids=names, failures=[row])
    found = _calibrated(run, dataset)
    assert found.left_out == {"s000": "it cannot be read"}
    assert found.summary["images"].unique().to_list() == [COUNT - 1]


def test_an_image_without_gaze_gets_a_map_all_the_same(
    planes: Planes, dataset: Dataset, map_run: MakeRun
) -> None:
    stimuli = (replace(dataset[0], gaze=None), *dataset.stimuli[1:])
    found = _calibrated(map_run({"made": planes}), replace(dataset, stimuli=stimuli))
    assert found.density("s000").sum() == pytest.approx(1)
    assert found.summary.filter(metric="kld")["images"].to_list() == [COUNT - 1]


def test_what_is_written_is_an_ordinary_run(
    planes: Planes, dataset: Dataset, map_run: MakeRun, tmp_path: Path
) -> None:
    found = _calibrated(map_run({"made": planes}), dataset, out=tmp_path / "out")
    run = qg.open_run(tmp_path / "out")
    assert run.complete
    keys = ("cam", "orientation", "sigma")
    assert run.scores().select(keys).unique(maintain_order=True).rows() == [
        ("made", "none", 0.0),
        ("made_calibrated", "none", 0.0),
    ]
    assert run.metrics == ["kld", "cc", "information_gain"]
    assert any("out of fold" in note for note in run.plan.dataset.notes)
    assert set(run.bounds()["bound"]) == {"center_bias", "gold_standard"}
    assert calibrated_scores(run).equals(found.scores, null_equal=True)
    again = _calibrated(map_run({"made": planes}, name="same"), dataset, out=tmp_path / "out")
    assert again.scores.equals(found.scores, null_equal=True)
    with pytest.raises(RunError, match="calibrated is 3 folds"):
        _calibrated(map_run({"made": planes}, name="again"), dataset, out=tmp_path / "out", folds=3)


def test_scores_are_those_of_the_density(
    planes: Planes, dataset: Dataset, map_run: MakeRun
) -> None:
    found = _calibrated(map_run({"made": planes}), dataset)
    told = found.density("s003")
    rows = found.scores.filter(stimulus="s003")
    scores = dict(rows.select("metric", "calibrated").iter_rows())
    human = dataset[3].density(3.0)
    assert scores["kld"] == pytest.approx(qg.metrics.kld(told, human), abs=1e-4)
    assert scores["cc"] == pytest.approx(qg.metrics.cc(told, human), abs=1e-4)
    own = dict(rows.select("metric", "own").iter_rows())
    assert own["cc"] == pytest.approx(qg.metrics.cc(planes[3], human), abs=1e-4)


def test_people_are_beside(
    planes: Planes, density: Planes, dataset: Dataset, map_run: MakeRun
) -> None:
    many = dataset_of(density, 600)
    found = _calibrated(map_run({"made": planes}), many)
    gain = found.summary.filter(metric="information_gain").row(0, named=True)
    assert gain["people"] > 0
    assert gain["explained"] == pytest.approx(gain["calibrated"] / gain["people"])
    assert gain["explained_own"] == pytest.approx(gain["own"] / gain["people"])
    assert found.summary.filter(metric="cc")["explained"].to_list() == [None]
    holed = planes.copy()
    holed[0] = np.nan
    short = _calibrated(map_run({"made": holed}, name="short"), many)
    row = short.summary.filter(metric="information_gain").row(0, named=True)
    assert row["explained"] == pytest.approx(row["calibrated"] / row["people"])
    assert row["images"] == COUNT - 1
    bare = map_run({"made": planes}, settings={"bounds": []}, name="bare")
    alone = _calibrated(bare, dataset).summary.filter(metric="information_gain")
    assert alone["people"].to_list() == [None]
    assert alone["explained"].to_list() == [None]


def test_variants_are_chosen(planes: Planes, dataset: Dataset, map_run: MakeRun) -> None:
    planes, dataset = planes[:4], dataset[:4]
    run = map_run({"one": planes, "two": planes**2}, settings={"sigmas": [0.0, 19.0]})
    both = _calibrated(run, dataset).scores.select("cam", "sigma").unique(maintain_order=True)
    assert sorted(both.rows()) == [("one", 19.0), ("two", 19.0)]
    found = _calibrated(run, dataset, variant={"cam": "two", "sigma": 4})
    assert found.scores.select("cam", "sigma").unique().rows() == [("two", 4.0)]
    several = _calibrated(run, dataset, variant={"cam": ["two", "one"]})
    assert several.scores["cam"].n_unique() == 2
    with pytest.raises(OptionError, match="2 calibrated maps of 's000' fit"):
        several.density("s000")
    assert several.density("s000", cam="one_calibrated").sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"folds": 1}, OptionError, "folds is 1; give at least 2"),
        ({"variant": {"cam": "mode"}}, UnknownNameError, "'made'"),
        ({"variant": {"cams": "made"}}, UnknownNameError, "cam"),
        ({"variant": {"sigma": -1}}, OptionError, "sigma is -1"),
        ({"variant": {"sigma": "x"}}, OptionError, "sigma is 'x'"),
    ],
)
def test_what_cannot_be_done_is_refused_before_any_work(
    planes: Planes,
    dataset: Dataset,
    map_run: MakeRun,
    options: dict[str, Any],
    error: type[Exception],
    words: str,
) -> None:
    with pytest.raises(error, match=words):
        _calibrated(map_run({"made": planes}), dataset, **options)


def test_a_run_without_maps_is_refused(dataset: Dataset, map_run: MakeRun) -> None:
    with pytest.raises(OptionError, match="has kept no maps"):
        _calibrated(map_run({"made": []}, ["s000"]), dataset)


def test_another_data_set_is_refused(planes: Planes, dataset: Dataset, map_run: MakeRun) -> None:
    with pytest.raises(DatasetError, match=r"drawn lacks 4 of the 16 stimuli .* 's012'"):
        _calibrated(map_run({"made": planes}), dataset[:12])


def test_images_of_another_size_fail(planes: Planes, dataset: Dataset, map_run: MakeRun) -> None:
    @dataclass(frozen=True)
    class Larger(Grey):
        def size(self) -> Size:
            return (120, 160)

    stimuli = (replace(dataset[0], source=Larger()), *dataset.stimuli[1:])
    found = _calibrated(map_run({"made": planes}), replace(dataset, stimuli=stimuli))
    assert "an image of 60 x 80 pixels" in found.left_out["s000"]


def test_two_images_with_gaze_are_needed(
    planes: Planes, dataset: Dataset, map_run: MakeRun
) -> None:
    stimuli = tuple(replace(each, gaze=None) for each in dataset.stimuli[1:])
    bare = replace(dataset, stimuli=(dataset[0], *stimuli))
    with pytest.raises(OptionError, match="1 images of the run have a map of 'made' and gaze"):
        _calibrated(map_run({"made": planes}), bare)


def test_two_images_are_enough(planes: Planes, dataset: Dataset, map_run: MakeRun) -> None:
    found = _calibrated(map_run({"made": planes[:2]}), dataset[:2], folds=10)
    assert found.folds["tested"].to_list() == [1, 1]
    assert found.summary["images"].unique().to_list() == [2]


def test_a_scene_is_not_in_two_folds(planes: Planes, dataset: Dataset, map_run: MakeRun) -> None:
    stimuli = tuple(
        replace(each, attributes={"scene": f"scene {number // 8}"})
        for number, each in enumerate(dataset)
    )
    run = map_run({"made": planes})
    found = _calibrated(run, replace(dataset, stimuli=stimuli), folds=10)
    assert found.folds["tested"].to_list() == [8, 8]


def test_what_is_calibrated_is_not_calibrated_again(
    planes: Planes, dataset: Dataset, map_run: MakeRun, tmp_path: Path
) -> None:
    found = _calibrated(map_run({"made": planes}), dataset, out=tmp_path / "out")
    assert found.run is not None
    again = _calibrated(found.run, dataset)
    assert again.scores["cam"].unique().to_list() == ["made"]


def test_signs_are_fixed_by_the_rule_of_the_run(tmp_path: Path) -> None:
    displays = qg.load_dataset("popout", n=4, size=(120, 160))
    study = qg.Study(displays, cams=["eigen"], orientations=["skew", "oracle"], metrics=["cc"])
    run = study.run(tmp_path / "run", progress=False)
    found = _calibrated(run, displays)
    assert found.scores["orientation"].unique().to_list() == ["skew"]
    own = run.scores().filter(orientation="skew")["cc"].to_list()
    assert found.scores.filter(metric="cc")["own"].to_list() == pytest.approx(own, abs=1e-6)
    with pytest.raises(OptionError, match="'oracle' takes its sign from the human density"):
        _calibrated(run, displays, variant={"orientation": "oracle"})


def test_deviation_gains_on_osie(osie_sample: Path, tmp_path: Path) -> None:
    scenes = qg.load_dataset("osie", root=osie_sample)[:20]
    study = qg.Study(scenes, cams=["deviation"], metrics=["kld"], bounds=[])
    found = _calibrated(study.run(tmp_path / "run", progress=False), scenes)
    assert _mean(found, "kld", "calibrated", "deviation") < _mean(found, "kld", "own", "deviation")
    gain = found.summary.filter(metric="information_gain").row(0, named=True)
    assert gain["calibrated"] > gain["own"]
