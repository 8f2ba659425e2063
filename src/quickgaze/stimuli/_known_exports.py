"""What is known of tables that eye trackers and data sets export: their columns and units."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal, NamedTuple


def plain(name: str) -> str:
    """Name of a column by its letters and digits, which differ less than blanks and brackets."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(letter for letter in folded if letter.isalnum())


class Points(NamedTuple):
    """Two columns with the places looked at, on the image or on the screen around it."""

    x: str
    y: str
    units: Literal["fraction", "percent", "pixels"] | None
    direction: Literal["up", "down"] | None
    of_screen: bool = False


@dataclass(frozen=True)
class KnownExport:
    """One kind of export; several names for a column are in order of preference.

    A table must have one of `needs`, where its points alone could be anybody's. `durations` come
    with the milliseconds in their unit, as does `span`, the columns between which a fixation lasts.
    `only` names columns and what stands there in rows that are fixations. Rows of one fixation
    share its `number`, and `within` tells apart recordings whose numbers start anew.
    """

    name: str
    points: tuple[Points, ...]
    stimulus: tuple[str, ...]
    observer: tuple[str, ...]
    needs: tuple[str, ...] = ()
    durations: tuple[tuple[str, float], ...] = ()
    span: tuple[str, str, float] | None = None
    only: tuple[tuple[str, frozenset[str]], ...] = ()
    number: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    keep: Literal["first", "last"] = "first"
    samples: bool = False  # rows may be samples, also of times when nothing was shown


_YES = frozenset({"1", "1.0", "1.00000", "true", "yes"})
_IMAGES = ("image", "image_name", "image_file", "imagefile", "img", "picture", "filename")

TOBII = KnownExport(
    "Tobii",
    # of the picture as shown, then of the screen
    points=(
        Points("Fixation point X (MCSnorm)", "Fixation point Y (MCSnorm)", "fraction", "down"),
        Points("Fixation point X (MCSpx)", "Fixation point Y (MCSpx)", "pixels", "down"),
        Points("Fixation point X", "Fixation point Y", "pixels", "down", of_screen=True),
        Points(
            "Fixation point X (DACSpx)",
            "Fixation point Y (DACSpx)",
            "pixels",
            "down",
            of_screen=True,
        ),
    ),
    stimulus=("Presented Media name", "Presented Stimulus name", "Media name"),
    observer=("Participant name",),
    durations=(
        ("Gaze event duration", 1),
        ("Gaze event duration [ms]", 1),
        ("Gaze event duration [μs]", 1e-3),
        ("Eye movement event duration", 1),
        ("Eye movement event duration [ms]", 1),
        ("Eye movement event duration [μs]", 1e-3),
    ),
    only=(
        ("Eye movement type", frozenset({"fixation"})),
        ("Gaze event type", frozenset({"fixation"})),
    ),
    number=("Eye movement type index", "Fixation index"),
    within=("Recording name",),
    samples=True,
)

GAZEPOINT = KnownExport(
    "Gazepoint",
    points=(
        Points("FPOGX", "FPOGY", "fraction", "down", of_screen=True),
        Points("BPOGX", "BPOGY", "fraction", "down", of_screen=True),
    ),
    stimulus=("MEDIA_NAME",),
    observer=("USER", "USER_FILE"),
    durations=(("FPOGD", 1e3),),
    only=(("FPOGV", _YES), ("BPOGV", _YES)),
    number=("FPOGID",),
    keep="last",  # the fixation grows from sample to sample
)

EGD_CXR = KnownExport(
    "EGD-CXR",
    points=(Points("X_ORIGINAL", "Y_ORIGINAL", "pixels", "down"),),
    stimulus=("DICOM_ID",),
    observer=("SESSION_ID",),
    durations=GAZEPOINT.durations,
    only=GAZEPOINT.only[:1],
    number=GAZEPOINT.number,
    keep="last",
)

PUPIL = KnownExport(
    "Pupil",
    points=(Points("norm_pos_x", "norm_pos_y", "fraction", "up"),),
    stimulus=("surface", "surface_name", *_IMAGES),
    observer=("participant", "participant_id", "subject", "recording_name", "recording_id"),
    durations=(("duration", 1),),
    only=(("on_surf", _YES), ("on_srf", _YES)),
    number=("fixation_id",),
    within=("recording_id", "recording_name"),
)

PUPIL_CLOUD = KnownExport(
    "Pupil Cloud",
    points=(
        Points("fixation x [px]", "fixation y [px]", "pixels", "down"),
        Points("fixation x [normalized]", "fixation y [normalized]", "fraction", "down"),
    ),
    stimulus=("reference image name", "surface name", *_IMAGES),
    observer=("wearer name", "wearer", "wearer id", "recording name", "recording id"),
    durations=(("duration [ms]", 1),),
    only=(
        ("fixation detected in reference image", _YES),
        ("fixation detected on surface", _YES),
    ),
    number=("fixation id",),
    within=("recording id", "section id"),
)

EYELINK = KnownExport(
    "EyeLink Data Viewer",
    points=(Points("CURRENT_FIX_X", "CURRENT_FIX_Y", "pixels", "down", of_screen=True),),
    stimulus=(*_IMAGES, "stimulus_file", "stim", "CURRENT_FIX_COMPONENT_IMAGE_FILE"),
    observer=("RECORDING_SESSION_LABEL", "Session_Name_", "SUBJECT"),
    durations=(("CURRENT_FIX_DURATION", 1),),
)

BIDS = KnownExport(
    "BIDS",
    # units and origin stand in a file beside the table
    points=(Points("x_coordinate", "y_coordinate", None, None),),
    stimulus=("stim_file", "stimulus_name", *_IMAGES),
    observer=("participant_id", "subject_id", "subject", "sub"),
    needs=("stim_file", "participant_id", "onset", "timestamp"),
    durations=(("duration", 1e3),),
)

REFLACX = KnownExport(
    "REFLACX",
    points=(Points("x_position", "y_position", "pixels", "down"),),
    stimulus=("dicom_id", "image"),
    observer=("reader", "id"),  # each id is one reading of an image by one reader
    needs=("timestamp_start_fixation",),
    span=("timestamp_start_fixation", "timestamp_end_fixation", 1e3),
)

# Those that hold another's columns come first.
KNOWN_EXPORTS = (TOBII, EGD_CXR, GAZEPOINT, PUPIL, PUPIL_CLOUD, EYELINK, BIDS, REFLACX)
