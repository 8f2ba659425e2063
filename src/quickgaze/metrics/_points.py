"""Points as users give them: (n, 2), columns x and y."""

from __future__ import annotations

from array_api_compat import array_namespace, is_torch_array

from quickgaze.errors import OptionError
from quickgaze.metrics._arrays import Array, as_array


def is_one_set(points: Array) -> bool:
    """Whether an array is one set of points; an empty row holds none."""
    return points.ndim == 2 or tuple(points.shape) == (0,)


def as_points(points: Array, shape: tuple[int, ...], wanted: str = "fixations must have") -> Array:
    """Take points on maps of a shape ([B,] H, W); `wanted` begins the error message."""
    array = as_array(points, "fixations")
    given = tuple(array.shape)
    if given == (0,) or (len(given) == 2 and given[1] == 0):
        return array_namespace(array).reshape(array, (0, 2))
    if len(given) != 2 or given[1] != 2:
        raise OptionError(
            f"{wanted} shape (n, 2), columns x and y; got shape {given} for a map of shape "
            f"{tuple(shape)}{advice(array, shape)}"
        )
    return array


def advice(array: Array, shape: tuple[int, ...]) -> str:
    """Say how to turn into points what looks like a picture or a transposed table."""
    given, size = tuple(array.shape), tuple(shape[-2:])
    if given[:2] == size and len(given) < 4:
        channel = "" if len(given) == 2 else "take one channel of it, picture[..., 0], and "
    elif given[-2:] == size:
        channel = "take each picture and "
    else:
        return "; transpose it" if len(given) == 2 and given[0] == 2 else ""
    if is_torch_array(array):
        points = "torch.argwhere(picture > picture.max() / 2).flip(1)"
    else:
        points = "np.argwhere(picture > picture.max() / 2)[:, ::-1]"
    return f". This may be a picture of fixations: {channel}turn it into points with {points}"
