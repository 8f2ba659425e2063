"""Attributes of the images themselves: what they show, what is written in them, how they look."""

from quickgaze.findings.attributes._coco import coco_attributes
from quickgaze.findings.attributes._image_statistics import image_attributes
from quickgaze.findings.attributes._tables import join_attributes, read_attributes
from quickgaze.findings.attributes._text import text_attributes

__all__ = [
    "coco_attributes",
    "image_attributes",
    "join_attributes",
    "read_attributes",
    "text_attributes",
]
