"""The torchmetrics modules: means over images, across batches, devices and processes."""

import json
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch
from torchmetrics import MetricCollection

from quickgaze.errors import OptionError, UnknownNameError
from quickgaze.metrics import METRICS, FixationCounts, modules
from quickgaze.metrics.modules import (
    AUC,
    CC,
    EMD,
    KLD,
    MAE,
    NSS,
    SIM,
    AUCBorji,
    AUCShuffled,
    Dice,
    InformationGain,
    IoU,
    SaliencyMetric,
)

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
MODULES = {
    each.name: each
    for each in vars(modules).values()
    if isinstance(each, type) and issubclass(each, SaliencyMetric) and each.name
}
CASES = [(name, each) for name in METRICS.own for each in METRICS[name].conventions]
RNG = np.random.default_rng(6)
MAPS = torch.asarray(RNG.random((7, 34, 40)), dtype=torch.float32)
MAPS[4] = torch.nan
DENSITIES = torch.asarray(RNG.random((7, 34, 40)) - 0.3).clamp(min=0)
FIXATIONS = [torch.asarray(RNG.uniform(0, 33, (n + 2, 2))) for n in range(7)]
OTHERS = torch.asarray(RNG.uniform(0, 33, (90, 2)))
BASELINE = DENSITIES[0] + 0.1


def arguments(name, convention, part):
    metric = METRICS[name]
    density = metric.compares[convention] == "density"
    beside = {"others": OTHERS, "baseline": BASELINE}
    needed = [beside[need] for need in [metric.needs.get(convention)] if need]
    return MAPS[part], (DENSITIES if density else FIXATIONS)[part], *needed


def test_every_metric_has_one():
    assert list(MODULES) == list(METRICS.own)
    for name, module in MODULES.items():
        metric = METRICS[name]
        assert module.higher_is_better is metric.higher_is_better
        assert module.is_differentiable is metric.differentiable
        assert module().metric is metric
        assert module().convention == metric.conventions[0]
    assert (NSS.plot_lower_bound, NSS.plot_upper_bound) == (None, None)
    assert (KLD.plot_lower_bound, KLD.plot_upper_bound) == (0.0, None)
    assert (CC.plot_lower_bound, CC.plot_upper_bound) == (-1.0, 1.0)


@pytest.mark.parametrize(("name", "convention"), CASES)
def test_mean_over_batches(name, convention):
    module = MODULES[name](convention)
    values = METRICS[name].function(*arguments(name, convention, slice(0, 7)), convention)
    for part in (slice(0, 3), slice(3, 4), slice(4, 7)):
        module.update(*arguments(name, convention, part))
    assert (module.scored, module.undefined) == (6, 1)
    assert module.compute().item() == pytest.approx(values.nanmean().item(), rel=1e-12)
    module.reset()
    assert (module.scored, module.undefined) == (0, 0)
    maps, target, *needed = arguments(name, convention, slice(0, 1))
    module.update(maps[0], target[0], *needed)
    assert module.compute().item() == pytest.approx(values[0].item(), rel=1e-12)


def test_nothing_defined_is_nan():
    module = CC()
    module.update(MAPS[4:5], DENSITIES[0])
    assert module.compute().isnan()
    assert (module.scored, module.undefined) == (0, 1)


def test_forward_gives_the_batch_and_keeps_the_total():
    module, maps = NSS(), MAPS[:4].clone().requires_grad_()
    first = module(maps[:2], FIXATIONS[:2])
    second = module(maps[2:], FIXATIONS[2:4])
    expected = METRICS["nss"].function(maps, FIXATIONS[:4])
    assert first.item() == pytest.approx(expected[:2].mean().item())
    assert second.item() == pytest.approx(expected[2:].mean().item())
    assert module.compute().item() == pytest.approx(expected.mean().item())
    (first + second).backward()
    assert (maps.grad.abs().sum(dim=(1, 2)) > 0).all()
    assert not module.compute().requires_grad


def test_training_with_an_undefined_image_in_the_batch():
    module, maps = SIM(), MAPS.clone().requires_grad_()
    module(maps, DENSITIES).backward()
    assert maps.grad.isfinite().all()
    assert maps.grad[4].abs().sum() == 0


def test_update_keeps_no_graph():
    module = CC()
    module.update(MAPS[:2].clone().requires_grad_(), DENSITIES[:2])
    assert not module.compute().requires_grad


def test_collection():
    collection = MetricCollection(
        {
            "cc": CC(),
            "kld": KLD(),
            "kld_mit": KLD("mit"),
            "nss": NSS(),
            "auc": AUC(),
            "sauc": AUCShuffled(),
            "ig": InformationGain(),
        }
    )
    given = {"density": DENSITIES, "fixations": FIXATIONS, "others": OTHERS, "baseline": BASELINE}
    collection.update(maps=MAPS, **given)
    found = collection.compute()
    for key, name, convention in (
        ("cc", "cc", "tuebingen"),
        ("kld", "kld", "tuebingen"),
        ("kld_mit", "kld", "mit"),
        ("sauc", "auc_shuffled", "tuebingen"),
        ("ig", "information_gain", "tuebingen"),
    ):
        values = METRICS[name].function(*arguments(name, convention, slice(0, 7)), convention)
        assert found[key].item() == pytest.approx(values.nanmean().item(), rel=1e-12)
    collection.reset()
    assert collection["cc"].scored == 0


