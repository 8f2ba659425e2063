"""What is known of the images themselves: what they show, what is written in them, how they look.

Each source gives a table with a column ``stimulus`` and a column per attribute, as the functions
that test attributes take it; `join_attributes` puts several tables side by side.
"""

from quickgaze.findings.attributes.coco import coco_attributes
from quickgaze.findings.attributes.image_statistics import image_attributes
from quickgaze.findings.attributes.joining import join_attributes
from quickgaze.findings.attributes.tables import read_attributes
from quickgaze.findings.attributes.text import text_attributes

__all__ = [
    "coco_attributes",
    "image_attributes",
    "join_attributes",
    "read_attributes",
    "text_attributes",
]
