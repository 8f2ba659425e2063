"""One way to hold numbers, whether they come from NumPy or from torch."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from array_api_compat import (
    array_namespace,
    device,
    is_array_api_obj,
    is_torch_array,
    to_device,
)

from quickgaze.errors import OptionError

Array: TypeAlias = Any
"""A NumPy array, or a torch tensor on any device.

No static type says "either of the two" without importing torch, hence ``Any``; every function
that takes or returns an `Array` says in its docstring which shape it has.
"""


def as_array(values: Array, what: str) -> Array:
    """Take arrays and tensors as they are, anything else as a NumPy array.

    Parameters
    ----------
    values : array_like
        Numbers, of any shape.
    what : str
        What they are, for the error message: ``"map"``, ``"density"``.

    Returns
    -------
    Array
        Booleans, integers or real floating-point numbers.

    Raises
    ------
    OptionError
        If `values` are not that.
    """
    array = values if is_array_api_obj(values) else _as_numpy(values, what)
    xp = array_namespace(array)
    if not xp.isdtype(array.dtype, ("bool", "integral", "real floating")):
        raise OptionError(f"the {what} must hold real numbers, not {array.dtype}")
    return array


def inner(first: Array, second: Array) -> Array:
    """Multiply numbers in pairs along the last axis, and add them up.

    Parameters
    ----------
    first, second : Array, shape (..., n)

    Returns
    -------
    Array, shape (...)
    """
    if isinstance(first, np.ndarray):
        # Not through BLAS, whose threads take longer to meet than so few numbers take, where a
        # network keeps the cores busy.
        return np.einsum("...i,...i->...", first, second)
    return array_namespace(first).vecdot(first, second)


def as_maps(maps: Array) -> Array:
    """Take a map or a batch of maps, and nothing else.

    Parameters
    ----------
    maps : array_like, shape (H, W) or (B, H, W)
        Saliency maps.

    Returns
    -------
    Array
        Of the same shape.

    Raises
    ------
    OptionError
        If they have another number of axes, no pixels, or do not hold real numbers.
    """
    array = as_array(maps, "map")
    if array.ndim not in (2, 3) or 0 in array.shape[-2:]:
        raise OptionError(
            "a map must have shape (H, W) and a batch (B, H, W), with at least one pixel; "
            f"got shape {tuple(array.shape)}"
        )
    return array


def beside(reference: Array, values: Array, what: str) -> Array:
    """Bring values to the library, the device and the precision of scores of a reference.

    Parameters
    ----------
    reference : Array
        What the values are to be computed with.
    values : array_like
        Numbers, of any shape.
    what : str
        What they are, for the error message.

    Returns
    -------
    Array
        Of the shape of `values`, in `scoring_dtype`.

    Raises
    ------
    OptionError
        If `values` are not real numbers or cannot be brought there.
    """
    xp, place = array_namespace(reference), device(reference)
    array = as_array(values, what)
    if array_namespace(array) is xp:
        return xp.astype(to_device(array, place), scoring_dtype(reference), copy=False)
    # torch warns of read-only memory and refuses negative strides, which a copy does not have
    copied = np.array(_as_numpy(array, what), dtype=np.float64, order="C")
    return xp.asarray(copied, dtype=scoring_dtype(reference), device=place)


def scoring_dtype(array: Array) -> Any:
    """Precision to compute scores in: float64, or float32 on devices that lack it.

    Parameters
    ----------
    array : Array
        Where the computation takes place.

    Returns
    -------
    dtype
        Of the array's library.
    """
    xp = array_namespace(array)
    info = xp.__array_namespace_info__()
    has_float64 = "float64" in info.dtypes(device=device(array), kind="real floating")
    return xp.float64 if has_float64 else xp.float32


def numbers_beside(reference: Array, numbers: npt.NDArray[Any]) -> Array:
    """Bring NumPy's numbers to the library and the device of a reference.

    Parameters
    ----------
    reference : Array
        What the numbers are to be computed with.
    numbers : ndarray
        Counts, places or random numbers, of any shape.

    Returns
    -------
    Array
        Of the same shape: integers as they are, fractions in `scoring_dtype`.
    """
    # devices that lack float64 refuse it
    kind = scoring_dtype(reference) if numbers.dtype.kind == "f" else None
    return array_namespace(reference).asarray(numbers, dtype=kind, device=device(reference))


def on_host(array: Array) -> npt.NDArray[Any]:
    """Bring an array to NumPy, for what only the processor can compute.

    Parameters
    ----------
    array : Array
        Of any shape; a tensor's gradient ends here.

    Returns
    -------
    ndarray
    """
    return np.asarray(to_device(array.detach() if is_torch_array(array) else array, "cpu"))


def _as_numpy(values: Array, what: str) -> npt.NDArray[Any]:
    try:
        return np.asarray(values)
    except (RuntimeError, TypeError, ValueError) as error:
        raise OptionError(f"the {what} cannot be used as a NumPy array: {error}") from error
