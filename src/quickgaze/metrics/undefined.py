"""What takes the place of a score that does not exist."""

from __future__ import annotations


class UndefinedError(Exception):
    """A score that does not exist for this map and target.

    Raised by the definition of a metric and turned into NaN before it reaches a user; the
    message is the reason: a sentence without its full stop.

    Examples
    --------
    >>> raise UndefinedError("the stimulus has no fixations")
    Traceback (most recent call last):
        ...
    quickgaze.metrics.undefined.UndefinedError: the stimulus has no fixations
    """
