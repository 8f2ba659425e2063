"""The README's table: cc and NSS by CAM and orientation, beside the baselines, on real gaze.

    python benchmarks/headline.py NAME=ROOT [NAME=ROOT ...]

For example ``salicon=DIR osie=DIR``. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import tempfile

import quickgaze as qg
from quickgaze.findings import summary

ROWS = (
    ("deviation", "none"),
    ("activation", "none"),
    ("eigen", "activation"),
    ("eigen", "oracle"),
    ("eigen", "lapack"),
    ("center", "none"),
    ("spectral_residual", "none"),
    ("uniform", "none"),
)


def cells(dataset: str, root: str) -> dict[tuple[str, str, str], str]:
    """Mean and standard error by CAM, orientation and metric."""
    study = qg.Study(
        qg.load_dataset(dataset, root),
        cams=list(dict.fromkeys(cam for cam, _ in ROWS)),
        orientations=["activation", "oracle", "lapack"],
        levels=["s8", "s16", "s32"],
        level_scale="std",
        metrics=["cc", "nss"],
    )
    with tempfile.TemporaryDirectory() as folder:
        table = summary(study.run(folder))
    return {
        (row["cam"], row["orientation"], row["metric"]): (
            f"{row['mean']:.3f} ± {row['standard_error']:.3f}"
        )
        for row in table.iter_rows(named=True)
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="+", metavar="NAME=ROOT")
    given = [item.partition("=")[::2] for item in parser.parse_args().data]
    found = {name: cells(name, root) for name, root in given}
    columns = [(name, metric) for name in found for metric in ("cc", "nss")]
    print("| CAM | orientation |", *(f"{name}, {metric} ↑ |" for name, metric in columns))
    print("| --- | --- |", *("--- |" for _ in columns))
    for cam, orientation in ROWS:
        values = (found[name][cam, orientation, metric] for name, metric in columns)
        print(f"| `{cam}` | `{orientation}` |", *(f"{value} |" for value in values))


if __name__ == "__main__":
    main()
