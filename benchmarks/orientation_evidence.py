"""How often each orientation rule inverts a map, and the mean cc, on real gaze.

    python benchmarks/orientation_evidence.py NAME=ROOT [NAME=ROOT ...] [--backbone NAME]

For example ``salicon=DIR osie=DIR``. Prints a Markdown table per data set.
"""

from __future__ import annotations

import argparse
import tempfile

import polars as pl

import quickgaze as qg
from quickgaze.cams import ORIENTATIONS
from quickgaze.findings import orientation_audit


def evidence(dataset: str, root: str, backbone: str) -> pl.DataFrame:
    """Audit of a data set on the coarsest grid, with all levels and with the coarser half."""
    parts = []
    stimuli = qg.load_dataset(dataset, root)
    for title, levels in (("all", None), ("s8 to s32", ["s8", "s16", "s32"])):
        study = qg.Study(stimuli, [backbone], levels=levels, metrics=["cc"])
        with tempfile.TemporaryDirectory() as folder:
            audit = orientation_audit(study.run(folder))
        parts.append(audit.with_columns(pl.lit(title).alias("levels")))
    return pl.concat(parts)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="+", metavar="NAME=ROOT")
    parser.add_argument("--backbone", default="efficientnet_lite0")
    arguments = parser.parse_args()
    for item in arguments.data:
        name, _, root = item.partition("=")
        audit = evidence(name, root, arguments.backbone)
        print(f"\n{name}, {audit['images'].max()} images, {arguments.backbone}\n")
        print("| levels | orientation | maps inverted | mean cc | cc lost | median margin |")
        print("| --- | --- | --- | --- | --- | --- |")
        for row in audit.iter_rows(named=True):
            rule = f"`{row['orientation']}`: {ORIENTATIONS[row['orientation']].summary}"
            # LAPACK's sign is no choice between more and less likely, so it has no margin.
            margin = "" if row["orientation"] == "lapack" else f"{row['margin']:.2f}"
            print(
                f"| {row['levels']} | {rule} | {row['inverted']:.0%} | {row['cc']:.3f} "
                f"| {row['lost']:.3f} | {margin} |"
            )


if __name__ == "__main__":
    main()
