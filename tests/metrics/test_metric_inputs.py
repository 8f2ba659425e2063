"""What users bring in place of maps and points: read right, or refused with what to do."""

import numpy as np
import pytest
import torch

from quickgaze.errors import OptionError
from quickgaze.metrics import (
    METRICS,
    FixatedPixels,
    FixationCounts,
    auc,
    auc_shuffled,
    cc,
    information_gain,
    nss,
    score,
    undefined_reason,
)

RNG = np.random.default_rng(8)
MAP, DENSITY = RNG.random((2, 34, 66))
POINTS = np.array([[3.2, 4.7], [60.0, 30.9]])
NOBODY = "there are no fixations"
BINARY = np.zeros((34, 66), np.uint8)
BINARY[[4, 30, 0], [3, 60, 65]] = 255


def in_points(picture):
    return np.argwhere(picture > picture.max() / 2)[:, ::-1]


def masked(array):
    """The same with its first number hidden."""
    return np.ma.masked_array(array, mask=np.arange(array.size).reshape(array.shape) == 0)


# masks


def test_masked_maps_and_targets_are_refused(tester, batch):
    target = tester.target(0)
    for maps, against in (
        (masked(batch), target),
        (masked(batch[0]), target),
        (list(masked(batch)), target),
        (batch, masked(target)),
        (batch[0], np.ma.masked_invalid([[np.nan, 1.0]])),
    ):
        with pytest.raises(OptionError, match=r"must not be masked.*array\.filled\(0\)"):
            tester(maps, against)


def test_a_mask_decided_about_a_correlation():
    hidden = np.ma.masked_array(MAP, mask=DENSITY > 0.5)
    kept = ~hidden.mask
    honoured = np.corrcoef(MAP[kept], DENSITY[kept])[0, 1]
    assert cc(MAP, DENSITY) != pytest.approx(honoured, abs=1e-3)
    with pytest.raises(OptionError, match="the map must not be masked"):
        cc(hidden, DENSITY)
    with pytest.raises(OptionError, match="the density must not be masked"):
        cc(MAP, np.ma.masked_array(DENSITY, mask=hidden.mask))
    assert cc(hidden.filled(0), DENSITY) == cc(np.where(kept, MAP, 0), DENSITY)


def test_masks_are_refused_wherever_gaze_goes_in():
    points, baseline = masked(POINTS), masked(DENSITY)
    for call in (
        lambda: information_gain(MAP, POINTS, baseline),
        lambda: auc_shuffled(MAP, POINTS, points),
        lambda: nss(np.stack([MAP, MAP]), [POINTS, points]),
        lambda: nss(torch.asarray(MAP), points),
        lambda: score(["cc"], MAP[None], masked(DENSITY), None),
        lambda: score(["cc"], masked(MAP)[None], DENSITY, None),
        lambda: score(["nss"], MAP[None], None, points),
        lambda: undefined_reason("nss", MAP, points),
        lambda: FixationCounts.of(points, (34, 66)),
        lambda: FixationCounts(np.ma.masked_equal(np.ones((3, 4), int), 1)),
        lambda: FixatedPixels.of(points, (34, 66)),
        lambda: cc([[1.0, np.ma.masked], [2.0, 3.0]], np.eye(2)),
    ):
        with pytest.raises(OptionError, match="must not be masked"):
            call()


def test_a_mask_that_hides_nothing_passes():
    for mask in (np.ma.nomask, False, np.zeros((34, 66), bool)):
        assert cc(np.ma.masked_array(MAP, mask=mask), DENSITY) == cc(MAP, DENSITY)
    assert type(nss(np.ma.masked_array(MAP), np.ma.masked_array(POINTS))) is float
    values = cc(np.ma.masked_array([MAP, DENSITY]), DENSITY)
    assert type(values) is np.ndarray
    assert np.ma.masked_array(POINTS)[0, 0] == 3.2


# channels


@pytest.mark.parametrize("whole", [np.asarray, torch.asarray], ids=["numpy", "torch"])
def test_a_map_with_a_channel_is_not_a_batch(whole):
    for map_ in (whole(MAP[..., None]), whole(MAP[:, :1, None])):
        for call in (
            lambda map_=map_: nss(map_, POINTS),
            lambda map_=map_: cc(map_, DENSITY),
            lambda map_=map_: cc(map_, map_),
            lambda map_=map_: score(["nss"], map_, None, POINTS),
        ):
            with pytest.raises(
                OptionError, match=r"last axis of 1, not 34 maps .*map\[\.\.\., 0\]"
            ):
                call()


def test_a_colour_picture_is_not_a_batch():
    for channels in (3, 4):
        picture = RNG.random((34, 66, channels))
        with pytest.raises(OptionError, match=f"a colour picture, not 34 maps {channels} pixels"):
            nss(picture, POINTS)
    with pytest.raises(OptionError, match=r"squeeze takes an axis of 1 away\); got shape \(2, 1, "):
        nss(RNG.random((2, 1, 34, 66)), POINTS)


def test_small_and_narrow_maps_are_still_maps():
    assert nss(MAP[None], POINTS).shape == (1,)
    assert nss(RNG.random((20, 9, 3)), [[1, 1]]).shape == (20,)
    assert nss(RNG.random((5, 40, 3)), [[1, 1]]).shape == (5,)
    assert nss(RNG.random((1, 40, 1)), [[0, 1]]).shape == (1,)
    assert isinstance(nss(RNG.random((40, 1)), [[0, 1]]), float)
    # the density tells that these are two maps one pixel wide, as a study scores them
    narrow = RNG.random((3, 40, 1))
    found = score(["cc", "nss"], narrow[:2], narrow[2], np.array([[0, 7]])).values
    assert found["cc"].tolist() == [cc(narrow[0], narrow[2]), cc(narrow[1], narrow[2])]


