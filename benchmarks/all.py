"""Run every benchmark, one after the other, and keep what each printed.

    python benchmarks/all.py [NAME ...]

What NAME.py printed goes to benchmarks/results/NAME.md, with the command above it. Each runs in a
process of its own; leave the machine alone meanwhile, about half an hour on two cores.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
NAMES = ("notebook", "eigen_cam", "metrics", "run", "growth", "scaling")


def main() -> None:
    """Run what is named, or all."""
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    failed = []
    for name in sys.argv[1:] or NAMES:
        print(f"benchmarks/{name}.py", flush=True)
        done = subprocess.run(  # noqa: S603 - our own scripts
            [sys.executable, str(HERE / f"{name}.py")],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        print(done.stdout, flush=True)
        if done.returncode:
            failed.append(name)
            continue
        text = f"# `python benchmarks/{name}.py`\n\n{done.stdout.strip()}\n"
        (results / f"{name}.md").write_text(text)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
