from . import cams as cams
from . import metrics as metrics
from . import stimuli as stimuli
from .backbones import list_backbones as list_backbones
from .backbones import load_backbone as load_backbone
from .backbones import wrap_backbone as wrap_backbone
from .cams import Readout as Readout
from .cams import load_readout as load_readout
from .readouts import calibrate as calibrate
from .readouts import fit_readout as fit_readout
from .saliency import SaliencyModel as SaliencyModel
from .stimuli import list_datasets as list_datasets
from .stimuli import load_dataset as load_dataset
from .study import Study as Study
from .study import open_run as open_run

__version__: str
