"""A study's notebook beside quickgaze: the same images, the same geometry, the same maps.

    python benchmarks/notebook.py [--images N] [FOLDER]

The notebook built a detector anew for each image, ran the whole of it, took the grad-cam library's
EigenCAM over its feature pyramid, and scored the raw and the smoothed map with NumPy and
scikit-learn. It is rebuilt here from those libraries. FOLDER holds images (JPEG or PNG); without
one, photographs that come with scikit-image are used, brought to 480 x 640. The human maps are
drawn by chance, the detector's weights too, unless torchvision's own are in its cache; neither
changes how long anything takes by much.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import PIL.Image
import skimage.data
import torch
from pytorch_grad_cam import EigenCAM
from pytorch_grad_cam.utils.reshape_transforms import fasterrcnn_reshape_transform
from scipy import ndimage, stats
from sklearn.metrics import roc_auc_score
from timing import machine
from torchvision.models.detection import fasterrcnn_resnet50_fpn

import quickgaze as qg
from quickgaze.backbones import keep_freed_memory
from quickgaze.study.stored import stored_saliency

PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "rocket")
SMALL = 1e-8


def write_stimuli(folder: Path, given: Path | None, count: int) -> None:
    """Write images and human maps as `qg.load_dataset("folder")` reads them."""
    for name in ("images", "maps"):
        (folder / name).mkdir()
    if given is None:
        shown = [getattr(skimage.data, PHOTOGRAPHS[n % len(PHOTOGRAPHS)])() for n in range(count)]
        images = [PIL.Image.fromarray(image).resize((640, 480)) for image in shown]
    else:
        paths = sorted(p for p in given.rglob("*") if p.suffix.lower() in (".jpg", ".png"))
        images = [PIL.Image.open(path).convert("RGB") for path in paths[:count]]
    for number, image in enumerate(images):
        image.save(folder / "images" / f"{number:03}.png")
        rng = np.random.default_rng(number)
        points = np.zeros((image.height, image.width))
        for row, column in rng.normal(0.5, 0.15, (60, 2)).clip(0, 0.999):
            points[int(row * image.height), int(column * image.width)] += 1
        density = ndimage.gaussian_filter(points, 19)
        density *= 255 / density.max()
        PIL.Image.fromarray(density.astype(np.uint8)).save(folder / "maps" / f"{number:03}.png")


def scaled(values: np.ndarray) -> np.ndarray:
    """Bring a map to [0, 1]."""
    return (values - values.min()) / (values.max() - values.min() + SMALL)


def notebook_scores(found: np.ndarray, human: np.ndarray) -> dict[str, float]:
    """Score a map as the notebook did."""
    found, human = scaled(found), scaled(human)
    either = (found > 1e-4) | (human > 1e-4)
    p, g = (np.maximum(each / (each.sum() + SMALL), SMALL) for each in (found, human))
    positive = human > 0
    standard = (found - found.mean()) / (found.std() + SMALL)
    return {
        "cc": stats.pearsonr(found.ravel(), human.ravel())[0],
        "cc_union": stats.pearsonr(found[either], human[either])[0],
        "kld": float((g * np.log(g / p)).sum()),
        "mae": float(np.abs(found - human).mean()),
        "mse": float(np.square(found - human).mean()),
        "nss": float(standard[positive].mean()),
        "auc": float(roc_auc_score(positive.ravel(), found.ravel())),
    }


def notebook(image: Path, human: Path, weights: Path) -> np.ndarray:
    """All that the notebook did for one image; gives the raw map."""
    detector = fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None)
    detector.load_state_dict(torch.load(weights, weights_only=True))
    detector.eval()
    pixels = np.asarray(PIL.Image.open(image).convert("RGB"), np.float32) / 255
    tensor = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    cam = EigenCAM(detector, [detector.backbone], reshape_transform=fasterrcnn_reshape_transform)
    # EigenCAM has no target, and reads nothing of what the heads find.
    raw = cam(tensor, targets=[lambda _: torch.zeros(())])[0]
    density = np.asarray(PIL.Image.open(human), np.float32) / 255
    for each in (raw, scaled(ndimage.gaussian_filter(raw, 19))):
        notebook_scores(each, density)
    return raw


def study(
    dataset: qg.stimuli.Dataset, weights: Path, precision: str, **options: object
) -> qg.Study:
    """Prepare the same in quickgaze."""
    settings = {
        "grids": ["pool"],
        "geometry": "detector-padded",
        "orientations": ["lapack"],
        "sigmas": [0, 19],
        "convention": "cap6415",
        "bounds": [],
        "device": "cpu",
        **options,
    }
    backbone = qg.load_backbone(
        "fasterrcnn_resnet50_fpn",
        weights,
        "cpu",
        precision,
        geometry=str(settings.pop("geometry")),
    )
    return qg.Study(dataset, [backbone], **settings)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--images", type=int, default=8)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    print(machine() + "\n")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_stimuli(folder, given.folder, given.images)
        dataset = qg.load_dataset("folder", folder)
        weights = folder / "weights.pth"
        with torch.random.fork_rng():
            torch.manual_seed(0)
            whole = fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None)
        torch.save(whole.state_dict(), weights)
        variants = {
            "fp32, LAPACK's sign": ("fp32", {}),
            "fp32, the default sign": ("fp32", {"orientations": ["activation"]}),
            "bf16, the default sign": ("bf16", {"orientations": ["activation"]}),
            "fp32, native resolution": (
                "fp32",
                {"orientations": ["activation"], "geometry": "native"},
            ),
            "bf16, native resolution": (
                "bf16",
                {"orientations": ["activation"], "geometry": "native"},
            ),
        }
        compare(folder, dataset, weights, variants)


def compare(
    folder: Path, dataset: qg.stimuli.Dataset, weights: Path, variants: dict[str, tuple]
) -> None:
    """Let the notebook and each variant take turns, image by image and run by run.

    The notebook runs twice: as it did, and with the memory settings of quickgaze's command line.
    """
    images = sorted((folder / "images").iterdir())
    humans = [folder / "maps" / image.name for image in images]
    raw, as_it_was, with_memory = [], [], []
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    runs: dict[str, qg.study.Run] = {}
    notebook(images[0], humans[0], weights)
    for image, human in zip(images, humans, strict=True):
        start = time.perf_counter()
        raw.append(notebook(image, human, weights))
        as_it_was.append(time.perf_counter() - start)
    keep_freed_memory()
    turns = np.array_split(np.arange(len(images)), 2)
    for turn, places in enumerate(turns):
        for place in places:
            start = time.perf_counter()
            notebook(images[place], humans[place], weights)
            with_memory.append(time.perf_counter() - start)
        for name, (precision, options) in variants.items():
            start = time.perf_counter()
            made = study(dataset, weights, precision, **options)
            runs[name] = made.run(folder / f"{turn}-{name}", progress=False)
            seconds[name].append((time.perf_counter() - start) / len(images))
    base, kept = (statistics.median(seconds) for seconds in (as_it_was, with_memory))
    print(
        f"the notebook: {base:.2f} s an image (median of {len(images)}); "
        f"{kept:.2f} s where freed memory is kept, as quickgaze's command line does\n"
    )
    print("| quickgaze, model loaded too | times as fast | memory kept for both | correlation |")
    print("| --- | --- | --- | --- |")
    for name, run in runs.items():
        signed = "LAPACK" in name
        lowest = lowest_correlation(run, raw, signed) if "native" not in name else None
        shown = (
            "other maps" if lowest is None else f"{lowest:.6f}" + ("" if signed else " (absolute)")
        )
        own = statistics.median(seconds[name])
        print(f"| {name} | {base / own:.1f} | {kept / own:.1f} | {shown} |")


def lowest_correlation(run: qg.study.Run, raw: list[np.ndarray], signed: bool) -> float:
    """Lowest correlation of a run's raw maps with the notebook's; of either sign unless signed."""
    rows = run.maps().sort("stimulus").to_dicts()
    found = []
    for row, expected in zip(rows, raw, strict=True):
        rule = "lapack" if signed else "activation"
        own = stored_saliency(row, rule, 0.0)
        if signed:
            found.append(np.corrcoef(own.ravel(), expected.ravel())[0, 1])
        else:
            flipped = stored_saliency(
                {**row, f"evidence_{rule}": -row[f"evidence_{rule}"]}, rule, 0.0
            )
            found.append(
                max(np.corrcoef(each.ravel(), expected.ravel())[0, 1] for each in (own, flipped))
            )
    return min(found)


if __name__ == "__main__":
    main()