def test_a_collection_tells_metrics_apart_that_begin_alike():
    # the first batch has no score in either, so that all sums are equal
    collection = MetricCollection([IoU(), Dice(), CC(), MAE()])
    collection.update(MAPS[4:5], DENSITIES[4:5])
    collection.update(MAPS[:3], DENSITIES[:3])
    found = collection.compute()
    for name, module in (("iou", "IoU"), ("dice", "Dice"), ("cc", "CC"), ("mae", "MAE")):
        expected = METRICS[name].function(MAPS[:3], DENSITIES[:3]).mean().item()
        assert found[module].item() == pytest.approx(expected, rel=1e-12)


def test_seeds_and_conventions():
    given = MAPS[:2], FIXATIONS[:2]
    values = []
    for module in (AUCBorji(), AUCBorji(seed=1)):
        module.update(*given)
        values.append(module.compute().item())
    expected = [METRICS["auc_borji"].function(*given, seed=seed).mean().item() for seed in (0, 1)]
    assert values == pytest.approx(expected)
    assert values[0] != values[1]
    with pytest.raises(UnknownNameError, match="unknown convention 'tubingen'"):
        CC("tubingen")
    with pytest.raises(OptionError, match="sim is not defined in the convention 'salicon'"):
        SIM("salicon")
    with pytest.raises(OptionError, match="seed must be an integer"):
        AUCBorji(seed=-1)


def test_counts_as_others():
    counts = FixationCounts.of(OTHERS.numpy(), (34, 40))
    module = AUCShuffled()
    module.update(MAPS[:3], FIXATIONS[:3], counts)
    expected = METRICS["auc_shuffled"].function(MAPS[:3], FIXATIONS[:3], OTHERS).mean()
    assert module.compute().item() == expected.item()


@pytest.mark.parametrize("module", [CC(), NSS("mit"), AUCBorji(seed=3)], ids=lambda m: m.name)
def test_pickles_and_clones(module):
    target = DENSITIES if module.name == "cc" else FIXATIONS
    module.update(MAPS, target)
    for copy in (pickle.loads(pickle.dumps(module)), module.clone()):  # noqa: S301 - our own
        assert copy.compute() == module.compute()
        assert (copy.convention, copy.seed) == (module.convention, module.seed)
        copy.update(MAPS[:2], target[:2])
        assert (copy.scored, module.scored) == (8, 6)


@pytest.mark.parametrize("device", DEVICES)
def test_devices(device):
    module = CC().to(device)
    module.update(MAPS.to(device), DENSITIES.to(device))
    assert module.compute().device.type == device
    # a module on the processor takes maps from anywhere
    at_home = CC()
    at_home.update(MAPS.to(device), DENSITIES.to(device))
    assert at_home.compute().device.type == "cpu"
    assert at_home.compute().item() == pytest.approx(module.compute().item(), rel=1e-12)


def test_half_precision_models_keep_exact_sums():
    module = CC().half()
    module.update(MAPS, DENSITIES)
    assert module.compute().dtype == torch.float64


def test_a_missing_package_is_named():
    program = (
        "import sys; sys.modules['torchmetrics'] = None\n"
        "import quickgaze.metrics\n"
        "from quickgaze.errors import OptionError\n"
        "try:\n    import quickgaze.metrics.modules\n"
        "except OptionError as error: print(error)"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip().endswith("pip install 'quickgaze[training]'")


def test_a_missing_library_of_a_metric_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ot", None)
    with pytest.raises(OptionError, match=r"quickgaze\[emd\]"):
        EMD()


PROCESS = """
import json, sys
import torch
import torch.distributed as dist
from quickgaze.metrics.modules import CC, NSS

rank, folder = int(sys.argv[1]), sys.argv[2]
dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
data = torch.load(f"{folder}/data.pt", weights_only=True)
cc, nss = CC(), NSS()
# five images for one process and two for the other
mine = range(5) if rank == 0 else range(5, 7)
for n in mine:
    cc.update(data["maps"][n : n + 1], data["densities"][n : n + 1])
    nss.update(data["maps"][n : n + 1], [data["fixations"][n]])
result = {"cc": cc.compute().item(), "nss": nss.compute().item(), "own": cc.scored}
with cc.sync_context():
    result |= {"scored": cc.scored, "undefined": cc.undefined}
print(json.dumps(result))
dist.destroy_process_group()
"""


@pytest.mark.slow
def test_two_processes_have_the_mean_of_one(tmp_path):
    data = {"maps": MAPS, "densities": DENSITIES, "fixations": FIXATIONS}
    torch.save(data, tmp_path / "data.pt")
    processes = [
        subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", textwrap.dedent(PROCESS), str(rank), str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    found = [json.loads(process.communicate(timeout=120)[0]) for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    # the map with NaN is among those of the first process
    assert [each.pop("own") for each in found] == [4, 2]
    assert found[0] == found[1]
    assert (found[0]["scored"], found[0]["undefined"]) == (6, 1)
    for name, target in (("cc", DENSITIES), ("nss", FIXATIONS)):
        expected = METRICS[name].function(MAPS, target).nanmean().item()
        assert found[0][name] == pytest.approx(expected, rel=1e-12)
