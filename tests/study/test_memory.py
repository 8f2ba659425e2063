"""Memory does not grow with the number of images."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# In a process of its own, so that nothing else has filled or fragmented its memory.
RUN = """
import sys
from pathlib import Path
import quickgaze as qg
from quickgaze.study.tables import TableStore

write = TableStore.write

def write_and_measure(self, shard, tables):
    write(self, shard, tables)
    status = Path("/proc/self/status").read_text().splitlines()
    print(next(line.split()[1] for line in status if line.startswith("VmRSS")), flush=True)

TableStore.write = write_and_measure
displays = qg.load_dataset("popout", n=2000, size=(64, 96), set_size=12)
rule = ["activation"]
study = qg.Study(displays, orientations=rule, metrics=["cc"], shard_size=100, device="cpu")
run = study.run(sys.argv[1], progress=False)
assert run.manifest["counts"]["scored"] == 2000
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_a_run_over_2000_images_does_not_grow(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", RUN, str(tmp_path / "run")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    megabytes = [int(line) / 1024 for line in done.stdout.split()]
    assert len(megabytes) == 20
    assert max(megabytes[1:]) - megabytes[0] < 50, megabytes
