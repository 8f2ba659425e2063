"""What is known of OSIE, to be held against a copy of it."""

from __future__ import annotations

from quickgaze.places import readable
from quickgaze.stimuli.inspection import Check, Inspection, Points, md5_check
from quickgaze.stimuli.osie import find_osie, read_osie_gaze

IMAGES = 700
SIZE = (600, 800)
OBSERVERS = 15
POINTS = 98_321
MD5 = "8efdf6fe66f38b6e70f854c7ff45aa70"


def expected_of_osie(found: Inspection) -> list[Check]:
    """Check a copy of OSIE, whole or in part.

    Parameters
    ----------
    found : Inspection
        With the root folder.

    Returns
    -------
    list of Check
        The file of fixations is checked whole, whichever images are there.
    """
    if found.root is None:
        return []
    path, _ = find_osie(found.root)
    gaze = read_osie_gaze(path)
    read = [points.read(SIZE) for points in gaze.values()]
    points = sum((Points(len(part), part.dropped) for part in read), Points())
    viewers = {len(recorded.observers) for recorded in gaze.values()}
    there = len(found.dataset)
    whole = there == IMAGES
    return [
        md5_check(path, MD5),
        Check.of_count(f"images listed in {readable(path.name)}", IMAGES, len(gaze)),
        Check.of_count(f"points in {readable(path.name)}", POINTS, points.total),
        Check.of_count("of these, outside the 600 x 800 image", 0, points.outside),
        Check(
            "observers per image",
            f"{OBSERVERS}",
            ", ".join(map(str, sorted(viewers))),
            viewers == {OBSERVERS},
        ),
        Check(
            "images present",
            f"{IMAGES:,}",
            f"{there:,}",
            whole or (None if there < IMAGES else False),
            "" if whole else f"only {there:,} of {IMAGES:,} images are there",
        ),
        Check(
            "images of 600 x 800",
            f"{sum(found.sizes.values()):,}",
            f"{found.sizes.get(SIZE, 0):,}",
            set(found.sizes) <= {SIZE},
        ),
    ]
