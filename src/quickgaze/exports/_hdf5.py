"""Saliency maps in one HDF5 file, as pysaliency reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from quickgaze.errors import OptionError, require
from quickgaze.exports._maps import Exported, VariantMaps, choose_variant
from quickgaze.exports.targets import written_file
from quickgaze.places import PathLike
from quickgaze.saliency import FloatMap
from quickgaze.stimuli.files import IMAGE_SUFFIXES
from quickgaze.study import MapVariant, Run

_SUFFIXES: Mapping[str, str] = {"salicon": ".jpg", "osie": ".jpg"}  # of the published images


def export_hdf5(
    run: Run,
    out: PathLike,
    variant: MapVariant | None = None,
    *,
    suffix: str | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> Exported:
    """Write saliency maps into an HDF5 file that pysaliency and ``quickgaze run --maps`` read.

    Each map is a data set (H, W) of float32 in [0, 1], as `SaliencyModel` gives it, made without
    a forward pass; folders in a stimulus's id are groups.

    Parameters
    ----------
    run : Run
    out : path
        The file. It appears when all maps are in it.
    variant : MapVariant, optional
        As `choose_variant` gives it; by default the run's only one.
    suffix : str, optional
        Ending of the stimuli's files, as pysaliency finds a map by its stimulus's file name; empty
        for none. Known for SALICON and OSIE; ids that end like an image keep their ending.
    overwrite : bool
        Whether to replace a file at `out`.
    progress : bool
        Whether to show a progress bar, on standard error.

    Returns
    -------
    Exported
        Its `failures` list the stimuli whose map cannot be made.

    Raises
    ------
    OptionError
        If h5py is missing (``pip install quickgaze[hdf5]``), if several variants or endings are
        possible, or if an id or `out` cannot be used. Nothing is left at `out`.

    Examples
    --------
    >>> import tempfile
    >>> import h5py
    >>> import quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=1)
    >>> study = qg.Study(displays, orientations=["activation"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = study.run(f"{folder}/run", progress=False)
    ...     exported = export_hdf5(run, f"{folder}/maps.h5", suffix=".png", progress=False)
    ...     with h5py.File(exported.path) as file:
    ...         file["popout-000000.png"]
    <HDF5 dataset "popout-000000.png": shape (480, 640), type "<f4">
    """
    h5py = require("h5py", "hdf5", "an export to HDF5")
    maps = VariantMaps(run, variant or choose_variant(run))
    known = _SUFFIXES.get(run.plan.dataset.name)
    names = _hdf5_names(maps.stimuli, known if suffix is None else suffix)
    target = Path(out)
    with (
        written_file(target, run, overwrite=overwrite) as temporary,
        h5py.File(temporary, "w", libver="earliest") as file,
    ):

        def put(stimulus: str, saliency: FloatMap) -> None:
            file.create_dataset(names[stimulus], data=saliency, compression="gzip", shuffle=True)

        return maps.write(target, put, progress=progress)


def _hdf5_names(stimuli: Iterable[str], suffix: str | None) -> dict[str, str]:
    """Name each stimulus's data set as pysaliency looks for it."""
    owners: dict[str, str] = {}
    for stimulus in stimuli:
        name = _with_suffix(stimulus, suffix)
        if "\0" in name or not {"", ".", ".."}.isdisjoint(name.split("/")):
            raise OptionError(
                f"the stimulus {stimulus!r} cannot be a name in HDF5; export PNG files"
            )
        if name in owners:
            raise OptionError(
                f"the stimuli {owners[name]!r} and {stimulus!r} would both be called {name!r}; "
                "name another ending with suffix"
            )
        owners[name] = stimulus
    for name, stimulus in owners.items():
        for folder in PurePosixPath(name).parents:
            if str(folder) in owners:
                raise OptionError(
                    f"the stimulus {owners[str(folder)]!r} needs the name of the group that "
                    f"{stimulus!r} lies in; name another ending with suffix"
                )
    return {stimulus: name for name, stimulus in owners.items()}


def _with_suffix(stimulus: str, suffix: str | None) -> str:
    if PurePosixPath(stimulus).suffix.lower() in IMAGE_SUFFIXES:
        return stimulus
    if suffix is None:
        raise OptionError(
            "pysaliency finds a map by its stimulus's file name, and the run does not keep the "
            f"ending of the file of {stimulus!r}; name it with suffix, such as .png"
        )
    return stimulus + suffix
