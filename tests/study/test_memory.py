"""Memory does not grow with the number of images, nor do scores take long to read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

STUDIES = {
    "2,000 displays": """
displays = qg.load_dataset("popout", n=2000, size=(64, 96), set_size=12)
study = qg.Study(
    displays, orientations=["activation"], metrics=["cc"], shard_size=100, device="cpu"
)
""",
    "20,000 small displays": """
class Small(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Conv2d(3, 6, 3, stride=8, padding=1)

    def forward(self, batch):
        return self.layers(batch)

torch.manual_seed(0)
half = (0.5, 0.5, 0.5)
backbone = qg.wrap_backbone(Small(), {"only": "layers"}, name="small", mean=half, std=half)
displays = qg.load_dataset("popout", n=20_000, size=(40, 40), set_size=4)
study = qg.Study(
    displays, [backbone], orientations=["activation"], metrics=["cc"], bounds=[], shard_size=200
)
""",
}
# In a process of its own, so that nothing else has filled or fragmented its memory.
RUN = """
import sys
import time
from pathlib import Path
import torch
import quickgaze as qg
from quickgaze.study._tables import TableStore

write = TableStore.write

def write_and_measure(self, shard, tables):
    write(self, shard, tables)
    status = Path("/proc/self/status").read_text().splitlines()
    print(next(line.split()[1] for line in status if line.startswith("VmRSS")), flush=True)

TableStore.write = write_and_measure
STUDY
run = study.run(sys.argv[1], progress=False, batch_size=8)
assert run.manifest["counts"]["scored"] == len(displays)
started = time.perf_counter()
assert run.scores().height == len(displays)
assert time.perf_counter() - started < 1
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("study", STUDIES.values(), ids=STUDIES)
def test_a_long_run_does_not_grow(study: str, tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", RUN.replace("STUDY", study), str(tmp_path / "run")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    megabytes = [int(line) / 1024 for line in done.stdout.split()]
    tenth = len(megabytes) // 10
    assert len(megabytes) >= 20
    assert max(megabytes[tenth:]) - megabytes[tenth - 1] < 50, megabytes
