"""Draws the site's pictures when it is built, with quickgaze, from what may be shown.

That is scikit-image's photographs and generated pop-out displays. Each picture is drawn twice, for
light and for dark pages; the pages take the one that fits (``#only-light``, ``#only-dark``).
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from skimage import data

import quickgaze as qg
from quickgaze.backbones import Backbone

INK = {"light": "#1f2430", "dark": "#e6e8ef"}
MODEL, PEOPLE, PLAIN = "#5b8def", "#f2a65a", "#8d93a5"
README = Path(__file__).parents[2] / "README.md"
BOUNDS = {
    "another image's density": "another image's density",
    "centre bias": "centre bias",
    r"\*\*EigenCAM": "EigenCAM",
    "one observer": "one observer",
    "people": "people",
}
TREATMENTS = {
    "as it is": lambda cam, size: _saliency(cam, size, rectify=True),
    "squared": lambda cam, size: _saliency(cam, size) ** 2,
    "lower half cut": lambda cam, size: np.maximum(_saliency(cam, size) - 0.5, 0),
    "negative part kept": lambda cam, size: _saliency(cam, size, rectify=False),
    "sign wrong": lambda cam, size: _saliency(-cam, size),
}

FloatMap = npt.NDArray[np.floating[Any]]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pictures to the site."""
    for name, content in _all().items():
        files.append(File.generated(config, f"pictures/{name}.webp", content=content))
    return files


@cache  # a server draws them once, not with each change of a page
def _all() -> dict[str, bytes]:
    drawings: dict[str, Callable[[], Figure]] = {
        "steps": _steps,
        "grid": _grid,
        "orientation": _orientation,
        "conventions": _conventions,
        "ceilings": _ceilings,
    }
    return {
        f"{name}-{scheme}": _drawn(draw, ink)
        for name, draw in drawings.items()
        for scheme, ink in INK.items()
    }


def _drawn(draw: Callable[[], Figure], ink: str) -> bytes:
    style = dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), ink
    )
    file = io.BytesIO()
    with mpl.rc_context({**style, "font.size": 11, "axes.titlesize": 11}):
        draw().savefig(file, format="webp", dpi=150, transparent=True, pil_kwargs={"quality": 88})
    return file.getvalue()


@cache
def _backbone() -> Backbone:
    return qg.load_backbone("efficientnet_lite0", device="cpu")


@cache
def _mapped(photograph: str, **options: Any) -> Any:
    return qg.SaliencyModel(_backbone(), **options)(getattr(data, photograph)())


