"""What goes with agreement: attributes of the images, and the claims of the CAP6415 study."""

from __future__ import annotations

import polars as pl

from quickgaze.errors import OptionError
from quickgaze.findings import attribute_effects, attribute_regression, study_claims
from quickgaze.findings.traits import matched
from quickgaze.report._charts import effects_chart
from quickgaze.report._contents import Bootstrap, Chapter, Figure, Part, Table
from quickgaze.report._subjects import Subject
from quickgaze.report._words import texts

_TEXT = (
    "Which kinds of images go with better or worse agreement. This is exploration: all tests are "
    "listed, their false discovery rate is held at 5 %, and what goes together is not always cause "
    "and effect. An effect is claimed where its interval excludes 0."
)
_MISSING = (
    "It needs attributes of the images: give --attributes FILE (a CSV or Parquet table with a "
    "column stimulus, or COCO's instance annotations as JSON; repeatable), or --image-statistics "
    "together with the photographs."
)
_EFFECTS = {"yes/no": "difference of mean {}", "numeric": "rank correlation with {}"}


def attributes_chapter(
    subject: Subject, attributes: pl.DataFrame | None, bootstrap: Bootstrap
) -> Chapter:
    """Write what goes with agreement in each run with attributes, a row per stimulus."""
    of_runs = {
        run: _attributes_of_run(subject, run, attributes)
        for run in subject.having(subject.metric)
        if attributes is not None
    }
    parts = [_part(subject, run, own, bootstrap) for run, own in of_runs.items() if own.width > 1]
    return Chapter("attributes", "Attributes", _TEXT, parts, _MISSING)


def _attributes_of_run(subject: Subject, run: int, attributes: pl.DataFrame) -> pl.DataFrame:
    """Rows of one run's stimuli, under their own ids, without what is never known there."""
    name = subject.dataset(run)
    places = [place for place, (dataset, _) in enumerate(subject.keys) if dataset == name]
    own = attributes[places].with_columns(
        pl.Series("stimulus", [subject.keys[place][1] for place in places], pl.String)
    )
    return own.select(column.name for column in own if column.null_count() < len(column))


def match_attributes(subject: Subject, tables: list[pl.DataFrame]) -> pl.DataFrame | None:
    """Put attribute tables side by side, a row for each stimulus under its name for readers."""
    if not tables:
        return None
    identifiers = [identifier for _, identifier in subject.keys]
    unique = list(dict.fromkeys(identifiers))
    together = pl.DataFrame({"stimulus": unique}, {"stimulus": pl.String})
    for table in tables:
        own = matched(unique, table)
        twice = [name for name in own.columns if name in together.columns]
        if twice:
            raise OptionError(
                f"two tables of attributes have {twice[0]!r}; rename it in one, or leave one out"
            )
        together = together.hstack(own)
    order = pl.DataFrame({"stimulus": identifiers}, {"stimulus": pl.String})
    rows = order.join(together, on="stimulus", how="left", maintain_order="left")
    return rows.with_columns(pl.Series("stimulus", subject.stimuli, pl.String))


def _part(subject: Subject, run: int, attributes: pl.DataFrame, bootstrap: Bootstrap) -> Part:
    metric, variant, suffix = subject.metric, subject.main_of(run), subject.suffix(run)
    effects = attribute_effects(
        subject.runs[run], attributes, metric, variant=variant.keys, **bootstrap
    )
    tests = effects.select(pl.col("tests").max()).item() or 0
    claimed = effects.filter("claimed")["sentence"].to_list()
    columns = ("attribute", "effect", "mean_with", "mean_without", "images", "q", "words")
    caption = (
        "All tests. Effects of yes or no are differences of means, those of numbers are rank "
        "correlations; q is the false discovery rate."
    )
    found = [
        Table(f"attributes{suffix}", caption, texts(_in_words(effects), *columns), effects),
        _claims(subject, run, attributes, bootstrap),
        _regression(subject, run, attributes),
    ]
    return Part(
        subject.title(run),
        _figures(effects, metric, suffix),
        [each for each in found if isinstance(each, Table)],
        [
            f"Variant: {variant.label}; {metric}; {tests:,} tests.",
            *(claimed or ["Nothing is claimed: no effect stands out from chance."]),
            *(each for each in found if isinstance(each, str)),
        ],
    )


def _figures(effects: pl.DataFrame, metric: str, suffix: str) -> list[Figure]:
    """Charts of the largest effects of each kind."""
    shown = (
        effects.filter(pl.col("low").is_not_null())
        .sort(pl.col("effect").abs(), descending=True)
        .with_columns(name=pl.col("attribute").str.slice(0, 60))
    )
    figures = []
    for kind, of_kind in _EFFECTS.items():
        title = of_kind.format(metric)
        own = shown.filter(pl.col("kind") == kind).head(60)
        if own.height:
            caption = f"Effects with 95 % intervals: {title}. Claimed effects are in colour."
            name = f"attributes-{kind.replace('/', '-')}{suffix}"
            figures.append(Figure(name, caption, effects_chart(own, title)))
    return figures


def _in_words(found: pl.DataFrame) -> pl.DataFrame:
    return found.with_columns(words=pl.coalesce("sentence", "reason"))


def _claims(
    subject: Subject, run: int, attributes: pl.DataFrame, bootstrap: Bootstrap
) -> Table | str:
    keys = subject.main_of(run).keys
    try:
        found = study_claims(
            subject.runs[run], attributes, subject.metric, variant=keys, **bootstrap
        )
    except OptionError:
        return (
            "The claims of the CAP6415 study (animals agree; food and vehicles invert; text and "
            "faces draw people only) need columns such as animals, food, vehicles, has_text or "
            "faces."
        )
    columns = ("claim", "verdict", "effect", "images_with", "images_without", "q", "words")
    caption = "Tests of what the CAP6415 study saw by eye."
    view = texts(_in_words(found), *columns)
    return Table(f"claims{subject.suffix(run)}", caption, view, found)


def _regression(subject: Subject, run: int, attributes: pl.DataFrame) -> Table | str:
    keys = subject.main_of(run).keys
    try:
        found = attribute_regression(subject.runs[run], attributes, subject.metric, variant=keys)
    except OptionError as error:
        return f"No regression on all attributes together: {error}."
    view = texts(found, "attribute", "coefficient", "q", "variance_inflation", "reason")
    caption = (
        f"All attributes together (least squares, HC3): how much {subject.metric} differs with "
        "each, all else equal; for numbers, per standard deviation."
    )
    return Table(f"regression{subject.suffix(run)}", caption, view, found)
