"""A CAM is a `CamMethod`: a name, a line about it, and a function of features and options."""

from quickgaze.cams import Cam, CamInput, CamMethod, CamOptions, activation


def focus(given: CamInput, options: CamOptions) -> Cam:
    """Square the activation, so that the strongest places count more."""
    plain = activation(given.pyramid, options.grid, options.levels, options.level_scale)
    # no component explains it, and squares have no sign to choose: no evidence
    return Cam(plain.projection.square(), plain.explained_variance, {}, 0)


FOCUS = CamMethod(
    "focus", "the activation, squared", compute=focus, signed=False, has_components=False
)
