"""Fit the readout that comes with quickgaze, and write its card.

    python examples/fit_osie_readout.py OSIE [OUT]

OSIE is a folder with the data set's ``fixations.mat`` and the images that it is to be fitted to in
``stimuli/``. OUT is the folder that quickgaze reads the readouts that come along from.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import quickgaze as qg
from quickgaze.cams import ReadoutCard

BACKBONE, NAME = "efficientnet_lite0", "osie"
PACKAGED = Path(__file__).parents[1] / "src" / "quickgaze" / "cams" / "readouts"

CARD = """# {name}

Predicts where people look in a photograph, from the features of {backbone} (weights {weights}, SHA-256 {hash}), which are not
trained: {hidden} units of {levels} on the grid {grid}, a blur and a centre bias.

| | |
| --- | --- |
| fitted on | {images} images of {dataset} ({edition}), 15 observers each, free viewing for 3 seconds |
| data | J. Xu, M. Jiang, S. Wang, M. S. Kankanhalli, Q. Zhao, "Predicting human gaze beyond pixels", Journal of Vision 14(1):28, 2014 |
| licence of the data | {licence} |
| out of fold | {scores} ({folds} folds, seed {seed}) |
| chosen | {chosen} |
| made with | {versions} |

The information gain is over the centre bias of the other images, in bits a fixation on the grid.

## What it is not

- Not DeepGaze, nor as good: one small network, and few images.
- Not for other pictures than everyday photographs: drawings, screens, plots and displays of experiments are nothing that it has seen.
- Not for a task: people looked freely. Searching, reading or driving, they look elsewhere.
- Not a person: it says where 15 observers of one laboratory looked on average, and nothing of anyone in particular, of order or of time.
- Not for screens of another geometry without thought: its centre bias is that of one laboratory.

Made by `examples/fit_osie_readout.py`.
"""  # noqa: E501 - lines of a page


def main() -> None:
    """Fit, save, and write the card."""
    root = Path(sys.argv[1])
    out = Path(sys.argv[2]) if len(sys.argv) > 2 else PACKAGED
    dataset = qg.load_dataset("osie", root)
    with tempfile.TemporaryDirectory() as scratch:
        readout = qg.fit_readout(dataset, BACKBONE, licence="MIT", out=Path(scratch) / "fit")
    out.mkdir(parents=True, exist_ok=True)
    file = readout.save(out / f"{BACKBONE}-{NAME}.safetensors")
    page = file.with_suffix(".md")
    page.write_text(described(readout.card), encoding="utf-8")
    sys.stdout.write(f"{file}: {file.stat().st_size:,} bytes\n{page}\n")


def described(card: ReadoutCard) -> str:
    """Write a card for people."""
    return CARD.format(
        name=f"{BACKBONE}-{NAME}",
        backbone=card.backbone,
        weights=card.weights,
        hash=card.weights_hash[:16],
        hidden=card.hidden,
        levels=", ".join(card.levels),
        grid=card.grid,
        images=card.images,
        dataset=card.dataset,
        edition=card.edition,
        licence=card.licence,
        folds=card.folds,
        seed=card.seed,
        scores=", ".join(f"{name} {score:.3f}" for name, score in card.scores.items()),
        chosen=", ".join(f"{name} {value:g}" for name, value in card.chosen.items()),
        versions=", ".join(f"{name} {number}" for name, number in card.versions.items()),
    )


if __name__ == "__main__":
    main()
