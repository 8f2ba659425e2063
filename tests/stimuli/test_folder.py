from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quickgaze.errors import DatasetError, OptionError, StimulusError
from quickgaze.stimuli._folder import load_folder
from quickgaze.stimuli.types import Fixations

Write = Callable[..., Path]

TABLE = """\
stimulus,observer,x,y,duration,trial
b.png,001,1,1,200,x
a,ann,8,6,100,y
b,ann, 2.5,3.5,,z
b,001,NA,1,30,z
b,001,,1,30,z
b,001,0.4,1,30,z
"""


def ids(root: Path, **options: int) -> list[str]:
    return [stimulus.id for stimulus in load_folder(root, **options)]  # type: ignore[arg-type]


def fixations(root: Path, identifier: str, **options: int) -> Fixations:
    dataset = load_folder(root, **options)  # type: ignore[arg-type]
    stimulus = next(stimulus for stimulus in dataset if stimulus.id == identifier)
    assert stimulus.fixations is not None
    return stimulus.fixations


@pytest.fixture
def root(tmp_path: Path, draw: Write) -> Path:
    for name in ("b.png", "a.JPG", "c.webp"):
        draw(tmp_path / "images" / name)
    return tmp_path


def test_a_plain_folder_of_pictures(tmp_path: Path, draw: Write) -> None:
    for name in ("b.png", "a.JPG", "deep/er/c.tif", ".hidden.png", ".cache/x.png", "maps/b.png"):
        draw(tmp_path / name)
    (tmp_path / "notes.txt").touch()
    dataset = load_folder(tmp_path)
    assert [stimulus.id for stimulus in dataset] == ["a", "b", "deep/er/c"]
    assert dataset[2].image().shape == (6, 8, 3)


def test_without_gaze(root: Path) -> None:
    dataset = load_folder(root)
    assert [stimulus.id for stimulus in dataset] == ["a", "b", "c"]
    assert (dataset.edition, dataset.gaze, dataset.missing) == ("images only", "none", ())
    assert dataset.notes == ("There is no gaze on these images: nothing can be scored.",)
    assert dataset[0].fixations is None
    assert dataset[0].density() is None


def test_maps(root: Path, draw: Write) -> None:
    draw(root / "maps" / "a.png", mode="L")
    (root / "maps" / "readme.txt").touch()
    np.save(root / "maps" / "b.npy", np.eye(6, 8))
    np.save(root / "maps" / "other.npy", np.eye(6, 8))
    dataset = load_folder(root)
    assert dataset.edition == "density maps"
    assert dataset.gaze == "none"
    assert dataset.missing == ("other",)
    assert "There is no gaze on 1 of 3 images." in dataset.notes
    np.testing.assert_array_equal(dataset[1].density(), np.eye(6, 8))
    assert [stimulus.map is None for stimulus in dataset] == [False, False, True]


def test_maps_in_subfolders(tmp_path: Path, draw: Write) -> None:
    for kind in ("cats", "dogs"):
        draw(tmp_path / "images" / kind / "one.png")
        np.save(draw(tmp_path / "maps" / kind / "one.png").with_suffix(".npy"), np.eye(6, 8))
        (tmp_path / "maps" / kind / "one.png").unlink()
    dataset = load_folder(tmp_path)
    assert [stimulus.id for stimulus in dataset] == ["cats/one", "dogs/one"]
    assert dataset.missing == ()
    assert all(stimulus.map is not None for stimulus in dataset)


def test_two_maps_of_one_image(root: Path, draw: Write) -> None:
    draw(root / "maps" / "a.png", mode="L")
    draw(root / "maps" / "a.tif", mode="L")
    with pytest.raises(DatasetError, match=r"a\.png and .*a\.tif are both maps of 'a'"):
        load_folder(root)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_table(root: Path, ending: str) -> None:
    (root / "fixations.csv").write_text(TABLE + "gone,ann,1,1,1,w\n")
    if ending == "parquet":
        table = pl.read_csv(root / "fixations.csv", null_values="NA", infer_schema=False)
        table = table.with_columns(pl.col("x").str.strip_chars().cast(pl.Float32, strict=False))
        table = table.with_columns(pl.col("y", "duration").cast(pl.Float64))
        table = table.with_columns(observer=pl.col("observer").cast(pl.Categorical))
        table.write_parquet(root / "fixations.parquet")
        (root / "fixations.csv").unlink()
    dataset = load_folder(root, origin=1)
    assert dataset.edition == f"fixations.{ending} with origin 1"
    assert dataset.gaze == "fixations"
    assert dataset.missing == ("gone",)
    found = fixations(root, "b", origin=1)
    assert found.points.tolist() == [[0, 0], [1.5, 2.5]]
    assert found.observer.tolist() == ["001", "ann"]
    assert found.dropped == 3
    assert found.duration is not None
    np.testing.assert_array_equal(found.duration, [200, np.nan])
    assert dataset[2].fixations is None
    assert "There is no gaze on 1 of 3 images." in dataset.notes
    copy = pickle.loads(pickle.dumps(dataset[1]))  # noqa: S301
    assert copy.fixations.points.tolist() == [[0, 0], [1.5, 2.5]]


