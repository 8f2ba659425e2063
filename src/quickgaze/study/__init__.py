"""The study: the plan, the run folder, and what computes the one into the other."""

from quickgaze.study._progress import progress_bar
from quickgaze.study._run import Run, open_run
from quickgaze.study._study import Study
from quickgaze.study.cap6415 import import_cap6415
from quickgaze.study.stored import stored_cam, stored_saliency
from quickgaze.study.variants import CAM_KEYS, VARIANT_KEYS, MapVariant

__all__ = [
    "CAM_KEYS",
    "VARIANT_KEYS",
    "MapVariant",
    "Run",
    "Study",
    "import_cap6415",
    "open_run",
    "progress_bar",
    "stored_cam",
    "stored_saliency",
]
