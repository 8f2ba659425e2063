"""Every metric and convention against its reference: per image, batched, NumPy and torch."""

import numpy as np
import pytest
import torch

from quickgaze.metrics import METRICS
from quickgaze.metrics import _prepared as prepared

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def test_one_map(tester, any_map):
    for seed in range(3):
        tester.assert_matches(any_map, tester.target(seed))


@pytest.mark.parametrize("part", [1000, 2243])
def test_maps_of_several_parts(tester, any_map, part, monkeypatch):
    monkeypatch.setattr(prepared, "PART", part)
    tester.assert_matches(any_map, tester.target(0))


def test_batch_with_one_target(tester, batch):
    target = tester.target(0)
    values = tester(batch, target)
    assert isinstance(values, np.ndarray)
    assert (values.shape, values.dtype) == ((4,), np.float64)
    assert values == tester.close([tester.reference(map_, target) for map_ in batch])


def test_batch_with_one_target_each(tester, batch):
    targets = [tester.target(seed) for seed in range(4)]
    given = np.stack(targets) if tester.compares == "density" else targets
    expected = [tester.reference(*pair) for pair in zip(batch, targets, strict=True)]
    assert len(set(expected)) == 4
    assert tester(batch, given) == tester.close(expected)


def test_scores_do_not_depend_on_the_batch(tester, batch):
    target = tester.target(0)
    assert list(tester(batch, target)) == [tester(map_, target) for map_ in batch]


def test_one_numpy_map_gives_a_float(tester, batch):
    assert type(tester(batch[0], tester.target(0))) is float


def test_nested_lists(tester, batch):
    target = tester.target(0)
    assert tester(batch[0].tolist(), target.tolist()) == tester(batch[0], target)
    assert tester(batch.tolist(), target.tolist()) == tester.close(tester(batch, target))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_torch(tester, batch, dtype, device):
    maps = torch.asarray(batch, dtype=dtype, device=device)
    target = torch.asarray(tester.target(0), device=device)
    expected = [tester.reference(map_.cpu(), target.cpu()) for map_ in maps]
    values = tester(maps, target)
    assert (values.dtype, values.device, values.shape) == (torch.float64, maps.device, (4,))
    assert values.tolist() == tester.close(expected)
    single = tester(maps[1], target)
    assert (single.dtype, single.device, single.shape) == (torch.float64, maps.device, ())
    assert single.item() == tester.close(expected[1])


@pytest.mark.parametrize("device", DEVICES)
def test_torch_with_one_target_each(tester, batch, device):
    targets = [torch.asarray(tester.target(seed), device=device) for seed in range(4)]
    given = torch.stack(targets) if tester.compares == "density" else targets
    expected = [tester.reference(m, t.cpu()) for m, t in zip(batch, targets, strict=True)]
    assert tester(torch.asarray(batch, device=device), given).tolist() == tester.close(expected)


@pytest.mark.parametrize("device", DEVICES)
def test_torch_maps_with_a_numpy_target(tester, batch, device):
    target = tester.target(0)[::-1]
    target.setflags(write=False)
    values = tester(torch.asarray(batch, device=device), target)
    assert values.device.type == device
    assert values.tolist() == tester.close(list(tester(batch, target)))


def test_numpy_maps_with_a_torch_target(tester, batch):
    target = tester.target(0)
    values = tester(batch, torch.asarray(target))
    assert isinstance(values, np.ndarray)
    assert list(values) == list(tester(batch, target))


def test_torch_maps_that_require_a_gradient(tester, batch):
    maps = torch.asarray(batch).requires_grad_()
    values = tester(maps, tester.target(0)).detach()
    assert values.tolist() == tester.close(list(tester(batch, tester.target(0))))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.bool, torch.int32, torch.bfloat16])
def test_other_torch_dtypes(tester, dtype):
    map_ = torch.asarray(np.random.default_rng(0).integers(0, 2, (34, 66))).to(dtype)
    expected = tester.reference(map_.to(torch.float64), tester.target(1))
    assert tester(map_, tester.target(1)).item() == tester.close(expected)


def test_fixations_as_an_array_of_sets(batch):
    sets = np.random.default_rng(0).uniform(0, 11, (4, 5, 2))
    for name in ("nss", "auc"):
        function = METRICS[name].function
        assert list(function(batch, sets)) == list(function(batch, list(sets)))


def test_empty_batch(tester):
    target = tester.target(0)
    values = tester(np.empty((0, 34, 66)), target)
    assert (values.shape, values.dtype) == ((0,), np.float64)
    values = tester(torch.empty((0, 34, 66)), target)
    assert (values.shape, values.dtype) == ((0,), torch.float64)


def test_inputs_stay_as_they_are(tester, batch):
    target = tester.target(0)
    kept = batch.copy(), target.copy()
    batch.setflags(write=False)
    target.setflags(write=False)
    tester(batch, target)
    np.testing.assert_array_equal(batch, kept[0])
    np.testing.assert_array_equal(target, kept[1])


def test_memory_layout_does_not_matter(tester, batch):
    target = tester.target(0)
    strided = np.asfortranarray(np.repeat(batch, 2, axis=2))[:, :, ::2]
    assert list(tester(strided, target)) == list(tester(batch, target))
    upside_down = np.ascontiguousarray(batch[:, ::-1])[:, ::-1]
    assert list(tester(upside_down, target)) == list(tester(batch, target))
