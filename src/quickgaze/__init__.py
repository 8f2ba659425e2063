"""quickgaze tells whether a vision model looks where people look, on which images, and why.

The public names are loaded when they are first used, so that ``import quickgaze`` does not wait
for PyTorch.
"""

from importlib.metadata import version as _version

import lazy_loader as _lazy

__version__ = _version("quickgaze")
__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
