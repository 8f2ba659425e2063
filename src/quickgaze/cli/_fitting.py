"""The command that fits a readout to gaze: fit."""

# ruff: noqa: PLC0415 - PyTorch takes seconds to import, --help must not

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quickgaze.cli._messages import complain, end_with, say
from quickgaze.cli._options import OPTION, ROOT, dataset_options, takes_options
from quickgaze.cli._study import introduce, print_summary
from quickgaze.options import FitOptions, keywords


@takes_options()
def fit(
    dataset: Annotated[
        str, typer.Option(help="Data set to fit to: a name that `quickgaze data list` shows.")
    ],
    out: Annotated[Path, typer.Option(help="New folder for the readout and its run.")],
    root: ROOT = None,
    *,
    given: FitOptions,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Fit to the first N stimuli only.")
    ] = None,
    option: OPTION = None,
) -> None:
    """Fit a readout to gaze: where people look, as far as a backbone's features know it."""
    from quickgaze.backbones import keep_freed_memory
    from quickgaze.readouts import RUN, fit_readout
    from quickgaze.stimuli import load_dataset
    from quickgaze.study import open_run

    keep_freed_memory()
    stimuli = load_dataset(dataset, root, **dataset_options(option))
    introduce(stimuli)
    used = stimuli if limit is None else stimuli[:limit]
    readout = fit_readout(used, out=out, **keywords(given))
    failed = len(used) - readout.card.images
    if readout.card.folds:
        finished = open_run(out / RUN)
        print_summary(finished)
        say(f"run folder: {finished.place}")
        gain = readout.card.scores["information_gain"]
        say(f"information gain over the centre bias, out of fold, on the grid: {gain:.3f} bits")
    say(f"readout: {out}")
    complain(f"to use it: quickgaze map IMAGES --readout {out} --out DIR")
    end_with(failed)
