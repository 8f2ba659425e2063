"""Commands about data sets: data list."""

# ruff: noqa: PLC0415 - PyTorch takes seconds to import, --help must not

from __future__ import annotations

from quickgaze.cli.messages import show


def list_data() -> None:
    """List the data sets that can be scored on."""
    from quickgaze.report import plain_table
    from quickgaze.stimuli import DATASETS

    entries = [(name, DATASETS[name]) for name in DATASETS.names()]
    rows = [(name, entry.summary, entry.layout) for name, entry in entries]
    show(plain_table("Data sets", ("name", "what it is", "what --root holds"), rows))
