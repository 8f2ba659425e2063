"""Who does the tasks beside the device: threads of this process, or other processes."""

from __future__ import annotations

import signal
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import torch
from loky import ProcessPoolExecutor
from loky.process_executor import BrokenProcessPool
from threadpoolctl import threadpool_limits

from quickgaze.errors import QuickgazeError

THREADS = 2
"""Threads that read and score where there are no processes for it."""

ATTEMPTS = 3
"""How often a task is begun whose process dies."""


class HelperDiedError(QuickgazeError):
    """A process died each time that it was given a task."""


class Ticket(Protocol):
    """A task that has been given to helpers."""

    def result(self) -> Any:
        """Wait for what it returns.

        Raises
        ------
        HelperDiedError
            If the process died each time that it was given the task.
        """


class Helpers(Protocol):
    """Do tasks in the background."""

    def submit(self, task: str, *arguments: Any) -> Ticket:
        """Give the helpers a task, by the name of a method and its arguments."""

    def close(self) -> None:
        """Stop them, without waiting for what they do."""


class ThreadHelpers:
    """Threads of this process.

    Parameters
    ----------
    tasks : object
        Whose methods are called.
    threads : int
    """

    def __init__(self, tasks: object, threads: int = THREADS) -> None:
        self._tasks = tasks
        self._pool = ThreadPoolExecutor(threads, "quickgaze", initializer=compute_alone)

    def submit(self, task: str, *arguments: Any) -> Future[Any]:
        """Give the helpers a task."""
        return self._pool.submit(getattr(self._tasks, task), *arguments)

    def close(self) -> None:
        """Stop them."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def compute_alone() -> None:
    """Let no other thread join the calling one in its loops.

    OpenMP counts the threads of all teams. Once there are more than cores, those of a network
    sleep between its layers instead of waiting awake, and it takes twice the time.
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


class ProcessHelpers:
    """Processes of their own. One that dies is replaced, and what it was doing is done again.

    Parameters
    ----------
    tasks : object
        Whose methods are called; is sent to each process once.
    processes : int
    """

    def __init__(self, tasks: object, processes: int) -> None:
        self._tasks = tasks
        self._processes = processes
        self._pool = self._start()

    def _start(self) -> ProcessPoolExecutor:
        # one thread each: there are as many processes as there are cores for them
        single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        return ProcessPoolExecutor(
            self._processes, initializer=_settle, initargs=(self._tasks,), env=single
        )

    def submit(self, task: str, *arguments: Any) -> ProcessTicket:
        """Give the helpers a task."""
        return ProcessTicket(self._begin, (task, arguments))

    def _begin(self, task: str, arguments: tuple[Any, ...]) -> Future[Any]:
        future: Future[Any]
        try:
            future = self._pool.submit(_do, task, arguments)
        except BrokenProcessPool:
            self._pool.shutdown(wait=False, kill_workers=True)
            self._pool = self._start()
            future = self._pool.submit(_do, task, arguments)
        return future

    def close(self) -> None:
        """Stop them."""
        self._pool.shutdown(wait=True, kill_workers=True)


class ProcessTicket:
    """A task that has been given to a process.

    Parameters
    ----------
    begin : callable
        Gives the task to some process.
    task : (str, tuple)
        Name and arguments.
    """

    def __init__(
        self,
        begin: Callable[[str, tuple[Any, ...]], Future[Any]],
        task: tuple[str, tuple[Any, ...]],
    ) -> None:
        self._begin = begin
        self._task = task
        self._future = begin(*task)

    def result(self) -> Any:
        """Wait for what the task returns.

        When one process dies, all tasks in flight are lost with it. Each is begun again only
        when it is waited for, so that one that kills its process does so alone.
        """
        return self._result(ATTEMPTS)

    def _result(self, attempts: int) -> Any:
        try:
            return self._future.result()
        except BrokenProcessPool as error:
            if attempts == 1:
                raise HelperDiedError(
                    f"the process that did this died {ATTEMPTS} times; the machine may be short "
                    "of memory, or the file may crash a decoder"
                ) from error
        self._future = self._begin(*self._task)
        return self._result(attempts - 1)


_resident: list[object] = []
"""In a helper process, and there alone: whose methods it calls."""


def _settle(tasks: object) -> None:
    # Ctrl-C is for the process that the user started; it stops the helpers itself
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _resident[:] = [tasks]


def _do(task: str, arguments: tuple[Any, ...]) -> Any:
    return getattr(_resident[0], task)(*arguments)
