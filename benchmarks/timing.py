"""What the benchmarks share: taking turns, medians, the machine in words, things to measure on."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import PIL.Image
import torch

import quickgaze as qg

OBSERVERS = 15
FIXATIONS = 300


def in_turns(
    calls: Mapping[str, Callable[[], object]], repeats: int, warm: bool = True
) -> dict[str, float]:
    """Median seconds of each call; they take turns, so that all meet the same machine."""
    if warm:
        for call in calls.values():
            call()
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def machine() -> str:
    """Describe what the figures were taken on."""
    model = platform.processor() or platform.machine()
    flags: set[str] = set()
    if (info := Path("/proc/cpuinfo")).is_file():
        lines = [line.partition(":") for line in info.read_text().splitlines()]
        facts = {name.strip(): value.strip() for name, _, value in lines}
        model = facts.get("model name", model)
        flags = set(facts.get("flags", "").split())
    has = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in flags]
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return (
        f"{model}, {os.cpu_count()} cores ({', '.join(has) or 'no vector extensions known'}), "
        f"{gpu}; Python {platform.python_version()}, PyTorch {torch.__version__} with "
        f"{torch.get_num_threads()} threads"
    )


def peak_megabytes() -> float:
    """Largest memory that this process has had, as far as the system tells."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def resident_megabytes() -> float:
    """Memory that this process has now."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


class Gaze:
    """Fixations of several observers, drawn by chance."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def read(self, size: tuple[int, int]) -> qg.stimuli.Fixations:
        """Draw them."""
        rng = np.random.default_rng(self.seed)
        points = rng.normal([size[1] / 2, size[0] / 2], min(size) / 5, (FIXATIONS, 2))
        observers = np.arange(FIXATIONS) % OBSERVERS
        return qg.stimuli.Fixations.inside(points[:, 0], points[:, 1], observers.astype(str), size)

    def fingerprint(self) -> str:
        """Tell one from another."""
        return str(self.seed)


def photographs(folder: Path, count: int, size: tuple[int, int] = (480, 640)) -> qg.stimuli.Dataset:
    """Write displays as JPEG files of `size` (height, width), each with the gaze of several."""
    images = folder / "images"
    images.mkdir(parents=True)
    for stimulus in qg.load_dataset("popout", n=count):
        image = PIL.Image.fromarray(stimulus.image()).resize(size[::-1])
        image.save(images / f"{stimulus.id}.jpg", quality=90)
    stimuli = tuple(
        qg.stimuli.Stimulus(stimulus.id, stimulus.source, Gaze(seed))
        for seed, stimulus in enumerate(qg.load_dataset("folder", folder))
    )
    return qg.stimuli.Dataset("photographs", stimuli, "generated")
