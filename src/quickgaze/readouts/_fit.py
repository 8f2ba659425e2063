"""`fit_readout`: from a data set and a backbone to a readout, tested out of fold."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from quickgaze.backbones import Backbone, check_grid, load_backbone, plain_torch
from quickgaze.cams import Readout
from quickgaze.catalogue import unknown_name
from quickgaze.errors import OptionError, RunError
from quickgaze.options import FitOptions, check, documented
from quickgaze.places import readable
from quickgaze.readouts._card import make_card
from quickgaze.readouts._features import Features
from quickgaze.readouts._folds import groups_of, split
from quickgaze.readouts._out_of_fold import fit_folds, predict, score_predicted
from quickgaze.readouts._reading import read_all
from quickgaze.stimuli import Dataset

RUN = "run"
"""Folder of the run that a fit writes beside its readout."""

SPACE = 4 * 2**30
"""Bytes of disk that features may take."""


@documented(FitOptions)
def fit_readout(
    dataset: Dataset,
    backbone: str | Backbone = "efficientnet_lite0",
    *,
    levels: Sequence[str] | None = None,
    grid: str = FitOptions.grid,
    hidden: int = FitOptions.hidden,
    folds: int = FitOptions.folds,
    seed: int = FitOptions.seed,
    shuffle: bool = FitOptions.shuffle,
    licence: str = FitOptions.licence,
    weights: str | Path = FitOptions.weights,
    device: str = FitOptions.device,
    precision: str = FitOptions.precision,
    geometry: str = FitOptions.geometry,
    out: str | Path | None = None,
    space: int = SPACE,
    progress: bool = True,
) -> Readout:
    """Fit a readout of a network's features to gaze: what they know of where people look.

    Parameters
    ----------
    dataset : Dataset
        Images with fixations or, where there are none, with densities. Images of the same
        ``scene``, an attribute of the stimuli, are never split.
    {options}
    out : path or str, optional
        A new folder for ``readout.safetensors`` and ``run``: an ordinary run folder whose maps,
        of the cam ``readout``, were each made by a readout fitted without the image.
    space : int
        Bytes of disk that features may take while it is fitted. What does not fit is computed
        again each time.
    progress : bool
        Whether to show progress bars, with the likelihood in bits, on standard error.

    Returns
    -------
    Readout
        Fitted to all images. The ``scores`` of its card are out of fold: ``information_gain``
        over the centre bias of the other images, in bits a fixation on the grid, and means of
        the run: ``cc``, ``nss``, ``auc``.

    Raises
    ------
    UnknownNameError
        If there is no such backbone, level or grid.
    OptionError
        If there are more folds than images with gaze.
    DatasetError
        If no image can be fitted to.
    RunError
        If `out` holds something already.

    Warns
    -----
    LeftOutWarning
        If some images cannot be read, or have no gaze.

    Notes
    -----
    Each readout is a mixture of standardised channels through hidden units, a blur and a weight
    of the centre bias, fitted by maximum likelihood to the fixations with Adam, as in [1]_; every
    image weighs the same. Fixations are blurred by three quarters of the data set's own blur
    first, because maps are compared with blurred ones; the information gain is over the fixations
    themselves. A tenth of a readout's images is held out: the weight decay, and the pass after
    which it stops, are those that predict this tenth best; where none predicts it better than the
    centre bias, it is the centre bias. The final one is fitted to all images,
    with what was best over the folds. `weights`, `device`, `precision` and `geometry` are for a
    backbone that is given by name.

    References
    ----------
    .. [1] M. Kümmerer, T. S. A. Wallis, M. Bethge, "DeepGaze II: Reading fixations from deep
       features trained on object recognition", arXiv:1610.01563, 2016.

    Examples
    --------
    >>> import quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=6, size=(120, 160))
    >>> readout = qg.fit_readout(displays, levels=["s8"], hidden=0, folds=2, progress=False)
    >>> readout.card.images, sorted(readout.card.scores)
    (6, ['auc', 'cc', 'information_gain', 'nss'])
    """
    given = FitOptions(
        backbone,
        levels=levels,
        grid=grid,
        hidden=hidden,
        folds=folds,
        seed=seed,
        shuffle=shuffle,
        licence=licence,
        weights=weights,
        device=device,
        precision=precision,
        geometry=geometry,
    )
    _check(given)
    folder = None if out is None else _new_folder(Path(out))
    network = (
        backbone
        if isinstance(backbone, Backbone)
        else load_backbone(backbone, weights, device, precision, geometry=geometry)
    )
    names = _level_names(network, levels)
    check_grid(grid, names)
    with tempfile.TemporaryDirectory() as scratch, plain_torch():
        place = Path(scratch)
        with closing(Features(network, names, grid, place / "features", space)) as features:
            reading = read_all(dataset, features, network.device, shuffle, seed, progress)
            parts = split(groups_of(reading.stimuli), folds, seed, dataset.name)
            found = fit_folds(reading, parts, given, progress)
            predicted = predict(found, reading, parts) if folds else None
        card = make_card(dataset, network, names, given, reading, found)
        readout = found.readout(card)
        if predicted is not None:
            run = (folder or place) / RUN
            scores = score_predicted(predicted, readout, dataset, network, given, run, progress)
            readout = replace(readout, card=replace(card, scores=scores))
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        readout.save(folder)
    return readout


def _check(given: FitOptions) -> None:
    check(given)
    if given.folds == 1:
        raise OptionError(
            "folds is 1, which leaves no image to fit to; give at least 2, or 0 to fit the final "
            "readout alone"
        )


def _new_folder(folder: Path) -> Path:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunError(
            f"{readable(folder)} holds something already; name a new folder for the readout and "
            "its run"
        )
    return folder


def _level_names(backbone: Backbone, wanted: Sequence[str] | None) -> tuple[str, ...]:
    """Names of the levels to use, from fine to coarse."""
    specs = backbone.spec.levels
    known = {f"s{level.stride}": level.name for level in reversed(specs)}
    known |= {level.name: level.name for level in specs}
    if wanted is None:
        return backbone.level_names
    if not wanted:
        raise OptionError("levels is empty; name at least one, or leave it out for all")
    for name in wanted:
        if name not in known:
            raise unknown_name(f"level of {backbone.name}", name, backbone.level_names)
    chosen = {known[name] for name in wanted}
    return tuple(name for name in backbone.level_names if name in chosen)
