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
from quickgaze.report._words import count
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
        parts.append(_not_drawn(subject, album))
    missing = "" if parts else "Nothing failed: every stimulus has been scored."
    return Chapter("failures", "Failures", _FAILURES_TEXT, parts, missing)


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
    return Chapter("provenance", "Provenance", _PROVENANCE_TEXT, [*parts, report])


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
