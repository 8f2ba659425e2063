"""The chapters on failures and on provenance."""

from __future__ import annotations

import json
import platform
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from importlib.metadata import version

import polars as pl

from quickgaze.options import command_words
from quickgaze.report._album import Album
from quickgaze.report._contents import Chapter, Part, Table
from quickgaze.report._subjects import Subject
from quickgaze.report._words import count, texts
from quickgaze.stimuli import DATASETS
from quickgaze.study import Run
from quickgaze.study.manifest import Manifest
from quickgaze.study.plan import Plan

_FAILURES_TEXT = (
    "Stimuli that could not be scored, scores that are undefined, and pictures that could not be "
    "drawn, each with its reason. None of them counts as 0: they are left out of every mean."
)
_PROVENANCE_TEXT = (
    "What is needed to compute the same again: the command, the data set and its edition, the "
    "weights, the settings and the versions."
)


def failures_chapter(subject: Subject, album: Album) -> Chapter:
    """Write what could not be scored or drawn."""
    parts = [part for run in range(len(subject.runs)) if (part := _failed(subject, run)).tables]
    if album.failures:
        rows = [(subject.stimuli[number], reason) for number, reason in album.failures]
        data = pl.DataFrame(rows, ["stimulus", "reason"], orient="row")
        table = Table("pictures-missing", "Pictures that could not be drawn.", data, data)
        parts.append(Part("pictures" if len(subject.runs) > 1 else "", tables=[table]))
    missing = "Nothing failed: every stimulus has been scored."
    return Chapter("failures", "Failures", _FAILURES_TEXT, parts, missing)


def _failed(subject: Subject, run: int) -> Part:
    suffix, tables = subject.suffix(run), []
    failures, undefined = subject.runs[run].failures(), subject.runs[run].undefined()
    if failures.height:
        view = failures.select("stimulus", "stage", "error", reason="message")
        caption = f"{failures.height:,} stimuli that could not be scored."
        tables.append(Table(f"failures{suffix}", caption, view, failures))
    if undefined.height:
        of_what = ["metric", "bound", "orientation", "reason"]
        counted = undefined.group_by(of_what, maintain_order=True).agg(
            pl.len().cast(pl.Int64).alias("scores"), pl.col("stimulus").first().alias("example")
        )
        shown = counted.select(
            *("reason", "scores", "example"), name="metric", of=pl.coalesce("bound", "orientation")
        )
        columns = ("name", "of", "reason", "scores", "example")
        view = texts(shown, *columns, name="metric", reason="reason")
        caption = f"{undefined.height:,} scores that are undefined, by reason."
        tables.append(Table(f"undefined{suffix}", caption, view, undefined))
    return Part(subject.title(run), tables=tables)


def provenance_chapter(subject: Subject, notes: Sequence[str], command: str | None) -> Chapter:
    """Write where everything comes from."""
    parts = []
    for place, (name, run) in enumerate(zip(subject.names, subject.runs, strict=True)):
        stem = f"provenance{subject.suffix(place)}"
        parts.append(Part(name, tables=[_facts(stem, f"The run {name}.", run_facts(run))]))
    facts = {
        "written": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "command": command or "from Python",
        "quickgaze": version("quickgaze"),
        "python": platform.python_version(),
        "altair": version("altair"),
    }
    table = _facts("report", "This report.", facts)
    report = Part("this report", tables=[table], texts=notes)
    return Chapter("provenance", "Provenance", _PROVENANCE_TEXT, [*parts, report])


def _facts(name: str, caption: str, facts: Mapping[str, str]) -> Table:
    frame = pl.DataFrame({"what": list(facts), "value": list(facts.values())})
    return Table(name, caption, frame, frame)


def run_facts(run: Run) -> dict[str, str]:
    """Gather what a reader needs to compute a run again, by topic."""
    plan = run.plan
    facts = {
        "run folder": run.place,
        "state": "complete" if run.complete else "not complete",
        "command": equivalent_command(plan),
        "data set": plan.dataset.name,
        "edition": plan.dataset.edition,
        "gaze": plan.dataset.gaze,
        "data fingerprint": plan.dataset.fingerprint or "—",
        "stimuli": count(len(plan.stimuli)),
        "points": run.all_points().in_words(),
    }
    settings = {f"setting: {name}": _text(value) for name, value in plan.settings.to_json().items()}
    return facts | settings | (_came_of_it(run.manifest) if run.complete else {})


def _came_of_it(manifest: Manifest) -> dict[str, str]:
    """Gather what is known of a complete run, by topic."""
    facts = {"command": "imported"} if manifest.imported else {}
    facts |= {f"counts: {name}": count(each) for name, each in asdict(manifest.counts).items()}
    for name, backbone in manifest.backbones.items():
        facts[f"weights of {name}"] = f"{backbone.weights}; SHA-256 {backbone.weights_hash}"
        facts[f"computed {name} on"] = f"{backbone.device}, {backbone.precision}"
    facts |= {f"version: {name}": each for name, each in manifest.versions.items()}
    facts |= {"started": manifest.started, "finished": manifest.finished}
    return facts | {f"imported: {name}": _text(each) for name, each in manifest.imported.items()}


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, Mapping):
        return json.dumps(value) if value else "none"
    return "—" if value is None else str(value)


def equivalent_command(plan: Plan) -> str:
    """Shell command for a plan's settings; ``ROOT`` and ``RUN`` stand for the folders."""
    name = plan.dataset.name
    generated = name in DATASETS.own and not DATASETS[name].needs_root
    root = "" if generated else " --root ROOT"
    dataset = f"quickgaze run --dataset {shlex.quote(name)}{root}"
    return f"{dataset} {command_words(plan.settings)} --out RUN"
