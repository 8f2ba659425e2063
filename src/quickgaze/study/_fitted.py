"""The readout of a study: a CAM of one of its backbones, and what its run says of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from quickgaze.backbones import Backbone
from quickgaze.cams import Readout, as_readout
from quickgaze.errors import UnknownNameError
from quickgaze.options import ModelOptions, Named, StudyOptions
from quickgaze.study._settings import Settings
from quickgaze.study.plan import DatasetFacts
from quickgaze.study.readout_facts import ReadoutFacts

Given = TypeVar("Given", bound=StudyOptions)


def with_readout(given: Given) -> Given:
    """Put the CAM of a study's readout among its CAMs."""
    if given.readout is None:
        return given
    readout = _found(given)
    method = readout.method()
    usual: Sequence[str | Named] = () if given.maps else (ModelOptions.cam,)
    chosen = usual if given.cams is None else given.cams
    cams = [method if each == method.name else each for each in chosen]
    backbones = (readout.card.backbone,) if given.backbones is None else given.backbones
    return replace(given, cams=cams if method in cams else [*cams, method], backbones=backbones)


def _found(given: StudyOptions) -> Readout:
    """Find the readout; one that comes along, of the first backbone that has one."""
    backbones = given.backbones or (ModelOptions.backbone,)
    names = [each if isinstance(each, str) else each.name for each in backbones]
    for name in names[:-1]:
        with suppress(UnknownNameError):
            return as_readout(given.readout, name)
    return as_readout(given.readout, names[-1])


def check_backbones(settings: Settings, backbones: Iterable[Backbone]) -> None:
    """Refuse a loaded backbone whose weights are not those of the readout."""
    readout = settings.fitted
    for backbone in backbones:
        if readout is not None and backbone.name == readout.card.backbone:
            readout.check(backbone)


def readout_facts(settings: Settings, backbone: str, out_of_fold: bool) -> Mapping[str, Any]:
    """Say what a plan has of the readout of a backbone; nothing for other backbones."""
    readout = settings.fitted
    if readout is None or readout.card.backbone != backbone:
        return {}
    return ReadoutFacts.of(readout, out_of_fold).inputs()


def readout_notes(settings: Settings, dataset: DatasetFacts, out_of_fold: bool) -> tuple[str, ...]:
    """Say what must not be forgotten where a readout is scored on data that it was fitted on."""
    readout = settings.fitted
    if readout is None:
        return ()
    seen = ReadoutFacts.of(readout, out_of_fold).seen(dataset)
    if seen == "all":
        return ("the readout was fitted on this data set: its scores are not out of fold",)
    if seen == "perhaps":
        fitted = f"the readout was fitted on {readout.card.images:,} images of {dataset.title}"
        return (f"{fitted}: scores of images that are among them are not out of fold",)
    return ()
