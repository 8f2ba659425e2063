"""Reading image files of any kind as 8-bit RGB."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import PIL.Image
from PIL.ExifTags import Base
from PIL.TiffImagePlugin import TiffImageFile

from quickgaze.errors import StimulusError
from quickgaze.places import MISSING, AnyPath, Root, open_file, problem_of, readable
from quickgaze.stimuli._fingerprints import fingerprint_of_file
from quickgaze.stimuli.types import Image, Size

Pixels = npt.NDArray[Any]

_SMALLEST_SIDE = 2
"""Pixels that each side of an image needs, so that places in it can be compared."""


def read_image(path: Root) -> Image:
    """Read an image file.

    Parameters
    ----------
    path : path-like or UPath
        A file in any format and mode that Pillow reads, except PostScript. Of several frames the
        first is taken.

    Returns
    -------
    ndarray, shape (H, W, 3), uint8
        RGB, turned upright as the file's EXIF orientation says.

    Raises
    ------
    StimulusError
        If the file is missing, damaged, not an image, has a side of 1 pixel or more pixels than
        Pillow's limit against decompression bombs.

    Notes
    -----
    Transparent pixels are laid over white. 16-bit values are divided by 257. 32-bit integers
    count as 16-bit values where all of them fit, and floating-point values as shares of white
    where all lie in [0, 1]; else they are scaled from their own minimum and maximum.

    Examples
    --------
    >>> import tempfile, pathlib, PIL.Image
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "grey.png"
    >>> PIL.Image.new("I;16", (3, 2), 65535).save(path)
    >>> read_image(path).shape, int(read_image(path).min())
    ((2, 3, 3), 255)
    """
    with opened(path) as image:
        return to_rgb(image)


def to_rgb(image: PIL.Image.Image) -> Image:
    """Convert an image that Pillow has opened or made.

    Parameters
    ----------
    image : PIL.Image.Image
        Of any mode.

    Returns
    -------
    ndarray, shape (H, W, 3), uint8
        As `read_image` gives it.

    Examples
    --------
    >>> to_rgb(PIL.Image.new("L", (1, 1), 7)).tolist()
    [[[7, 7, 7]]]
    """
    return upright(_rgb(image), stored_orientation(image))


@dataclass(frozen=True)
class ImageFile:
    """An image in a file, read each time that it is asked for.

    Parameters
    ----------
    path : Path or UPath
        The file. It need not be readable before it is read.

    Examples
    --------
    >>> import tempfile, pathlib, PIL.Image
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "grey.png"
    >>> PIL.Image.new("L", (3, 2)).save(path)
    >>> ImageFile(path).size(), ImageFile(path).read().shape
    ((2, 3), (2, 3, 3))
    """

    path: AnyPath

    def read(self) -> Image:
        """Read the image, or raise `StimulusError`.

        Returns
        -------
        ndarray, shape (H, W, 3), uint8
            As `read_image` gives it.
        """
        return read_image(self.path)

    def size(self) -> Size:
        """Find the height and width in the file's header, or raise `StimulusError`.

        Returns
        -------
        (int, int)
            In pixels, upright.
        """
        with opened(self.path) as image:
            width, height = image.size
            if isinstance(image, TiffImageFile):
                width, height = image.tag_v2[Base.ImageWidth], image.tag_v2[Base.ImageLength]
            return (width, height) if _orientation(image) >= 5 else (height, width)

    def fingerprint(self) -> str:
        """Give the file's name, its size in bytes, and a digest of parts of it.

        Returns
        -------
        str
            The same for a copy elsewhere.
        """
        return f"{self.path.name}:{fingerprint_of_file(self.path)}"


@contextmanager
def opened(path: Root) -> Iterator[PIL.Image.Image]:
    """Open an image file of a usable size, not yet decoded; what is wrong is a `StimulusError`."""
    file = Path(path) if isinstance(path, str | os.PathLike) else path
    try:
        # Given a path, Pillow (to 13.0) maps uncompressed TIFF files into memory and scrambles
        # those that lie on their side.
        with _opened_stream(file) as stream, PIL.Image.open(stream, formats=_formats()) as image:
            refuse_size(image.size, path)
            yield image
    except StimulusError:
        raise
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning) as error:
        raise _too_many_pixels(path) from error
    except PIL.UnidentifiedImageError as error:
        raise StimulusError(
            f"{readable(path)} cannot be read as an image: its content is of no known image "
            "format; replace it, or convert it to PNG or JPEG"
        ) from error
    except FileNotFoundError as error:
        raise StimulusError(f"there is no image at {readable(path)}; check the path") from error
    except PermissionError as error:
        raise StimulusError(
            f"{readable(path)} may not be read ({error.strerror or error}); change its permissions"
        ) from error
    except Exception as error:
        raise StimulusError(
            f"{readable(path)} cannot be read as an image ({error or type(error).__name__}); "
            "it is damaged, incomplete or not an image: replace it, or convert it to PNG or JPEG"
        ) from error


def _formats() -> tuple[str, ...]:
    """All but PostScript, which is a program, and which Pillow would have Ghostscript run."""
    PIL.Image.preinit()  # the usual formats are tried first
    PIL.Image.init()
    return tuple(name for name in PIL.Image.ID if name != "EPS")


def _opened_stream(path: AnyPath) -> IO[bytes]:
    problem = problem_of(path)
    if problem not in {"", MISSING}:
        raise StimulusError(f"{readable(path)} {problem}; give the path of an image file")
    stream = open_file(path)
    if not stream.read(1):
        stream.close()
        raise StimulusError(f"{readable(path)} is empty and cannot be read as an image; replace it")
    stream.seek(0)
    return stream


def refuse_size(size: tuple[int, int], path: Root) -> None:
    """Refuse an image of (width, height) `size` that is too small, or too large to be an image."""
    width, height = size
    if min(size) < _SMALLEST_SIDE:
        raise StimulusError(
            f"{readable(path)} is {height} x {width} pixels (height x width); an image needs at "
            f"least {_SMALLEST_SIDE} pixels a side: replace it"
        )
    # Filters for warnings are shared by all threads, so the warning may not arrive as an error.
    if PIL.Image.MAX_IMAGE_PIXELS is not None and width * height > PIL.Image.MAX_IMAGE_PIXELS:
        raise _too_many_pixels(path)


def _too_many_pixels(path: Root) -> StimulusError:
    return StimulusError(
        f"{readable(path)} has more pixels than the limit of {PIL.Image.MAX_IMAGE_PIXELS:,} that "
        "guards against decompression bombs; scale the image down"
    )


def _orientation(image: PIL.Image.Image) -> int:
    # PngImageFile.getexif decodes the whole image; the base class stays with the header.
    value = PIL.Image.Image.getexif(image).get(Base.Orientation, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def stored_orientation(image: PIL.Image.Image) -> int:
    """EXIF orientation, 1 to 8, of an opened image; 1 for TIFF, which Pillow turns itself."""
    return 1 if isinstance(image, TiffImageFile) else _orientation(image)


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turn pixels, (H, W) or (H, W, C), as an EXIF orientation from 1 to 8 says."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    if orientation in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def is_deep(image: PIL.Image.Image) -> bool:
    """Whether an image has one channel of more than 8 bits."""
    return image.mode in {"I", "F"} or image.mode.startswith("I;16")


def _rgb(image: PIL.Image.Image) -> Image:
    image.load()
    if is_deep(image):
        grey = _eight_bit(np.asarray(image, dtype=np.float64), image.mode)
        return np.repeat(grey[..., np.newaxis], 3, axis=2)
    if image.has_transparency_data:
        opaque = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
        white = PIL.Image.new("RGBA", opaque.size, "white")
        return np.array(PIL.Image.alpha_composite(white, opaque).convert("RGB"))
    return np.array(image.convert("RGB"))


def _eight_bit(values: npt.NDArray[np.float64], mode: str) -> npt.NDArray[np.uint8]:
    if not np.isfinite(values).all():
        raise ValueError("it holds NaN or infinity")
    low, high = float(values.min()), float(values.max())
    white = 1.0 if mode == "F" else 65535.0
    if not (low >= 0 and high <= white):
        values, white = values - low, (high - low) or 1.0
    return np.rint(values * (255 / white)).astype(np.uint8)
