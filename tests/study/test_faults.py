"""What goes wrong in long runs, tried for real. Each test prints what it tried."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import PIL.Image
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import quickgaze as qg
from quickgaze.errors import DamagedRunWarning, RunError, RunInterruptedError
from quickgaze.stimuli import Dataset
from quickgaze.study import Run
from quickgaze.study._tables import TABLES

KILLS = 20
SHARDS = 60
fresh = multiprocessing.get_context("forkserver")
fresh.set_forkserver_preload(["quickgaze.study"])


def displays(count: int = 2 * SHARDS) -> Dataset:
    return qg.load_dataset("popout", n=count, size=(64, 96), set_size=12)


def study(dataset: Dataset, **options: object) -> qg.Study:
    options = {"metrics": ["cc", "auc"], "device": "cpu", "shard_size": 2, **options}
    return qg.Study(dataset, **options)


def assert_same_tables(first: Run, second: Run) -> None:
    for table in TABLES:
        assert_frame_equal(getattr(first, table)(), getattr(second, table)(), abs_tol=1e-6)


def receipts(folder: Path) -> set[str]:
    return {path.name for path in (folder / "shards").glob("part-*.json")}


def run_quietly(folder: Path, count: int, **options: object) -> None:
    """Run in another process, which may be killed at any moment."""
    study(displays(count), **options).run(folder, progress=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """An undisturbed run."""
    return study(displays()).run(tmp_path_factory.mktemp("whole") / "run", progress=False)


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_ends_as_if_it_had_not_been(
    whole: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, chance = tmp_path / "run", random.Random(5)  # noqa: S311 - no secret
    kills, progress = 0, []
    while not (folder / "manifest.json").exists():
        process = fresh.Process(target=run_quietly, args=(folder, 2 * SHARDS))
        process.start()
        before, more = receipts(folder), chance.choice([0, 0, 1])
        deadline = time.monotonic() + 120
        while process.is_alive() and len(receipts(folder) - before) < more:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        # killed often enough, it may end
        process.join(chance.uniform(0.0, 0.05 if more else 0.8) if kills < 28 else None)
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.join()
        assert process.exitcode in (0, -signal.SIGKILL)
        assert before <= receipts(folder), "what was there must stay"
        progress.append(len(receipts(folder)))
        if (folder / "plan.json").exists():
            assert qg.open_run(folder).scores().height == 12 * len(receipts(folder))
    assert kills >= KILLS
    assert_same_tables(qg.open_run(folder), whole)
    with capsys.disabled():
        print(f"\n  killed {kills} times with -9; shards kept after each: {progress}")


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[bool]:
    """Mount a file system in memory, where this user may."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    may = subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603
    try:
        yield may
    finally:
        if may:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S603, S607


