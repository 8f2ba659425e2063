"""Saliency maps in one HDF5 file, as pysaliency reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from quickgaze.errors import OptionError
from quickgaze.exports.maps import Exported, MapVariant, VariantMaps
from quickgaze.exports.targets import written_file
from quickgaze.saliency import FloatMap
from quickgaze.stimuli.files import IMAGE_SUFFIXES, PathLike
from quickgaze.stimuli.hdf5 import require_h5py
from quickgaze.study import Run

FILE_SUFFIXES: Mapping[str, str] = {"salicon": ".jpg", "osie": ".jpg"}
"""Endings of the image files of data sets, as their authors distribute them."""


def export_hdf5(
    run: Run,
    out: PathLike,
    variant: MapVariant | None = None,
    *,
    suffix: str | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> Exported:
    """Write saliency maps into an HDF5 file that pysaliency reads.

    Each map is a data set (H, W) of float32 in [0, 1], of the stimulus's size, exactly as
    `SaliencyModel` gives it; folders in a stimulus's id are groups. They are made from the
    signed maps that the run has kept, without a forward pass. ``quickgaze run --maps`` reads
    the file too.

    Parameters
    ----------
    run : Run
    out : path
        The file. It appears when all maps are in it.
    variant : MapVariant, optional
        As `choose_variant` gives it; the only one of the run by default.
    suffix : str, optional
        Ending of the stimuli's files: pysaliency looks for a map under its stimulus's file
        name, of which a run keeps all but the ending. Known for SALICON and OSIE; ids that
        have the ending of an image keep it. The empty text is no ending.
    overwrite : bool
        Whether a file that is at `out` already may be replaced.
    progress : bool
        Whether to show a progress bar, on standard error.

    Returns
    -------
    Exported
        Stimuli whose map cannot be made are left out and stand in its `failures`.

    Raises
    ------
    OptionError
        If h5py is not installed (``pip install quickgaze[hdf5]``), if the variant or the ending
        is open, if an id cannot be a name in HDF5, or if `out` cannot be written. Nothing is
        left at `out`.

    Examples
    --------
    >>> import tempfile
    >>> import h5py
    >>> import quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=1)
    >>> study = qg.Study(displays, metrics=["cc"], orientations=["activation"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = study.run(f"{folder}/run", progress=False)
    ...     exported = export_hdf5(run, f"{folder}/maps.h5", suffix=".png", progress=False)
    ...     with h5py.File(exported.path) as file:
    ...         file["popout-000000.png"]
    <HDF5 dataset "popout-000000.png": shape (480, 640), type "<f4">
    """
    h5py = require_h5py("maps in an HDF5 file")
    maps = VariantMaps.of(run, variant)
    if suffix is None:
        suffix = FILE_SUFFIXES.get(run.plan["dataset"]["name"])
    names = hdf5_names(maps.stimuli, suffix)
    target = Path(out)
    with (
        written_file(target, run, overwrite=overwrite) as temporary,
        h5py.File(temporary, "w", libver="earliest") as file,
    ):

        def put(stimulus: str, saliency: FloatMap) -> None:
            _add(file, names[stimulus], saliency)

        return maps.write(target, put, progress=progress)


def _add(file: Any, name: str, saliency: FloatMap) -> None:
    file.create_dataset(name, data=saliency, compression="gzip", shuffle=True)


def hdf5_names(stimuli: Iterable[str], suffix: str | None) -> dict[str, str]:
    """Name a data set for each stimulus, as pysaliency looks for it.

    Parameters
    ----------
    stimuli : iterable of str
        Ids, each once.
    suffix : str, optional
        Ending of their files.

    Returns
    -------
    dict of str to str
        By id.

    Raises
    ------
    OptionError
        If the ending is needed and not given, or HDF5 cannot have such names side by side.

    Examples
    --------
    >>> hdf5_names(["1001", "indoor/cat.png"], ".jpg")
    {'1001': '1001.jpg', 'indoor/cat.png': 'indoor/cat.png'}
    """
    names: dict[str, str] = {}
    owners: dict[str, str] = {}
    for stimulus in stimuli:
        name = _with_suffix(stimulus, suffix)
        parts = name.split("/")
        if "\0" in name or any(part in ("", ".", "..") for part in parts):
            raise OptionError(f"the stimulus {stimulus!r} cannot be a name in HDF5; use maps")
        if name in owners:
            raise OptionError(
                f"the stimuli {owners[name]!r} and {stimulus!r} would both be called {name!r}; "
                "name another ending with suffix"
            )
        owners[name], names[stimulus] = stimulus, name
    for name, stimulus in owners.items():
        for folder in PurePosixPath(name).parents:
            if str(folder) in owners:
                raise OptionError(
                    f"the stimulus {owners[str(folder)]!r} would be called as the group that "
                    f"{stimulus!r} lies in; name another ending with suffix"
                )
    return names


def _with_suffix(stimulus: str, suffix: str | None) -> str:
    if PurePosixPath(stimulus).suffix.lower() in IMAGE_SUFFIXES:
        return stimulus
    if suffix is None:
        raise OptionError(
            "pysaliency looks for a map under its stimulus's file name, and the run does not keep "
            f"the ending of the file of {stimulus!r}; name it with suffix, such as .png"
        )
    return stimulus + suffix
