"""Finding and reading the files of readouts. They hold numbers and text; nothing is executed."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import msgspec
import safetensors
import torch

from quickgaze.cams._readout import FILE_NAME, FORMAT, Readout
from quickgaze.cams._readout_card import ReadoutCard
from quickgaze.cams._readout_checks import check_card, check_tensors
from quickgaze.catalogue import unknown_name
from quickgaze.errors import OptionError, WeightsError, first_line

_LARGEST = 64 * 2**20  # bytes; one of 16 hidden units and 4,000 channels has 0.3 MB
_PACKAGED = Path(__file__).parent / "readouts"


class _Header(msgspec.Struct):
    """The text that stands in a file beside the tensors."""

    card: ReadoutCard
    sigma: float
    centre_weight: float


def load_readout(source: str | Path, backbone: str = "efficientnet_lite0") -> Readout:
    """Read a readout that `Readout.save` wrote, or one that comes with quickgaze.

    Parameters
    ----------
    source : path or str
        A file, a folder that holds a ``readout.safetensors``, or the name of a readout that
        comes along: ``"osie"``. A file or folder of that name comes first.
    backbone : str
        For which backbone, where `source` is a name.

    Returns
    -------
    Readout
        For the backbone and the weights of its card, and no others.

    Raises
    ------
    UnknownNameError
        If there is no such file or folder, and none of that name comes along.
    WeightsError
        If the file is not that of a readout, or damaged; says what is wrong.

    Examples
    --------
    >>> load_readout("nowhere.safetensors")
    Traceback (most recent call last):
    quickgaze.errors.UnknownNameError: unknown readout 'nowhere.safetensors'...
    """
    path = _found(source, backbone)
    try:
        if path.stat().st_size > _LARGEST:
            raise WeightsError(
                f"{path} is larger than {_LARGEST // 2**20} MB, which no readout is; name the "
                "file that quickgaze fit wrote"
            )
        with safetensors.safe_open(path, "pt") as file:
            text = (file.metadata() or {}).get("readout")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except OSError as error:
        raise WeightsError(f"{path} could not be opened ({error.strerror or error})") from error
    except safetensors.SafetensorError as error:
        raise WeightsError(
            f"{path} is not a readout: it could not be read as safetensors "
            f"({first_line(error)}); fetch or fit it anew"
        ) from error
    if text is None:
        raise WeightsError(
            f"{path} is not a readout: it holds tensors, but no card of a readout; name the file "
            "that quickgaze fit wrote"
        )
    return _read(path, text, tensors)


def as_readout(given: object, backbone: str) -> Readout:
    """Take a readout as it is, or read the one that a path or a name means.

    Parameters
    ----------
    given : Readout, path or str
    backbone : str
        For which backbone, where a name is given.

    Returns
    -------
    Readout

    Raises
    ------
    UnknownNameError, WeightsError
        As for `load_readout`.
    OptionError
        If it is something else.

    Examples
    --------
    >>> as_readout(0.5, "efficientnet_lite0")
    Traceback (most recent call last):
    quickgaze.errors.OptionError: readout is a float; give a file, the name of one that comes...
    """
    if isinstance(given, Readout):
        return given
    if isinstance(given, str | Path):
        return load_readout(given, backbone)
    raise OptionError(
        f"readout is a {type(given).__name__}; give a file, the name of one that comes along, or "
        "what load_readout gave"
    )


def _found(source: str | Path, backbone: str) -> Path:
    path = Path(source)
    if path.is_dir() and (path / FILE_NAME).is_file():
        return path / FILE_NAME
    if path.is_file():
        return path
    packaged = _packaged(backbone)
    if str(source) in packaged:
        return packaged[str(source)]
    if path.is_dir():
        raise WeightsError(
            f"the folder {path} holds no {FILE_NAME}; name the folder that quickgaze fit wrote"
        )
    error = unknown_name("readout", str(source), packaged)
    none = "none comes with quickgaze for" if not packaged else "those come with quickgaze for"
    raise type(error)(f"{error} ({none} {backbone}), or a file that quickgaze fit wrote")


def _packaged(backbone: str) -> dict[str, Path]:
    """Readouts that come with quickgaze for a backbone, by name."""
    prefix = f"{backbone.replace('/', '_')}-"
    return {
        path.stem.removeprefix(prefix): path
        for path in sorted(_PACKAGED.glob("*.safetensors"))
        if path.stem.startswith(prefix)
    }


def _read(path: Path, text: str, tensors: dict[str, torch.Tensor]) -> Readout:
    try:
        content: Any = json.loads(text)
        _check_format(path, content)
        scores = content["card"]["scores"]
        content["card"]["scores"] = {
            name: math.nan if score is None else score for name, score in scores.items()
        }
        header = msgspec.convert(content, _Header)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise WeightsError(
            f"{path} is not a usable readout: its card cannot be read "
            f"({type(error).__name__}: {first_line(error)}); fetch or fit it anew"
        ) from error
    try:
        check_card(header.card)
        check_tensors(tensors, header.card.hidden)
        output = tensors.pop("output", None)
        return Readout(
            header.card,
            **tensors,
            output=output,
            sigma=header.sigma,
            centre_weight=header.centre_weight,
        )
    except OptionError as error:
        raise WeightsError(
            f"{path} is not a usable readout: {error}; fetch or fit it anew"
        ) from error


def _check_format(path: Path, content: Any) -> None:
    if content["format"] != FORMAT:
        raise WeightsError(
            f"{path} is a readout of format {content['format']!r}, and this quickgaze reads "
            f"format {FORMAT}; install the release that wrote it, or fit it anew"
        )