def limited(folder: Path, count: int) -> None:
    """Run where no file may be longer than 3 kB."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
    run_quietly(folder, count)


@pytest.mark.slow
def test_a_full_disk_keeps_what_was_computed(whole: Run, tmp_path: Path) -> None:
    with mounted(tmp_path / "small", "size=400k") as may:
        folder = tmp_path / "small" / "run"
        if not may:
            process = fresh.Process(target=limited, args=(folder, 2 * SHARDS))
            process.start()
            process.join()
            assert process.exitcode == 1
            return
        with pytest.raises(RunError, match=r"No space left on device.*same command again"):
            study(displays()).run(folder, progress=False)
        kept = receipts(folder)
        assert 0 < len(kept) < SHARDS
        assert not list(folder.rglob("*.tmp"))
        more = ["mount", "-o", "remount,size=100m", str(folder.parent)]
        subprocess.run(more, check=True)  # noqa: S603
        run = study(displays()).run(folder, progress=False)
        assert_same_tables(run, whole)
        print(f"disk full after {len(kept)} of {SHARDS} shards; went on once there was room")


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with mounted(tmp_path / "readonly", "size=400k,ro") as may:
        folder = tmp_path / "readonly"
        if not may and os.geteuid() == 0:
            pytest.skip("root may write anywhere, and may not mount here")
        if not may:
            folder.chmod(0o500)
        with pytest.raises(RunError, match=r"cannot be written: (Read-only|Permission denied)"):
            study(displays(4)).run(folder / "run", progress=False)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "a table is cut off": lambda run: cut(run / "scores" / "part-00001.parquet"),
    "a table is garbage": lambda run: (run / "maps" / "part-00001.parquet").write_bytes(b"x" * 99),
    "a bit has flipped": lambda run: flip(run / "bounds" / "part-00001.parquet"),
    "a table is gone": lambda run: (run / "undefined" / "part-00001.parquet").unlink(),
    "a receipt is cut off": lambda run: cut(run / "shards" / "part-00001.json"),
}


def cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_shard_is_found_named_and_computed_anew(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    options = {"backbones": ["efficientnet_lite0"], "orientations": ["activation"]}
    run = study(displays(6), **options).run(tmp_path / "run", progress=False)
    before = {table: getattr(run, table)() for table in TABLES}
    untouched = (run.path / "scores" / "part-00002.parquet").stat().st_mtime_ns
    damage(run.path)
    with pytest.warns(DamagedRunWarning, match="shard") as told:
        again = study(displays(6), **options).run(run.path, progress=False)
    assert len(told) == 1
    assert "00001" in str(told[0].message) or "shard 1" in str(told[0].message)
    for table, frame in before.items():
        assert_frame_equal(getattr(again, table)(), frame, abs_tol=1e-6)
    assert (run.path / "scores" / "part-00002.parquet").stat().st_mtime_ns == untouched


def test_a_stray_file_among_the_receipts_is_no_shard(tmp_path: Path) -> None:
    whole = study(displays(2)).run(tmp_path / "run", progress=False)
    scores = whole.scores()
    for name in ("desktop.ini", "part-00000.json.bak"):
        (whole.path / "shards" / name).write_text("stray")
    assert qg.open_run(whole.path).scores().equals(scores)
    assert study(displays(2)).run(whole.path, progress=False).complete


def test_reading_a_damaged_table_names_the_file(tmp_path: Path) -> None:
    run = study(displays(2), cams=["center"]).run(tmp_path / "run", progress=False)
    cut(run.path / "scores" / "part-00000.parquet")
    with pytest.raises(RunError, match=r"scores/part-00000\.parquet is damaged.*computed? .*anew"):
        run.scores()


@dataclass(frozen=True)
class Fickle:
    """An image that is replaced or removed when another one is read."""

    path: Path
    source: object
    action: Callable[[], object]

    def read(self) -> np.ndarray:
        self.action()
        return self.source.read()

    def size(self) -> tuple[int, int]:
        return self.source.size()

    def fingerprint(self) -> str:
        return "fickle"


def test_a_stimulus_that_changes_or_vanishes_midway_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for i, display in enumerate(displays(5)):
        PIL.Image.fromarray(display.image()).save(tmp_path / "images" / f"{i}.png")
    dataset = qg.load_dataset("folder", tmp_path)
    gaze = displays(5)

    def act() -> None:
        (tmp_path / "images" / "3.png").unlink(missing_ok=True)
        PIL.Image.new("RGB", (90, 60), "red").save(tmp_path / "new.png")
        (tmp_path / "new.png").replace(tmp_path / "images" / "4.png")

    sources = [stimulus.source for stimulus in dataset]
    sources[0] = Fickle(tmp_path, sources[0], act)
    stimuli = tuple(
        replace(stimulus, source=source, gaze=display.gaze)
        for stimulus, source, display in zip(dataset, sources, gaze, strict=True)
    )
    fickle = replace(dataset, stimuli=stimuli)
    run = study(fickle, cams=["center"], bounds=[], shard_size=1).run(
        tmp_path / "run", batch_size=1, helpers=0, progress=False
    )
    failures = {row["stimulus"]: row["message"] for row in run.failures().rows(named=True)}
    assert set(failures) <= {"3", "4"}
    assert "4" in failures or "3" in failures
    assert set(run.scores()["stimulus"]) == {"0", "1", "2", "3", "4"} - set(failures)
    assert "has changed since the run began" in failures.get("4", "has changed since the run began")


def test_a_changed_stimulus_is_refused_on_resuming(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for i, display in enumerate(displays(3)):
        PIL.Image.fromarray(display.image()).save(tmp_path / "images" / f"{i}.png")
    run = study(qg.load_dataset("folder", tmp_path), bounds=[]).run(
        tmp_path / "run", progress=False
    )
    PIL.Image.new("RGB", (90, 60), "red").save(tmp_path / "images" / "1.png")
    with pytest.raises(RunError, match="1 stimuli have changed, the first is '1'"):
        study(qg.load_dataset("folder", tmp_path), bounds=[]).run(run.path, progress=False)


@pytest.mark.slow
def test_ctrl_c_finishes_the_shard_and_says_how_to_go_on(whole: Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    program = "from quickgaze.cli import main; main()"
    options = ["--dataset", "popout", "--option", f"n={2 * SHARDS}", "--option", "size=[64, 96]"]
    options += ["--option", "set_size=12"]
    options += ["--metrics", "cc,auc", "--shard-size", "2", "--device", "cpu", "--out", str(folder)]
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", program, "run", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None and len(receipts(folder)) < 2:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    kept = len(receipts(folder))
    assert process.returncode == 130, err
    assert 2 <= kept < SHARDS
    assert f"stopped after {kept} of {SHARDS} shards" in " ".join(err.split())
    assert "run the same command again" in " ".join(err.split())
    assert not (folder / "manifest.json").exists()
    assert_same_tables(study(displays()).run(folder, progress=False), whole)


def test_a_stop_in_this_process_is_an_error_of_its_own(tmp_path: Path) -> None:
    class Pressed:
        """Gaze that sends the signal when it is read."""

        def read(self, _size: tuple[int, int]) -> None:
            os.kill(os.getpid(), signal.SIGINT)

        def fingerprint(self) -> str:
            return "pressed"

    dataset = displays(40)
    stimuli = (replace(dataset[0], gaze=Pressed()), *dataset.stimuli[1:])
    pressed = replace(dataset, stimuli=stimuli)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(RunInterruptedError, match="run the same command again"):
        study(pressed, bounds=[], shard_size=1).run(tmp_path / "run", progress=False)
    assert signal.getsignal(signal.SIGINT) == before
    assert receipts(tmp_path / "run")


def test_two_runs_at_once_on_one_folder_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = fresh.Process(target=run_quietly, args=(folder, 200))
    process.start()
    while process.is_alive() and not receipts(folder):
        time.sleep(0.01)
    assert process.is_alive()
    with pytest.raises(RunError, match=rf"is being written by process {process.pid} of "):
        study(displays(200)).run(folder, progress=False)
    # it can be read meanwhile
    assert qg.open_run(folder).scores().height % 12 == 0
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    holder = json.loads((folder / "holder.json").read_bytes())
    assert holder["process"] == process.pid
    # a dead owner does not keep the folder: it is open to be held against another study
    with pytest.raises(RunError, match="another study"):
        study(displays(200), metrics=["cc"]).run(folder, progress=False)


def test_every_read_while_writing_is_whole(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = fresh.Process(target=run_quietly, args=(folder, 40))
    process.start()
    heights = []
    while process.is_alive():
        if (folder / "plan.json").exists():
            scores = qg.open_run(folder).scores()
            heights.append(scores.height)
            assert scores.height % 12 == 0
            assert scores.select(pl.col("cc").is_null().any()).item() in (False, None)
        time.sleep(0.01)
    process.join()
    assert process.exitcode == 0
    assert heights == sorted(heights)
    assert len(set(heights)) > 3
