"""What can go wrong, by what the user can do about it."""

from __future__ import annotations


class QuickgazeError(Exception):
    """Base of every error that quickgaze raises on purpose.

    Its message names the thing, what was expected and what to do next.

    Examples
    --------
    >>> try:
    ...     raise OptionError("sigma is -1; give 0 or more pixels")
    ... except QuickgazeError as error:
    ...     print(error)
    sigma is -1; give 0 or more pixels
    """


class OptionError(QuickgazeError, ValueError):
    """An option or argument that cannot be used; nothing has been computed.

    Examples
    --------
    >>> import quickgaze as qg
    >>> qg.SaliencyModel(sigma=-1)
    Traceback (most recent call last):
        ...
    quickgaze.errors.OptionError: sigma is -1; give a standard deviation in pixels, 0 for no blur
    """


class UnknownNameError(OptionError):
    """A name that no catalogue holds; the message offers the nearest known one.

    Examples
    --------
    >>> from quickgaze.metrics import METRICS
    >>> METRICS["ncc"]  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    quickgaze.errors.UnknownNameError: unknown metric 'ncc'; did you mean 'cc'? Known: cc, ...
    """


class ExtensionError(OptionError):
    """Something that an installed package adds to quickgaze, and that cannot be used.

    Examples
    --------
    >>> raise ExtensionError("the metric 'luck' of a-package 1.0 cannot be imported")
    Traceback (most recent call last):
        ...
    quickgaze.errors.ExtensionError: the metric 'luck' of a-package 1.0 cannot be imported
    """


class DatasetError(QuickgazeError):
    """A data set that cannot be opened at the place given.

    Examples
    --------
    >>> import quickgaze as qg
    >>> qg.load_dataset("osie", root="not/here")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    quickgaze.errors.DatasetError: not/here does not exist; the data set 'osie' needs ...
    """


class StimulusError(QuickgazeError):
    """One stimulus whose image or gaze data cannot be used; others are not affected.

    Examples
    --------
    >>> from quickgaze.stimuli import read_image
    >>> read_image("not/here.png")
    Traceback (most recent call last):
        ...
    quickgaze.errors.StimulusError: there is no image at not/here.png; check the path
    """


class WeightsError(QuickgazeError):
    """Weights that cannot be found, or that do not fit the network.

    Examples
    --------
    >>> import quickgaze as qg
    >>> qg.load_backbone("efficientnet_lite0", weights="not/here.pth")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    quickgaze.errors.WeightsError: there is no weights file not/here.pth; ...
    """


class RunError(QuickgazeError):
    """A run folder that cannot be read, written or continued.

    Examples
    --------
    >>> import quickgaze as qg
    >>> qg.open_run("not/here")
    Traceback (most recent call last):
        ...
    quickgaze.errors.RunError: not/here is not a run folder: it holds no plan.json
    """


class RunInterruptedError(RunError):
    """A run that was stopped on purpose; what it computed is kept.

    Examples
    --------
    >>> issubclass(RunInterruptedError, RunError)
    True
    """


class DamagedRunWarning(UserWarning):
    """A part of a run folder is not what was written, and is computed anew.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", DamagedRunWarning)  # stop rather than compute anew
    """


class ExtensionWarning(UserWarning):
    """Something that an installed package adds to quickgaze cannot be used, and is left out.

    Examples
    --------
    >>> import warnings
    >>> from quickgaze.metrics import METRICS
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", ExtensionWarning)
    ...     "nss" in METRICS.entries()
    True
    """


class RandomWeightsWarning(UserWarning):
    """The backbone's weights are random: its maps say nothing about a trained model.

    Examples
    --------
    >>> import warnings
    >>> import quickgaze as qg
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     backbone = qg.load_backbone("efficientnet_lite0", weights="none")
    >>> [warning.category.__name__ for warning in caught]
    ['RandomWeightsWarning']
    """
