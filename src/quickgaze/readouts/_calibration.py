"""Maps of a stored run, calibrated out of fold: made densities that are held to gaze fairly."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from quickgaze.catalogue import check_known
from quickgaze.errors import OptionError, StimulusError
from quickgaze.places import PathLike
from quickgaze.readouts._calibrated_run import (
    Fit,
    calibrated_plan,
    fold_table,
    made_maps,
)
from quickgaze.readouts._calibrated_scores import calibrated_scores, mean_scores
from quickgaze.readouts._canvas import CanvasGaze, VariantMaps, read_gaze
from quickgaze.readouts._choosing import chosen_maps, stimuli_of
from quickgaze.readouts._folding import fit_fold, parts_of
from quickgaze.readouts._folds import Positions, groups_of
from quickgaze.resampling import bilinear_matrix
from quickgaze.stimuli import Dataset
from quickgaze.study import Run, progress_bar
from quickgaze.study.keeping import keep_maps
from quickgaze.study.variants import CALIBRATED, CAM


@dataclass(frozen=True, eq=False)
class Calibration:
    """What `calibrate` found.

    Parameters
    ----------
    scores : polars.DataFrame
        What `calibrated_scores` gives: those of each stimulus before and after.
    summary : polars.DataFrame
        A row per map and metric: its keys, ``metric``, means ``own`` and ``calibrated`` over the
        ``images`` for which both are defined; ``people``, the mean of the ceiling that stands for
        people, null where the run has none; and, for ``information_gain`` (in bits per fixation
        over the centre bias), ``explained_own`` and ``explained``, as shares of that of people.
    folds : polars.DataFrame
        A row per map and fold: its keys, ``fold``, ``used`` (``"calibrated"``; ``"own"`` or
        ``"centre bias"`` where an inner part of the training images preferred these), ``blur`` (in
        shares of the longer side of an image), ``centre_weight``, ``knots`` and ``rises`` (of the
        log density between knots), ``fitted`` and ``tested`` (numbers of images).
    maps : polars.DataFrame
        The calibrated densities, as `Run.maps` gives maps.
    left_out : mapping of str to str
        Stimuli without a calibrated map, and why.
    run : Run or None
        The run that was written, if a folder was given; `quickgaze.findings.calibrated` adds
        intervals to its means.

    Examples
    --------
    >>> import tempfile, quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=6, size=(120, 160))
    >>> study = qg.Study(displays, cams=["center"], sigmas=[0], metrics=["kld"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = calibrate(study.run(folder, progress=False), displays, progress=False)
    >>> found.summary["metric"].to_list(), found.folds.height
    (['kld', 'information_gain'], 6)
    """

    scores: pl.DataFrame
    summary: pl.DataFrame
    folds: pl.DataFrame
    maps: pl.DataFrame
    left_out: Mapping[str, str]
    run: Run | None

    def _repr_html_(self) -> str:
        return self.summary._repr_html_()

    def density(self, stimulus: str, **keys: str | int) -> npt.NDArray[np.float64]:
        """Calibrated density of one stimulus, out of fold.

        Parameters
        ----------
        stimulus : str
            Its id.
        **keys
            ``backbone``, ``cam``, ``grid`` or ``component`` of the map, where there are several.

        Returns
        -------
        ndarray, shape (H, W), float64
            Of the image's size; its sum is 1.

        Raises
        ------
        StimulusError
            If there is none, with the reason.
        OptionError
            If there are several.
        """
        wanted = dict(keys)
        if "cam" in wanted:
            wanted["cam"] = str(wanted["cam"]).removesuffix(CALIBRATED) + CALIBRATED
        for key in wanted:
            check_known("key of a map", key, CAM)
        rows = self.maps.filter(pl.col("stimulus") == stimulus, **wanted)
        if rows.is_empty() or np.isnan(rows["projection"][0][0]):
            why = self.left_out.get(stimulus, "the run has no such map or stimulus")
            raise StimulusError(f"{stimulus!r} has no calibrated map: {why}")
        if rows.height > 1:
            raise OptionError(
                f"{rows.height} calibrated maps of {stimulus!r} fit; choose one of: "
                f"{'; '.join(str(row) for row in self.maps.select(CAM).unique().rows())}"
            )
        row = rows.row(0, named=True)
        plane = np.reshape(row["projection"], (row["height"], row["width"])).astype(np.float64)
        sides = zip((row["image_height"], row["image_width"]), plane.shape, strict=True)
        down, across = (bilinear_matrix(pixels, cells) for pixels, cells in sides)
        density: npt.NDArray[np.float64] = down @ plane @ across.T
        density /= density.sum()
        return density


def calibrate(
    run: Run,
    dataset: Dataset,
    *,
    variant: Mapping[str, str | float | Sequence[str]] | None = None,
    folds: int = 10,
    seed: int = 0,
    out: PathLike | None = None,
    progress: bool = True,
) -> Calibration:
    """Turn the maps of a stored run into densities, out of fold and without a forward pass.

    A blur, a monotone piecewise linear function from map to log density and a weight of the log of
    the centre bias are fitted by the likelihood of gaze [1]_, on images of other folds. So a map is
    no longer judged by its scale or its lack of a centre bias, which information gain, KLD and SIM
    punish, but by what it says of the image [2]_.

    Parameters
    ----------
    run : Run
        With maps. Those of other models that a study was given are not kept in it.
    dataset : Dataset
        What the run was computed on, for its gaze; it may hold more.
    variant : mapping, optional
        Keys of the maps that are calibrated, and their value or values: ``{"cam": "deviation"}``.
        By default all, of signed ones the run's first orientation that the features decide, or
        ``"activation"`` if it is among them; compared at the blur of 19 pixels if the run has it,
        else its first.
    folds : int
        Parts that the images, or their scenes where a data set names these, are split into; no
        more than there are.
    seed : int
        Of the split, and of the images that are drawn for a fit.
    out : path, optional
        Folder of a run to write: an ordinary one, with the maps as they were and, under the name
        of their CAM with ``_calibrated``, the densities.
    progress : bool
        Whether to show progress bars.

    Returns
    -------
    Calibration

    Raises
    ------
    OptionError
        If no map is chosen, the run has kept none, or fewer than two images have map and gaze.
    UnknownNameError
        If a key or its value is not one of the run.
    RunError
        If `out` holds something else.

    Notes
    -----
    Centre bias and the map itself are among what can be chosen: the images that a fold is fitted
    on, each held out once, decide between them and the fit, so that out of fold a calibrated map is
    not below either, up to the chance of that choice. At most 150 images a fold are fitted on,
    while its centre bias is that of all. What is fitted is concave: there is one solution.

    References
    ----------
    .. [1] M. Kümmerer, T. S. A. Wallis, M. Bethge, "Information-theoretic model comparison unifies
       saliency metrics", PNAS 112(52), 2015.
    .. [2] M. Kümmerer, T. S. A. Wallis, M. Bethge, "Saliency benchmarking made easy: separating
       models, maps and metrics", ECCV 2018.

    Examples
    --------
    >>> import tempfile, quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=6, size=(120, 160))
    >>> study = qg.Study(displays, cams=["center"], sigmas=[0], metrics=["kld"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = study.run(folder, progress=False)
    ...     found = calibrate(run, displays, folds=3, progress=False)
    >>> found.density(displays[0].id).sum().round(6)
    np.float64(1.0)
    """
    if folds < 2:
        raise OptionError(f"folds is {folds}; give at least 2")
    chosen = chosen_maps(run, variant or {})
    stimuli = stimuli_of(run, dataset)
    places = {stimulus.id: place for place, stimulus in enumerate(stimuli)}
    table, rectify = run.maps(), run.plan.settings.rectify
    maps = [VariantMaps.of(each, table, places, rectify) for each in chosen]
    gaze = read_gaze(stimuli, progress)
    fits = _fits(maps, gaze, groups_of(stimuli), folds, seed, progress)
    scored = replace(dataset, stimuli=stimuli)
    plan = calibrated_plan(run, scored, fits, f"{folds} folds, seed {seed}")
    made = made_maps(run, plan, fits, places)
    if out is not None:
        kept = keep_maps(plan, scored, made, out, progress=progress)
        return _calibration(kept, fits, kept)
    with tempfile.TemporaryDirectory() as folder:
        kept = keep_maps(plan, scored, made, folder, progress=progress)
        return _calibration(kept, fits, None)


def _fits(
    maps: Sequence[VariantMaps],
    gaze: CanvasGaze,
    groups: Positions,
    folds: int,
    seed: int,
    progress: bool,
) -> list[Fit]:
    """Fit the maps of each variant, each fold on the images of the others."""
    fits = []
    with progress_bar(progress) as bar:
        task = bar.add_task("calibration", total=len(maps) * folds)
        for each in maps:
            places = np.array(sorted(each.grids), dtype=np.int64)
            usable = places[gaze.there[places]]
            count = len(np.unique(groups[usable]))
            if count < 2:
                raise OptionError(
                    f"{len(usable)} images of the run have a map of {each.variant.cam!r} and gaze; "
                    "a calibration needs at least 2, of different scenes, to fit on one and test "
                    "on another"
                )
            parts = parts_of(places, groups, min(folds, count), seed)
            models = []
            for fold in range(min(folds, count)):
                learnt = places[(parts != fold) & gaze.there[places]]
                models.append(fit_fold(each, gaze, learnt, groups, seed))
                bar.advance(task)
            fits.append(Fit(each, dict(zip(places.tolist(), parts.tolist(), strict=True)), models))
    return fits


def _calibration(run: Run, fits: Sequence[Fit], kept: Run | None) -> Calibration:
    scores = calibrated_scores(run)
    maps = run.maps().filter(pl.col("cam").str.ends_with(CALIBRATED))
    reasons = dict(run.failures().select("stimulus", "message").rows())
    for row in maps.iter_rows(named=True):
        if np.isnan(row["projection"][0]):
            reasons[row["stimulus"]] = f"its map of {row['cam'].removesuffix(CALIBRATED)} is NaN"
    return Calibration(scores, mean_scores(scores), fold_table(fits), maps, reasons, kept)
