"""Attributes of the images themselves: what they show, what is written in them, how they look."""

from quickgaze.findings.attributes.coco import coco_attributes
from quickgaze.findings.attributes.image_statistics import image_attributes
from quickgaze.findings.attributes.tables import join_attributes, read_attributes
from quickgaze.findings.attributes.text import text_attributes

__all__ = [
    "coco_attributes",
    "image_attributes",
    "join_attributes",
    "read_attributes",
    "text_attributes",
]