# no fixations

NONE = {
    "list": [],
    "tuple": (),
    "row": np.empty(0),
    "columns": np.empty((0, 2)),
    "two rows": np.empty((2, 0)),
    "integers": np.empty(0, int),
    "tensor": torch.empty(0),
    "tensor of columns": torch.empty(0, 2),
}


@pytest.mark.parametrize("nothing", NONE.values(), ids=NONE)
def test_no_fixations_are_none(tester, batch, nothing):
    if tester.compares == "density":
        with pytest.raises(OptionError, match="compares with a human density"):
            tester(batch, nothing)
        return
    assert np.isnan(tester(batch[0], nothing))
    assert np.isnan(tester(batch, nothing)).tolist() == [True] * 4
    assert tester(torch.asarray(batch[0]), nothing).isnan()
    assert tester.reason(batch[0], nothing) == NOBODY
    scores = score([tester.metric], batch, None, nothing, tester.convention, **tester.beside)
    assert scores.reasons[tester.name] == (NOBODY,) * 4


@pytest.mark.parametrize("nothing", NONE.values(), ids=NONE)
def test_one_image_of_a_batch_without_fixations(nothing):
    maps = np.stack([MAP, DENSITY])
    for sets in ([POINTS, nothing], (POINTS, nothing)):
        values = nss(maps, sets)
        assert values[0] == nss(MAP, POINTS)
        assert np.isnan(values[1])
        tensor = auc(torch.asarray(maps), sets)
        assert tensor.isnan().tolist() == [False, True]
    assert np.isnan(nss(maps, [nothing, nothing])).all()
    with pytest.raises(OptionError, match="got 3 sets for 2 maps"):
        nss(maps, [nothing, POINTS, nothing])


def test_no_fixations_of_other_images():
    for nothing in NONE.values():
        assert np.isnan(auc_shuffled(MAP, POINTS, nothing))
        reason = undefined_reason("auc_shuffled", MAP, POINTS, others=nothing)
        assert reason == "there are no fixations of other images"
        assert FixationCounts.of(nothing, (34, 66)).counts.sum() == 0
        assert FixatedPixels.of(nothing, (34, 66)).recorded == 0


def test_empty_tables_of_other_columns_are_refused():
    with pytest.raises(OptionError, match=r"shape \(n, 2\), columns x and y; got shape \(0, 3\)"):
        nss(MAP, np.empty((0, 3)))


# pictures in place of points


@pytest.mark.parametrize("kind", [np.uint8, bool, float, np.float32])
def test_a_picture_of_points_gets_advice(tester, batch, kind):
    if tester.compares == "density":
        return
    picture = BINARY.astype(kind)
    for maps, given in ((batch[0], picture), (batch, picture), (batch, [picture] * 4)):
        with pytest.raises(OptionError) as caught:
            tester(maps, given)
        message = str(caught.value)
        assert "This may be a picture of fixations" in message
        assert message.endswith("np.argwhere(picture > picture.max() / 2)[:, ::-1]")
    points = in_points(picture)
    assert sorted(map(tuple, points.tolist())) == [(3, 4), (60, 30), (65, 0)]
    assert tester(batch[0], points) == tester(batch[0], [[3, 4], [60, 30], [65, 0]])


def test_a_picture_in_torch_gets_advice_for_torch():
    picture = torch.asarray(BINARY)
    advice = r"torch\.argwhere\(picture > picture\.max\(\) / 2\)\.flip\(1\)$"
    with pytest.raises(OptionError, match=advice):
        nss(torch.asarray(MAP), picture)
    points = torch.argwhere(picture > picture.max() / 2).flip(1)
    assert points.tolist() == in_points(BINARY).tolist()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_picture_of_several_channels(channels):
    picture = np.repeat(BINARY[..., None], channels, axis=2)
    for maps in (MAP, np.stack([MAP, MAP])):
        with pytest.raises(OptionError, match=r"take one channel of it, picture\[\.\.\., 0\], and"):
            nss(maps, picture)


def test_pictures_where_others_or_counts_are_wanted():
    for call in (
        lambda: auc_shuffled(MAP, POINTS, BINARY),
        lambda: score(["nss"], MAP[None], None, BINARY),
        lambda: undefined_reason("auc", MAP, BINARY),
        lambda: FixationCounts.of(BINARY, (34, 66)),
        lambda: nss(MAP, np.stack([BINARY] * 3)),
        lambda: nss(np.stack([MAP, MAP]), np.stack([BINARY] * 3)),
    ):
        with pytest.raises(OptionError, match=r"a picture of fixations.*np\.argwhere"):
            call()


def test_points_in_two_rows_are_told_to_be_transposed():
    with pytest.raises(OptionError, match=r"got shape \(2, 5\) for a map of .*; transpose it$"):
        nss(MAP, np.ones((2, 5)))
    with pytest.raises(OptionError, match=r"got shape \(5, 3\) for a map of shape \(34, 66\)$"):
        nss(MAP, np.ones((5, 3)))


def test_every_metric_of_points_is_among_these():
    names = {name for name in METRICS.own if "fixations" in METRICS[name].compares.values()}
    assert names == {
        *("nss", "auc", "auc_judd", "auc_borji", "auc_shuffled", "information_gain"),
    }
