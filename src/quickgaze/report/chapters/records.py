"""The chapters on failures and on provenance."""

from __future__ import annotations

import json
import platform
import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from typing import Any

import polars as pl

from quickgaze.report.album import Album
from quickgaze.report.contents import Chapter, Part, Table
from quickgaze.report.subjects import Subject
from quickgaze.report.words import count
from quickgaze.stimuli import DATASETS
from quickgaze.study import Run

FAILURES_TEXT = (
    "Stimuli that could not be scored, scores that are undefined, and pictures that could not be "
    "drawn, each with its reason. None of them counts as 0: they are left out of every mean."
)
PROVENANCE_TEXT = (
    "What it takes to compute the same again: the command, the data set and its edition, the "
    "weights, the settings and the versions."
)
_FLAGS = {
    "backbones": "backbone",
    "cams": "cam",
    "grids": "grid",
    "components": "component",
    "orientations": "orientation",
    "sigmas": "sigma",
    "levels": "level",
    "level_scale": "level-scale",
    "fusion": "fusion",
    "weights": "weights",
    "precision": "precision",
    "geometry": "geometry",
    "convention": "convention",
    "density_sigma": "density-sigma",
    "draws": "draws",
    "seed": "seed",
}
_UNSAID = {"level_scale": "none", "fusion": "concatenate", "weights": "default"}
_UNSAID |= {"precision": "auto", "geometry": "default", "convention": "tuebingen"}


def failures_chapter(subject: Subject, album: Album) -> Chapter:
    """Write what could not be scored or drawn."""
    parts = [part for run in range(len(subject.runs)) if (part := _failed(subject, run)).tables]
    if album.failures:
        parts.append(_not_drawn(subject, album))
    missing = "" if parts else "Nothing failed: every stimulus has been scored."
    return Chapter("failures", "Failures", FAILURES_TEXT, parts, missing)


def _failed(subject: Subject, run: int) -> Part:
    opened, tables = subject.runs[run], []
    failures = opened.failures()
    if failures.height:
        rows = [
            {
                "stimulus": row["stimulus"],
                "stage": row["stage"],
                "error": row["error"],
                "reason": row["message"],
            }
            for row in failures.iter_rows(named=True)
        ]
        caption = f"{count(failures.height)} stimuli that could not be scored."
        tables.append(
            Table(f"failures{subject.suffix(run)}", caption, pl.DataFrame(rows), failures)
        )
    undefined = opened.undefined()
    if undefined.height:
        of_what = ["metric", "bound", "orientation", "reason"]
        counted = undefined.group_by(of_what, maintain_order=True).agg(
            pl.len().cast(pl.Int64).alias("scores"), pl.col("stimulus").first().alias("example")
        )
        rows = [
            {
                "metric": row["metric"],
                "of": row["bound"] or row["orientation"] or "—",
                "reason": row["reason"],
                "scores": count(row["scores"]),
                "example": row["example"],
            }
            for row in counted.iter_rows(named=True)
        ]
        caption = f"{count(undefined.height)} scores that are undefined, by reason."
        tables.append(
            Table(f"undefined{subject.suffix(run)}", caption, pl.DataFrame(rows), undefined)
        )
    return Part(subject.title(run), tables=tables)


def _not_drawn(subject: Subject, album: Album) -> Part:
    data = pl.DataFrame(
        [(subject.stimuli[number], reason) for number, reason in album.failures],
        {"stimulus": pl.String, "reason": pl.String},
        orient="row",
    )
    table = Table("pictures-missing", "Pictures that could not be drawn.", data, data)
    return Part("pictures" if len(subject.runs) > 1 else "", tables=[table])


def provenance_chapter(subject: Subject, notes: Sequence[str], command: str | None) -> Chapter:
    """Write where everything comes from."""
    parts = [_run_facts(subject, place) for place in range(len(subject.runs))]
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    facts = {
        "written": now,
        "command": command or "from Python",
        "quickgaze": version("quickgaze"),
        "python": platform.python_version(),
        "altair": version("altair"),
    }
    caption = "This report."
    report = Part("this report", tables=[_facts("report", caption, facts)], texts=notes)
    return Chapter("provenance", "Provenance", PROVENANCE_TEXT, [*parts, report])


def _run_facts(subject: Subject, place: int) -> Part:
    run = subject.runs[place]
    table = _facts(
        f"provenance{subject.suffix(place)}", f"The run {subject.names[place]}.", run_facts(run)
    )
    return Part(subject.names[place], tables=[table])


def _facts(name: str, caption: str, facts: Mapping[str, str]) -> Table:
    frame = pl.DataFrame({"what": list(facts), "value": list(facts.values())})
    return Table(name, caption, frame, frame)


def run_facts(run: Run) -> dict[str, str]:
    """Gather what a reader needs to compute a run again, by topic."""
    plan, manifest = run.plan, run.manifest if run.complete else {}
    dataset = plan["dataset"]
    facts = {
        "run folder": run.place,
        "state": "complete" if run.complete else "not complete",
        "command": equivalent_command(plan) if "imported" not in manifest else "imported",
        "data set": str(dataset["name"]),
        "edition": str(dataset.get("edition", "—")),
        "gaze": str(dataset.get("gaze", "—")),
        "data fingerprint": str(dataset.get("fingerprint", "—")),
        "stimuli": count(len(plan["stimuli"])),
    }
    facts |= {f"counts: {name}": count(value) for name, value in manifest.get("counts", {}).items()}
    for name, backbone in manifest.get("backbones", {}).items():
        facts[f"weights of {name}"] = f"{backbone['weights']}; SHA-256 {backbone['weights_hash']}"
        facts[f"computed {name} on"] = f"{backbone['device']}, {backbone['precision']}"
    facts |= {f"setting: {name}": _text(value) for name, value in plan["settings"].items()}
    facts |= {f"version: {name}": each for name, each in manifest.get("versions", {}).items()}
    facts |= {name: manifest[name] for name in ("started", "finished") if name in manifest}
    imported = manifest.get("imported", {})
    facts |= {f"imported: {name}": _text(value) for name, value in imported.items()}
    return facts


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, Mapping):
        return json.dumps(value) if value else "none"
    return "—" if value is None else str(value)


def equivalent_command(plan: Mapping[str, Any]) -> str:
    """Shell command for a plan's settings; ``ROOT`` and ``RUN`` stand for the folders."""
    settings = plan["settings"]
    name = str(plan["dataset"]["name"])
    generated = name in DATASETS.own and not DATASETS[name].needs_root
    root = [] if generated else ["--root", "ROOT"]
    words = ["quickgaze", "run", "--dataset", name, *root]
    for option, flag in _FLAGS.items():
        value = settings.get(option)
        if value is None or value == _UNSAID.get(option) or (option == "seed" and value == 0):
            continue
        for each in value if isinstance(value, list) else [value]:
            words += [f"--{flag}", f"{each:g}" if isinstance(each, float) else str(each)]
    if settings.get("rectify") is False:
        words.append("--no-rectify")
    words += ["--metrics", ",".join(settings["metrics"])]
    if "bounds" in settings:
        words += ["--bounds", ",".join(settings["bounds"]) or "none"]
    for model, place in settings.get("maps", {}).items():
        words += ["--maps", f"{model}={place}"]
    return shlex.join([*words, "--out", "RUN"])
