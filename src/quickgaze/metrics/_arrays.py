"""One way to hold numbers, whether they come from NumPy or from torch."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
from array_api_compat import (
    array_namespace,
    device,
    is_array_api_obj,
    is_numpy_namespace,
    is_torch_array,
    to_device,
)

from quickgaze.errors import OptionError, refuse_masked

Array: TypeAlias = Any
"""A NumPy array, or a torch tensor on any device.

No static type says "either of the two" without importing torch, hence ``Any``; every function
that takes or returns an `Array` says in its docstring which shape it has.
"""

_PICTURE = 16
"""Pixels along the shorter side from which an array with three columns is a colour picture."""

# Without BLAS: its threads take longer to start than a part of a map takes to compute.
_DOT = partial(np.einsum, "...i,...i->...")


def as_array(values: Array, what: str) -> Array:
    """Take arrays and tensors of real numbers as they are, anything else as a NumPy array."""
    refuse_masked(values, what)
    plain = is_array_api_obj(values) and not isinstance(values, np.ma.MaskedArray)
    array = values if plain else _as_numpy(values, what)
    xp = array_namespace(array)
    if not xp.isdtype(array.dtype, ("bool", "integral", "real floating")):
        raise OptionError(f"the {what} must hold real numbers, not {array.dtype}")
    return array


def as_maps(maps: Array, size: tuple[int, ...] | None = None) -> Array:
    """Take a map (H, W) or a batch of maps (B, H, W), of a `size` that may be known."""
    array = as_array(maps, "map")
    shape = tuple(array.shape)
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        hint = " (squeeze takes an axis of 1 away)" if len(shape) > 3 and 1 in shape else ""
        raise OptionError(
            "a map must have shape (H, W) and a batch (B, H, W), with at least one pixel"
            f"{hint}; got shape {shape}"
        )
    if len(shape) == 3 and shape[1:] != size:
        _refuse_channels(shape)
    return array


def _refuse_channels(shape: tuple[int, ...]) -> None:
    """Refuse shapes (H, W, C), which would be taken for H maps."""
    batch, height, channels = shape
    if batch > 1 and channels == 1:
        what = f"one map with a last axis of 1, not {batch} maps one pixel wide; give map[..., 0]"
    elif min(batch, height) >= _PICTURE and channels in (3, 4):
        what = f"a colour picture, not {batch} maps {channels} pixels wide; give one channel"
    else:
        return
    raise OptionError(f"a map of shape {shape} is taken for {what}")


def beside(reference: Array, values: Array, what: str) -> Array:
    """Bring values to the library, the device and the `scoring_dtype` of a reference."""
    xp, place = array_namespace(reference), device(reference)
    kind = scoring_dtype(xp, place)
    array = as_array(values, what)
    if array_namespace(array) is xp:
        return xp.astype(to_device(array, place), kind, copy=False)
    # torch warns of read-only memory and refuses negative strides; a copy has neither
    copied = np.array(_as_numpy(array, what), dtype=np.float64, order="C")
    return xp.asarray(copied, dtype=kind, device=place)


def numbers_beside(reference: Array, numbers: npt.NDArray[Any]) -> Array:
    """Bring NumPy's integers, or fractions as `scoring_dtype`, to a reference's library."""
    xp, place = array_namespace(reference), device(reference)
    # devices that lack float64 refuse it
    kind = scoring_dtype(xp, place) if numbers.dtype.kind == "f" else None
    return xp.asarray(numbers, dtype=kind, device=place)


@cache
def scoring_dtype(xp: Any, place: Any) -> Any:
    """Precision of scores in a library: float64, or float32 on devices that lack it."""
    kinds = xp.__array_namespace_info__().dtypes(device=place, kind="real floating")
    return xp.float64 if "float64" in kinds else xp.float32


@cache
def dot(xp: Any) -> Callable[[Array, Array], Array]:
    """Choose the function that multiplies a library's arrays along the last axis and adds up."""
    return _DOT if is_numpy_namespace(xp) else cast(Callable[[Array, Array], Array], xp.vecdot)


def ascending(values: Array) -> Array:
    """Sort numbers, (n,)."""
    # equal numbers are interchangeable, and a stable sort takes ten times as long
    return array_namespace(values).sort(values, stable=False)


def on_host(array: Array) -> npt.NDArray[Any]:
    """Bring an array to NumPy; a tensor's gradient ends here."""
    return np.asarray(to_device(array.detach() if is_torch_array(array) else array, "cpu"))


def _as_numpy(values: Array, what: str) -> npt.NDArray[Any]:
    try:
        return np.asarray(values)
    except (RuntimeError, TypeError, ValueError) as error:
        raise OptionError(f"the {what} cannot be used as a NumPy array: {error}") from error