def test_table_and_maps(root: Path) -> None:
    (root / "fixations.csv").write_text("stimulus,observer,x,y\na,1,0,0\nb,1,3,2\n")
    (root / "maps").mkdir()
    np.save(root / "maps" / "a.npy", np.ones((6, 8)))
    dataset = load_folder(root, origin=0)
    assert dataset.edition == "density maps and fixations.csv with origin 0"
    density = dataset[0].density()
    assert density is not None
    assert density.min() == 1
    assert any("1 of 3 images have no density map" in note for note in dataset.notes)
    assert fixations(root, "b", origin=0).duration is None


def test_origin_has_to_be_said(root: Path) -> None:
    (root / "fixations.csv").write_text(TABLE)
    with pytest.raises(OptionError, match=r"fixations\.csv needs origin=0 or origin=1: 0 if"):
        load_folder(root)
    with pytest.raises(OptionError, match="origin is 2; give 0 or 1"):
        load_folder(root, origin=2)  # type: ignore[arg-type]


@given(
    st.lists(st.tuples(st.floats(0, 7), st.floats(0, 5)), min_size=1, max_size=10),
    st.sampled_from([0, 1]),
    st.sampled_from(["csv", "parquet"]),
)
@settings(max_examples=40, deadline=None)
def test_coordinates_count_from_zero(
    tmp_path_factory: pytest.TempPathFactory,
    points: list[tuple[float, float]],
    origin: int,
    ending: str,
) -> None:
    root = tmp_path_factory.mktemp("folder")
    (root / "a.png").touch()
    x, y = np.array(points).T
    table = pl.DataFrame({"stimulus": "a", "observer": 1, "x": x + origin, "y": y + origin})
    if ending == "csv":
        table.write_csv(root / "fixations.csv")
    else:
        table.write_parquet(root / "fixations.parquet")
    gaze = load_folder(root, origin=origin)[0].gaze  # type: ignore[arg-type]
    assert gaze is not None
    np.testing.assert_allclose(gaze.read((6, 8)).points, points, atol=1e-12)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be read as a table"),
        ("stimulus,observer,x\na,1,2\n", "lacks the column y; it needs stimulus, observer, x, y"),
        ("stimulus,observer,x,y\na,1,two,3\n", "holds 'two' in row 2, column x"),
        ("stimulus,observer,x,y\na,1,2,3\na,,2,3\n", "no observer in 1 row, the first is row 3"),
        ("stimulus,observer,x,y\n,1,2,3\n", "no stimulus in 1 row"),
        ("stimulus,observer,x,y\na,1,2,3,4,5\n", "cannot be read as a table"),
        ("stimulus,observer,x,y\nq,1,2,3\n", "it calls them 'q', the images are called 'a'"),
    ],
)
def test_damaged_tables(root: Path, text: str, words: str) -> None:
    (root / "fixations.csv").write_text(text)
    with pytest.raises(DatasetError, match=rf"fixations\.csv .*{words}"):
        load_folder(root, origin=0)


