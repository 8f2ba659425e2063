"""Threads and processes that do tasks beside the device."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from polars.testing import assert_frame_equal
from threadpoolctl import threadpool_info

import quickgaze as qg
from quickgaze.study._helpers import (
    HelperDiedError,
    Helpers,
    ProcessHelpers,
    ThreadHelpers,
    blas_alone,
)


@dataclass(frozen=True)
class Tasks:
    """Something to do, some of which is deadly."""

    folder: Path

    def double(self, number: int) -> int:
        return 2 * number

    def die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def die_once(self, number: int) -> int:
        mark = self.folder / str(number)
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    def fail(self) -> None:
        raise ValueError("no")

    def threads(self) -> int:
        torch.ones(2**20).sum()  # a loop that several threads would share
        return torch.get_num_threads()


@pytest.fixture(scope="module", params=["threads", "processes"])
def helpers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Helpers[Tasks]]:
    tasks = Tasks(tmp_path_factory.mktemp("tasks"))
    made = ThreadHelpers(tasks) if request.param == "threads" else ProcessHelpers(tasks, 2)
    yield made
    made.close()


def test_tasks_are_done_in_the_background(helpers: Helpers[Tasks]) -> None:
    tickets = [helpers.submit(Tasks.double, number) for number in range(20)]
    assert [ticket.result() for ticket in tickets] == list(range(0, 40, 2))


def test_what_a_task_raises_is_raised_where_it_is_waited_for(helpers: Helpers[Tasks]) -> None:
    ticket = helpers.submit(Tasks.fail)
    with pytest.raises(ValueError, match="no"):
        ticket.result()


def test_helping_threads_loop_alone_and_leave_the_network_its_own(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    helpers = ThreadHelpers(Tasks(tmp_path))
    try:
        assert {helpers.submit(Tasks.threads).result() for _ in range(4)} == {1}
        assert torch.get_num_threads() == 2
    finally:
        helpers.close()
        torch.set_num_threads(before)


def test_blas_computes_alone_for_as_long_as_the_context_lasts() -> None:
    def threads() -> list[int]:
        return [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]

    before = threads()
    with blas_alone():
        assert set(threads()) == {1}
    assert threads() == before


def test_a_process_that_dies_is_replaced_and_nothing_is_lost(tmp_path: Path) -> None:
    helpers = ProcessHelpers(Tasks(tmp_path), 2)
    try:
        tickets = [
            helpers.submit(Tasks.die_once if number in (2, 5) else Tasks.double, number)
            for number in range(8)
        ]
        expected = [number if number in (2, 5) else 2 * number for number in range(8)]
        assert [ticket.result() for ticket in tickets] == expected
    finally:
        helpers.close()


def test_a_task_that_always_kills_its_process_fails_alone(tmp_path: Path) -> None:
    helpers = ProcessHelpers(Tasks(tmp_path), 1)
    try:
        before = [helpers.submit(Tasks.double, number) for number in range(4)]
        deadly = helpers.submit(Tasks.die)
        after = [helpers.submit(Tasks.double, number) for number in range(4)]
        assert [ticket.result() for ticket in before] == [0, 2, 4, 6]
        with pytest.raises(HelperDiedError, match="died 3 times"):
            deadly.result()
        assert [ticket.result() for ticket in after] == [0, 2, 4, 6]
    finally:
        helpers.close()


class Deadly:
    """An image whose decoder crashes the process that reads it."""

    def read(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def size(self) -> tuple[int, int]:
        return 120, 160

    def fingerprint(self) -> str:
        return "deadly"


@pytest.mark.slow
def test_an_image_that_kills_its_reader_is_a_failure_and_no_other(tmp_path: Path) -> None:
    displays = qg.load_dataset("popout", n=8, size=(120, 160))
    crashing = tuple(
        type(stimulus)(stimulus.id, Deadly(), stimulus.gaze) if number == 3 else stimulus
        for number, stimulus in enumerate(displays)
    )
    dataset = type(displays)("popout", crashing, displays.edition)
    study = qg.Study(dataset, metrics=["cc"], bounds=[], device="cpu", shard_size=4)
    run = study.run(tmp_path / "run", helpers=1, progress=False)
    failures = run.failures().rows(named=True)
    assert [row["stimulus"] for row in failures] == [displays[3].id]
    assert failures[0]["error"] == "HelperDiedError"
    assert run.scores()["stimulus"].n_unique() == 7


@pytest.mark.slow
def test_threads_and_processes_give_the_same_tables(tmp_path: Path) -> None:
    displays = qg.load_dataset("popout", n=6, size=(120, 160))
    runs = [
        qg.Study(displays, metrics=["cc", "auc_shuffled"], device="cpu", shard_size=4).run(
            tmp_path / str(helpers), helpers=helpers, progress=False
        )
        for helpers in (0, 2)
    ]
    for table in ("scores", "maps", "bounds", "undefined"):
        first, second = (getattr(run, table)() for run in runs)
        assert_frame_equal(first, second, abs_tol=1e-6)


def test_several_devices_share_the_shards(tmp_path: Path) -> None:
    displays = qg.load_dataset("popout", n=7, size=(120, 160))
    options = {"metrics": ["cc"], "bounds": ["center"], "shard_size": 2}
    one = qg.Study(displays, device="cpu", **options).run(tmp_path / "one", progress=False)
    two = qg.Study(displays, device="cpu,cpu", **options).run(tmp_path / "two", progress=False)
    assert_frame_equal(one.scores(), two.scores(), abs_tol=1e-6)
    assert_frame_equal(one.bounds(), two.bounds(), abs_tol=1e-6)
