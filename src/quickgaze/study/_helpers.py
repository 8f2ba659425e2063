"""Who does the tasks beside the device: threads of this process, or other processes."""

from __future__ import annotations

import signal
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

import torch
from loky import ProcessPoolExecutor
from loky.process_executor import BrokenProcessPool
from threadpoolctl import threadpool_limits

from quickgaze.errors import QuickgazeError

Tasks = TypeVar("Tasks")
Tasks_co = TypeVar("Tasks_co", covariant=True)
Result_co = TypeVar("Result_co", covariant=True)
R = TypeVar("R")
P = ParamSpec("P")

THREADS = 2
"""Threads that read and score where there are no processes for it."""

ATTEMPTS = 3
"""How often a task is begun whose process dies."""


class HelperDiedError(QuickgazeError):
    """A process died each time that it was given a task."""


class Ticket(Protocol[Result_co]):
    """A task that has been given to helpers."""

    def result(self) -> Result_co:
        """Wait for what it returns; `HelperDiedError` if its process died each time."""


class Helpers(Protocol[Tasks_co]):
    """Do tasks in the background."""

    def submit(
        self, task: Callable[Concatenate[Tasks_co, P], R], *arguments: P.args, **options: P.kwargs
    ) -> Ticket[R]:
        """Give the helpers a task: a method of their tasks, and its arguments."""

    def close(self) -> None:
        """Stop them, without waiting for what they do."""


class ThreadHelpers(Generic[Tasks]):
    """Threads of this process."""

    def __init__(self, tasks: Tasks, threads: int = THREADS) -> None:
        self._tasks = tasks
        self._pool = ThreadPoolExecutor(threads, "quickgaze", initializer=compute_alone)

    def submit(
        self, task: Callable[Concatenate[Tasks, P], R], *arguments: P.args, **options: P.kwargs
    ) -> Future[R]:
        """Give the helpers a task."""
        return self._pool.submit(task, self._tasks, *arguments, **options)

    def close(self) -> None:
        """Stop them."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def compute_alone() -> None:
    """Let no other thread join the calling one in its loops.

    OpenMP counts the threads of all teams. Once there are more than cores, those of a network sleep
    between its layers instead of waiting awake, and it takes twice the time.
    """
    # PyTorch sets up each thread at its first question, and would undo the limit later
    torch.get_num_threads()
    threadpool_limits(1, user_api="openmp")


def blas_alone() -> threadpool_limits:
    """Let NumPy's products run in the thread that asks for them, until the context ends.

    The threads of its BLAS library, one set for the process, would wait for cores that a network
    keeps busy.
    """
    return threadpool_limits(1, user_api="blas")


class ProcessHelpers(Generic[Tasks]):
    """Processes of their own. One that dies is replaced, and what it was doing is done again."""

    def __init__(self, tasks: Tasks, processes: int) -> None:
        self._tasks = tasks
        self._processes = processes
        self._pool = self._start()

    def _start(self) -> ProcessPoolExecutor:
        # one thread each: there are as many processes as there are cores for them
        single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        return ProcessPoolExecutor(
            self._processes, initializer=_settle, initargs=(self._tasks,), env=single
        )

    def submit(
        self, task: Callable[Concatenate[Tasks, P], R], *arguments: P.args, **options: P.kwargs
    ) -> ProcessTicket[R]:
        """Give the helpers a task."""
        return ProcessTicket(lambda: self._begin(task, arguments, options))

    def _begin(self, task: Callable[..., R], arguments: Any, options: Any) -> Future[R]:
        future: Future[R]
        try:
            future = self._pool.submit(_do, task, arguments, options)
        except BrokenProcessPool:
            self._pool.shutdown(wait=False, kill_workers=True)
            self._pool = self._start()
            future = self._pool.submit(_do, task, arguments, options)
        return future

    def close(self) -> None:
        """Stop them."""
        self._pool.shutdown(wait=True, kill_workers=True)


class ProcessTicket(Generic[R]):
    """A task that has been given to a process by `begin`."""

    def __init__(self, begin: Callable[[], Future[R]]) -> None:
        self._begin = begin
        self._future = begin()

    def result(self) -> R:
        """Wait for what the task returns.

        When one process dies, all tasks in flight are lost with it. Each is begun again only when
        it is waited for, so that one that kills its process does so alone.
        """
        return self._result(ATTEMPTS)

    def _result(self, attempts: int) -> R:
        try:
            return self._future.result()
        except BrokenProcessPool as error:
            if attempts == 1:
                raise HelperDiedError(
                    f"the process that did this died {ATTEMPTS} times; the machine may be short "
                    "of memory, or the file may crash a decoder"
                ) from error
        self._future = self._begin()
        return self._result(attempts - 1)


_resident: list[object] = []
"""In a helper process, and there alone: whose methods it calls."""


def _settle(tasks: object) -> None:
    # Ctrl-C is for the process that the user started; it stops the helpers itself
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _resident[:] = [tasks]


def _do(task: Callable[..., R], arguments: Any, options: Any) -> R:
    return task(_resident[0], *arguments, **options)
