"""Readouts fitted on one data set and tested on others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from quickgaze.errors import OptionError
from quickgaze.findings._means import means
from quickgaze.findings._summary import VARIANT
from quickgaze.findings.kinds import READOUT
from quickgaze.study import Run
from quickgaze.study.readout_facts import ReadoutFacts

_FACTS = (
    "backbone",
    "levels",
    "what",
    "random_weights",
    "fitted_on",
    "tested_on",
    "changed",
    "seen",
)


def across(
    runs: Run | Sequence[Run],
    metrics: str | Sequence[str] | None = None,
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> pl.DataFrame:
    """Tabulate readouts by what they were fitted on and what they are tested on.

    Much of what a readout has learnt of a data set is its centre bias and blur [1]_: compare it as
    it was fitted with what `Readout.adapted` gives.

    Parameters
    ----------
    runs : Run or sequence of Run
        Those of `quickgaze.fit_readout`, out of fold, and of studies that were given a readout, on
        any data sets. Runs without a readout add nothing.
    metrics : str or sequence of str, optional
        By default those of each run.
    confidence, resamples, seed
        As in `means`.

    Returns
    -------
    polars.DataFrame
        A row per readout, run and metric, in the order of the runs: ``backbone``, ``levels``,
        ``what`` (linear, or with how many hidden units), ``random_weights`` (whether the network
        was never trained), ``fitted_on`` and ``tested_on`` (data sets with their editions),
        ``changed`` (what is not as fitted; empty where all is), ``seen`` (as in
        `shown_and_known`), then the columns of `means` from ``metric`` on: among them ``chance``,
        which is what the tested data set's own centre bias scores, and ``people``.

    Raises
    ------
    UnknownNameError
        If a run has no such metric.
    OptionError
        If no run has a readout.

    References
    ----------
    .. [1] M. Kümmerer, H. Khanuja, M. Bethge, "Modeling saliency dataset bias", ICCV 2025.

    Examples
    --------
    >>> import quickgaze as qg, tempfile
    >>> displays = qg.load_dataset("popout", n=6, size=(120, 160))
    >>> others = qg.load_dataset("popout", n=6, size=(160, 120), seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     readout = qg.fit_readout(displays, levels=["s8"], folds=0, progress=False)
    ...     plain = readout.adapted("popout", centre_weight=0)
    ...     runs = [
    ...         qg.Study(others, cams=["readout"], readout=each, sigmas=[0], metrics=["nss"]).run(
    ...             f"{folder}/{name}", progress=False
    ...         )
    ...         for name, each in (("fitted", readout), ("plain", plain))
    ...     ]
    ...     across(runs)["changed"].to_list()
    ['', 'no centre bias']
    """
    opened = [runs] if isinstance(runs, Run) else list(runs)
    tables = [
        _of_readout(run, backbone, facts, metrics, confidence, resamples, seed)
        for run in opened
        for backbone, facts in _readouts(run)
    ]
    if not tables:
        raise OptionError(
            "none of the runs has a readout; give those that quickgaze fit wrote, or that were "
            "computed with --readout"
        )
    return pl.concat(tables)


def _readouts(run: Run) -> Iterator[tuple[str, ReadoutFacts]]:
    scored = run.scores().filter(cam=READOUT)["backbone"].unique(maintain_order=True)
    for backbone in scored:
        facts = ReadoutFacts.of_plan(run.plan, backbone)
        if facts is not None:
            yield backbone, facts


def _of_readout(
    run: Run,
    backbone: str,
    facts: ReadoutFacts,
    metrics: str | Sequence[str] | None,
    confidence: float,
    resamples: int,
    seed: int,
) -> pl.DataFrame:
    found = means(
        run,
        metrics,
        variant={"backbone": backbone, "cam": READOUT},
        confidence=confidence,
        resamples=resamples,
        seed=seed,
    )
    told = (
        backbone,
        ", ".join(facts.levels),
        facts.kind,
        facts.random,
        f"{facts.dataset} ({facts.edition})",
        run.plan.dataset.title,
        ", ".join(facts.changed),
        facts.seen(run.plan.dataset),
    )
    columns = [pl.lit(value).alias(name) for name, value in zip(_FACTS, told, strict=True)]
    return found.select(*columns, pl.exclude(*VARIANT))
