"""What goes with agreement: attributes of the images, and the claims of the CAP6415 study."""

from __future__ import annotations

import polars as pl

from quickgaze.errors import OptionError
from quickgaze.findings import attribute_effects, attribute_regression, study_claims
from quickgaze.findings.traits import matched
from quickgaze.report._charts import effects_chart
from quickgaze.report._contents import Bootstrap, Chapter, Figure, Part, Table
from quickgaze.report._subjects import Subject
from quickgaze.report._words import count, number, probability, with_interval

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
    parts = []
    if attributes is not None and attributes.width > 1:
        for run in subject.having(subject.metric):
            own = _attributes_of_run(subject, run, attributes)
            if own.width > 1:
                parts.append(_part(subject, run, own, bootstrap))
    return Chapter("attributes", "Attributes", _TEXT, parts, "" if parts else _MISSING)


def _attributes_of_run(subject: Subject, run: int, attributes: pl.DataFrame) -> pl.DataFrame:
    """Rows of one run's stimuli, under their own ids, without what is never known there."""
    name = subject.dataset(run)
    places = [place for place, (dataset, _) in enumerate(subject.keys) if dataset == name]
    own = attributes[places].with_columns(
        pl.Series("stimulus", [subject.keys[place][1] for place in places], pl.String)
    )
    known = [column.name for column in own if column.null_count() < len(column)]
    return own.select(known)


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
    opened, metric = subject.runs[run], subject.metric
    variant = subject.main_of(run)
    keys = dict(variant.keys)
    effects = attribute_effects(opened, attributes, metric, variant=keys, **bootstrap)
    tests = effects["tests"].max()
    texts = [f"Variant: {variant.label}; {metric}; {count(tests or 0)} tests."]  # type: ignore[arg-type]
    claimed = effects.filter("claimed")["sentence"].to_list()
    texts += claimed or ["Nothing is claimed: no effect stands out from chance."]
    figures = [
        figure
        for kind, title in _EFFECTS.items()
        if (figure := _figure(effects, kind, title.format(metric), subject.suffix(run))) is not None
    ]
    tables = [_effects(effects, f"attributes{subject.suffix(run)}")]
    for more in (_claims, _regression):
        found = more(subject, run, attributes, bootstrap)
        if isinstance(found, Table):
            tables.append(found)
        else:
            texts.append(found)
    return Part(subject.title(run), figures, tables, texts)


def _figure(effects: pl.DataFrame, kind: str, title: str, suffix: str) -> Figure | None:
    shown = (
        effects.filter(pl.col("kind") == kind, pl.col("low").is_not_null())
        .sort(pl.col("effect").abs(), descending=True)
        .select(
            "effect",
            "low",
            "high",
            "claimed",
            "sentence",
            name=pl.col("attribute").str.slice(0, 60),
        )
    )
    if shown.is_empty():
        return None
    caption = f"Effects with 95 % intervals: {title}. Claimed effects are in colour."
    name = f"attributes-{kind.replace('/', '-')}{suffix}"
    return Figure(name, caption, effects_chart(shown.head(60), title))


def _effects(effects: pl.DataFrame, name: str) -> Table:
    rows = [
        {
            "attribute": row["attribute"],
            "effect": with_interval(row["effect"], row["low"], row["high"]),
            "with": number(row["mean_with"]),
            "without": number(row["mean_without"]),
            "images": count(row["images"]),
            "q": probability(row["q"]),
            "in words": row["sentence"] or row["reason"] or "",
        }
        for row in effects.iter_rows(named=True)
    ]
    caption = (
        "All tests. Effects of yes or no are differences of means, those of numbers are rank "
        "correlations; q is the false discovery rate."
    )
    return Table(name, caption, pl.DataFrame(rows), effects)


def _claims(
    subject: Subject, run: int, attributes: pl.DataFrame, bootstrap: Bootstrap
) -> Table | str:
    keys = dict(subject.main_of(run).keys)
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
    rows = [
        {
            "claim": row["claim"],
            "verdict": row["verdict"],
            "effect": with_interval(row["effect"], row["low"], row["high"]),
            "images with": count(row["images_with"]),
            "without": count(row["images_without"]),
            "q": probability(row["q"]),
            "in words": row["sentence"] or row["reason"] or "",
        }
        for row in found.iter_rows(named=True)
    ]
    caption = "Tests of what the CAP6415 study saw by eye."
    return Table(f"claims{subject.suffix(run)}", caption, pl.DataFrame(rows), found)


def _regression(
    subject: Subject, run: int, attributes: pl.DataFrame, bootstrap: Bootstrap
) -> Table | str:
    del bootstrap  # the regression needs none
    keys = dict(subject.main_of(run).keys)
    try:
        found = attribute_regression(subject.runs[run], attributes, subject.metric, variant=keys)
    except OptionError as error:
        return f"No regression on all attributes together: {error}."
    rows = [
        {
            "attribute": row["attribute"],
            "coefficient": with_interval(row["coefficient"], row["low"], row["high"]),
            "q": probability(row["q"]),
            "variance inflation": number(row["variance_inflation"], 1),
            "remark": row["reason"] or "",
        }
        for row in found.iter_rows(named=True)
    ]
    caption = (
        f"All attributes together (least squares, HC3): how much {subject.metric} differs with "
        "each, all else equal; for numbers, per standard deviation."
    )
    return Table(f"regression{subject.suffix(run)}", caption, pl.DataFrame(rows), found)