def test_tables_that_are_none(root: Path) -> None:
    (root / "fixations.csv").write_bytes(b"PK\x03\x04 a workbook")
    with pytest.raises(DatasetError, match=r"fixations\.csv cannot be read .* Excel"):
        load_folder(root, origin=0)
    (root / "fixations.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(DatasetError, match=r"both fixations\.csv and fixations\.parquet"):
        load_folder(root, origin=0)
    (root / "fixations.csv").unlink()
    with pytest.raises(DatasetError, match=r"fixations\.parquet cannot be read"):
        load_folder(root, origin=0)
    pl.DataFrame({"stimulus": ["a"], "observer": ["1"], "x": [[1]], "y": [2]}).write_parquet(
        root / "fixations.parquet"
    )
    with pytest.raises(DatasetError, match="something else than numbers"):
        load_folder(root, origin=0)


def test_a_table_without_rows(root: Path) -> None:
    (root / "fixations.csv").write_text("stimulus,observer,x,y\n")
    dataset = load_folder(root, origin=0)
    assert all(stimulus.fixations is None for stimulus in dataset)
    assert "There is no gaze on 3 of 3 images." in dataset.notes


def test_names_that_differ_in_their_ending(tmp_path: Path, draw: Write) -> None:
    for name in ("a.jpg", "a.png", "a.jpg.bmp", "b.png"):
        draw(tmp_path / "images" / name)
    assert ids(tmp_path) == ["a.jpg", "a.jpg.bmp", "a.png", "b"]
    (tmp_path / "maps").mkdir()
    np.save(tmp_path / "maps" / "a.jpg.npy", np.eye(6, 8))
    dataset = load_folder(tmp_path)
    assert [stimulus.id for stimulus in dataset if stimulus.map] == ["a.jpg"]
    np.save(tmp_path / "maps" / "a.npy", np.eye(6, 8))
    with pytest.raises(DatasetError, match=r"a\.npy names 'a', which several images are called"):
        load_folder(tmp_path)
    (tmp_path / "maps" / "a.npy").unlink()
    (tmp_path / "fixations.csv").write_text("stimulus,observer,x,y\na,1,1,1\n")
    with pytest.raises(DatasetError, match=r"fixations\.csv names 'a'"):
        load_folder(tmp_path, origin=0)


def test_broken_images_do_not_end_loading(root: Path) -> None:
    (root / "images" / "a.JPG").write_bytes(b"broken")
    (root / "images" / "b.png").unlink()
    (root / "images" / "b.png").symlink_to(root / "nowhere")
    dataset = load_folder(root)
    assert [stimulus.id for stimulus in dataset] == ["a", "b", "c"]
    for stimulus in dataset[:2]:
        with pytest.raises(StimulusError, match=rf"{stimulus.id}\."):
            stimulus.image()
        with pytest.raises(StimulusError, match=rf"{stimulus.id}\."):
            _ = stimulus.size
    assert dataset[2].size == (6, 8)
    assert len(dataset.fingerprint()) == 64


def test_names_that_are_not_utf8(tmp_path: Path, draw: Write) -> None:
    source = draw(tmp_path / "x.png")
    try:
        source.rename(tmp_path / "caf\udce9.png")
    except OSError:
        pytest.skip("the file system wants UTF-8")
    dataset = load_folder(tmp_path)
    assert [stimulus.id for stimulus in dataset] == ["caf\\xe9"]
    assert dataset[0].size == (6, 8)
    assert dataset.fingerprint()


def test_no_images(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"does not hold images; expected images/"):
        load_folder(tmp_path)


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("data.csv", "stimulus,observer,x,y"),
        ("eye.tsv", "image\tsubject\tpos_x\tpos_y"),
        ("export.txt", "MEDIA_NAME,USER,FPOGX,FPOGY"),
    ],
)
def test_gaze_in_a_table_of_another_name(root: Path, name: str, header: str) -> None:
    (root / name).write_text(f"{header}\n")
    with pytest.raises(DatasetError, match=f"{name} may hold gaze, but is not read; .*table=FILE"):
        load_folder(root)
    with pytest.raises(OptionError, match=f"origin=0 is for a table.*{name} may hold gaze"):
        load_folder(root, origin=0)
    assert len(load_folder(root, table="none")) == 3


@pytest.mark.parametrize("text", ["image,label\na,1\n", "image,x,y,width\na,1,1,4\n", "", "words"])
def test_tables_of_something_else(root: Path, text: str) -> None:
    (root / "labels.csv").write_text(text)
    assert len(load_folder(root)) == 3


def test_names_that_are_numbers(tmp_path: Path, draw: Write) -> None:
    """As the command line reads ``--option images=2014``."""
    draw(tmp_path / "2014" / "a.png")
    (tmp_path / "2015").mkdir()
    draw(tmp_path / "2015" / "a1.png")
    options = {"images": 2014, "maps": 2015, "suffix": 1}
    dataset = load_folder(tmp_path, **options)  # type: ignore[arg-type]
    assert [stimulus.id for stimulus in dataset if stimulus.map] == ["a"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"images": ["images"]}, r"images is \['images'\]; give one name, as text"),
        ({"maps": True}, "maps is True; give one name"),
        ({"suffix": {}}, "suffix is {}; give one name"),
        ({"table": 1.5}, r"table is 1\.5; give one name"),
        ({"units": 1}, "unknown units 1. Known: pixels"),
        ({"units": 0}, "unknown units 0. Known: pixels"),
        ({"units": ["pixels"]}, "unknown units"),
        ({"y": 1}, "unknown y 1. Known: down, up"),
        ({"columns": 5}, "columns= is '5'; write pairs"),
        ({"columns": ["x"]}, "write pairs with commas"),
    ],
)
def test_options_of_another_type(root: Path, options: dict[str, object], words: str) -> None:
    (root / "fixations.csv").write_text(TABLE)
    with pytest.raises(OptionError, match=words):
        load_folder(root, **{"origin": 0, **options})  # type: ignore[arg-type]
