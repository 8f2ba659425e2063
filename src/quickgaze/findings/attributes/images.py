"""One row of attributes per image, whatever is wrong with some of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import polars as pl

from quickgaze.errors import StimulusError
from quickgaze.stimuli import Stimulus
from quickgaze.stimuli.types import Image

Column = pl.DataType | type[pl.DataType]


def from_images(
    stimuli: Iterable[Stimulus],
    columns: Mapping[str, Column],
    describe: Callable[[Image], Mapping[str, object]],
) -> pl.DataFrame:
    """Describe each image in a row.

    Parameters
    ----------
    stimuli : iterable of Stimulus
        A data set, or a part of one.
    columns : mapping
        Names and types of the attributes.
    describe : callable
        Gives the attributes of one image, None for those that are not defined.

    Returns
    -------
    polars.DataFrame
        ``stimulus``, the attributes, and ``reason``: why all are null for an image that cannot
        be read.
    """
    rows = [{"stimulus": stimulus.id, **_described(stimulus, describe)} for stimulus in stimuli]
    schema = {"stimulus": pl.String, **columns, "reason": pl.String}
    return pl.DataFrame(rows, schema, orient="row")


def _described(
    stimulus: Stimulus, describe: Callable[[Image], Mapping[str, object]]
) -> Mapping[str, object]:
    try:
        return describe(stimulus.image())
    except StimulusError as error:
        return {"reason": str(error)}
