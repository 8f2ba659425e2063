"""What is written last: everything that a reader of a complete run must know."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from typing import Any

from quickgaze.backbones import BACKBONES, Backbone
from quickgaze.bounds import BOUNDS
from quickgaze.cams import CAMS, ORIENTATIONS
from quickgaze.metrics import METRICS
from quickgaze.stimuli import DATASETS
from quickgaze.study.plan import Plan
from quickgaze.study.run import Run


def manifest(
    plan: Plan, run: Run, backbones: Sequence[Backbone], started: datetime
) -> dict[str, Any]:
    """Give the manifest of a run that has just been finished.

    Parameters
    ----------
    plan : Plan
        What was computed.
    run : Run
        With all its tables.
    backbones : sequence of Backbone
        What it was computed with.
    started : datetime
        When, in UTC.

    Returns
    -------
    dict
        Of plain lists, dictionaries, strings and numbers.
    """
    finished = datetime.now(timezone.utc)
    content = plan.to_json()
    del content["stimuli"]
    failures = run.failures()
    return {
        **content,
        "backbones": {
            backbone.name: {
                "weights": backbone.weights,
                "weights_hash": backbone.weights_hash,
                "device": str(backbone.device),
                "precision": backbone.precision,
            }
            for backbone in backbones
        },
        "versions": {
            "python": platform.python_version(),
            **{
                name: version(name)
                for name in ("quickgaze", "torch", "torchvision", "timm", "numpy")
            },
            **_extensions(plan),
        },
        "counts": {
            "stimuli": len(plan.stimuli),
            "scored": len(plan.stimuli) - failures.height,
            "failed": failures.height,
            "undefined_scores": run.undefined().height,
        },
        "started": started.isoformat(timespec="seconds"),
        "finished": finished.isoformat(timespec="seconds"),
        "complete": True,
    }


def _extensions(plan: Plan) -> dict[str, str]:
    """Versions of other packages whose entries took part, by the package's name."""
    settings = plan.settings
    used = (
        (DATASETS, [str(plan.dataset.get("name"))]),
        (BACKBONES, settings.backbones),
        (CAMS, settings.cams),
        (ORIENTATIONS, settings.orientations),
        (METRICS, settings.metrics),
        (BOUNDS, settings.bounds),
    )
    found = (catalogue.package(name) for catalogue, names in used for name in names)
    return dict(package for package in found if package is not None)
