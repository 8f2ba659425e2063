"""Saliency maps as PNG files, in a folder or in a ZIP archive."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Literal
from zipfile import ZipFile, ZipInfo

import numpy as np
import PIL.Image
from PIL.PngImagePlugin import PngInfo

from quickgaze.errors import OptionError
from quickgaze.exports.maps import Exported, MapVariant, VariantMaps
from quickgaze.exports.names import file_names
from quickgaze.exports.targets import SOFTWARE, written_file, written_folder
from quickgaze.saliency import FloatMap
from quickgaze.stimuli.files import PathLike
from quickgaze.study import Run

DEPTHS: Mapping[int, type[np.unsignedinteger]] = {8: np.uint8, 16: np.uint16}


def export_maps(
    run: Run,
    out: PathLike,
    variant: MapVariant | None = None,
    *,
    bits: Literal[8, 16] = 8,
    overwrite: bool = False,
    progress: bool = True,
) -> Exported:
    """Write saliency maps as grey PNG files of the stimuli's sizes.

    They are made from the signed maps that the run has kept, without a forward pass.

    Parameters
    ----------
    run : Run
    out : path
        A folder, or a ZIP archive if it ends in ``.zip``. It appears when all maps are in it.
    variant : MapVariant, optional
        As `choose_variant` gives it; the only one of the run by default.
    bits : {8, 16}
        Of a pixel. A map's 0 and 1 are 0 and 255, or 65,535; what lies between is rounded to
        the nearest.
    overwrite : bool
        Whether maps that were exported to `out` before may be replaced. A folder that holds
        anything else never is.
    progress : bool
        Whether to show a progress bar, on standard error.

    Returns
    -------
    Exported
        Stimuli whose map cannot be made are left out and stand in its `failures`.

    Raises
    ------
    OptionError
        If the variant is open or has no maps, if `bits` is something else, or if `out` cannot
        be written. Nothing is left at `out`.

    Notes
    -----
    A file is called as its stimulus, subfolders included; see `file_names` for ids that cannot
    be file names. It says in its text ``Description`` which variant it is of.

    Maps are scaled to [0, 1] before they are written, so a pixel is wrong by at most half a
    level: 0.002 with 8 bits. On the ten SALICON examples (EfficientNet-Lite0, sigma 19) that
    moves cc, sim and nss by less than 0.001 and auc by up to 0.003. But kld punishes zeros
    where people looked, and rounding makes them: its mean goes from 0.99 to 2.63 with 8 bits
    and to 1.33 with 16. Where kld or information gain will be computed, export HDF5, which
    rounds nothing.

    Examples
    --------
    >>> import tempfile
    >>> import quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=2)
    >>> study = qg.Study(displays, metrics=["cc"], orientations=["activation"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = study.run(f"{folder}/run", progress=False)
    ...     exported = export_maps(run, f"{folder}/maps", progress=False)
    ...     sorted(path.name for path in exported.path.iterdir())
    ['popout-000000.png', 'popout-000001.png']
    """
    if bits not in DEPTHS:
        raise OptionError(f"bits is {bits}; a PNG file has 8 or 16 of them a pixel")
    maps = VariantMaps.of(run, variant)
    names = file_names(maps.stimuli)
    target = Path(out)
    if target.suffix.lower() == ".zip":
        with (
            written_file(target, run, overwrite=overwrite) as temporary,
            ZipFile(temporary, "w") as archive,
        ):
            # A date of its own would make each export of the same maps another file.

            def store(stimulus: str, saliency: FloatMap) -> None:
                png = _png(saliency, bits, maps.variant)
                archive.writestr(ZipInfo(names[stimulus]), png)

            return maps.write(target, store, progress=progress)
    with written_folder(target, run, overwrite=overwrite) as folder:

        def write(stimulus: str, saliency: FloatMap) -> None:
            _write(folder / names[stimulus], _png(saliency, bits, maps.variant))

        return maps.write(target, write, progress=progress)


def _png(saliency: FloatMap, bits: int, variant: MapVariant) -> bytes:
    level = DEPTHS[bits]
    levels = np.rint(saliency.astype(np.float64) * np.iinfo(level).max).astype(level)
    texts = PngInfo()
    texts.add_text("Software", SOFTWARE)
    texts.add_itxt("Description", ", ".join(f"{k} {v}" for k, v in asdict(variant).items()))
    file = io.BytesIO()
    PIL.Image.fromarray(levels).save(file, "png", pnginfo=texts)
    return file.getvalue()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