@contextmanager
def _panels(rows: int, columns: int, height: float) -> Iterator[tuple[Figure, Any]]:
    figure = Figure(figsize=(10, height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    yield figure, axes
    for ax in axes.flat:
        ax.set_axis_off()


def _steps() -> Figure:
    """Photograph, CAM on its grid, saliency map, overlay."""
    image, result = data.chelsea(), _mapped("chelsea")
    with _panels(1, 4, 1.9) as (figure, axes):
        _show(axes[0, 0], image, "photograph")
        _show_cam(axes[0, 1], result.cam, "CAM: {} x {} cells, signed".format(*result.grid))
        axes[0, 2].imshow(result.map, cmap="inferno")
        axes[0, 2].set_title("saliency map")
        _show(axes[0, 3], result.overlay(image), "overlay")
    return figure


def _grid() -> Figure:
    """Give one photograph on three grids: the signed CAM, and the map without and with blur."""
    image = data.coffee()
    with _panels(3, 3, 7.0) as (figure, axes):
        for column, grid in enumerate(("coarsest", "s16", "finest")):
            sharp, blurred = _mapped("coffee", grid=grid, sigma=0), _mapped("coffee", grid=grid)
            title = "{}: {} x {} cells".format(f'"{grid}"', *sharp.grid)
            _show_cam(axes[0, column], sharp.cam, title)
            _show(axes[1, column], sharp.overlay(image), "map, sigma 0")
            _show(axes[2, column], blurred.overlay(image), "map, sigma 19")
    return figure


def _orientation() -> Figure:
    """Three photographs with the sign that `activation` chose, and with the other one."""
    photographs = ("chelsea", "coffee", "rocket")
    with _panels(3, 3, 6.9) as (figure, axes):
        for column, name in enumerate(photographs):
            image, result = getattr(data, name)(), _mapped(name)
            lapack = _mapped(name, orientation="lapack")
            agrees = bool((lapack.cam * result.cam).sum() > 0)
            signs = ["  (LAPACK's sign)" if same else "" for same in (agrees, not agrees)]
            _show(axes[0, column], image, f"margin {result.orientation_margin:.2f}")
            _show(axes[1, column], result.overlay(image), "activation" + signs[0])
            negative = _saliency(-result.cam, image.shape[:2])
            _show(axes[2, column], _overlay(image, negative), "its negative" + signs[1])
    return figure


def _conventions() -> Figure:
    """Show what small changes of a map do to its scores, and another convention."""
    scores = _scores_by_treatment()
    names = list(TREATMENTS)
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    axes = figure.subplots(1, len(scores), sharey=True)
    for ax, (title, values) in zip(axes, scores.items(), strict=True):
        colours = [MODEL, *[PLAIN] * (len(names) - 2), PEOPLE]
        _bars(ax, names, values, colours)
        ax.set_title(title)
    return figure


def _ceilings() -> Figure:
    """OSIE's bounds and the model between them, from the table in README.md."""
    table = _readme_bounds()
    figure = Figure(figsize=(10, 2.7), layout="constrained")
    axes = figure.subplots(1, 3, sharey=True)
    for column, (ax, name) in enumerate(zip(axes, ("cc", "nss", "auc"), strict=True)):
        colours = [PLAIN, PLAIN, MODEL, PEOPLE, PEOPLE]
        _bars(ax, list(BOUNDS.values()), [row[column] for row in table], colours)
        ax.set_title(name)
    return figure


def _bars(ax: Any, names: Sequence[str], values: Sequence[float], colours: Sequence[str]) -> None:
    bars = ax.barh(names, values, color=colours)
    ax.bar_label(bars, [f"{value:.2f}" for value in values], padding=3)
    ax.invert_yaxis()
    ax.margins(x=0.55 if min(values) < 0 else 0.25)
    ax.axvline(0, color=mpl.rcParams["text.color"], linewidth=0.8)
    ax.spines[:].set_visible(False)
    ax.set_xticks([])
    ax.tick_params(length=0, pad=8)


@cache
def _scores_by_treatment() -> dict[str, list[float]]:
    """Mean scores over pop-out displays, by metric and then by treatment of the map."""
    displays = qg.load_dataset("popout", n=12, size=(240, 320))
    model = qg.SaliencyModel(_backbone())
    metrics = {
        "cc ↑": lambda made, shown: qg.metrics.cc(made, shown.density(19)),
        "kld ↓": lambda made, shown: qg.metrics.kld(made, shown.density(19)),
        "nss ↑": lambda made, shown: qg.metrics.nss(made, shown.fixations.points),
        "nss in cap6415 ↑": lambda made, shown: qg.metrics.nss(made, shown.density(19), "cap6415"),
        "auc ↑": lambda made, shown: qg.metrics.auc(made, shown.fixations.points),
    }
    found: dict[str, list[list[float]]] = {name: [[] for _ in TREATMENTS] for name in metrics}
    for shown in displays:
        cam = model(shown.image()).cam
        for number, treat in enumerate(TREATMENTS.values()):
            made = treat(cam, shown.size)
            for name, score in metrics.items():
                found[name][number].append(float(score(made, shown)))
    return {name: [float(np.mean(each)) for each in rows] for name, rows in found.items()}


def _readme_bounds() -> list[list[float]]:
    """Read cc, nss and auc of the bounds on OSIE from the README's table."""
    text = README.read_text(encoding="utf-8")
    rows = []
    for start in BOUNDS:
        found = re.search(rf"^\| {start}[^|]*\|(.*)\|$", text, re.MULTILINE)
        if found is None:
            raise PluginError(f"README.md has no row of a table that begins with {start!r}")
        rows.append([float(cell.split("±")[0].strip(" *")) for cell in found[1].split("|")])
    return rows


def _saliency(cam: FloatMap, size: tuple[int, int], *, rectify: bool = True) -> FloatMap:
    import torch  # noqa: PLC0415 - slow to import

    from quickgaze.saliency import saliency_maps  # noqa: PLC0415

    return saliency_maps(torch.from_numpy(cam)[None], size, rectify=rectify)[0].numpy()


def _overlay(image: npt.NDArray[np.uint8], map: FloatMap) -> Any:  # noqa: A002
    from quickgaze.saliency import overlay  # noqa: PLC0415

    return overlay(image, map)


def _show(ax: Any, image: Any, title: str) -> None:
    ax.imshow(image)
    ax.set_title(title)


def _show_cam(ax: Any, cam: FloatMap, title: str) -> None:
    extent = np.abs(cam).max()
    ax.imshow(cam, cmap="RdBu_r", vmin=-extent, vmax=extent, interpolation="nearest")
    ax.set_title(title)
