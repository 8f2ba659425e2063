"""Evidence for a sign, some of it computed only when it is asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol

import torch


class Deferred(Protocol):
    """Evidence that has not been computed yet."""

    def __call__(self) -> torch.Tensor:
        """Compute it, (B,)."""
        ...

    def images(self) -> Sequence[Deferred]:
        """Part it into that of single images, on the CPU and in memory of their own."""
        ...


class Evidence(Mapping[str, torch.Tensor]):
    """Evidence by orientation rule, (B,) each.

    Parameters
    ----------
    known : mapping of str to Tensor
        What has been computed.
    deferred : mapping of str to Deferred
        What costs more than the map itself: computed once, when it is first asked for.
    """

    def __init__(
        self,
        known: Mapping[str, torch.Tensor],
        deferred: Mapping[str, Deferred],
    ) -> None:
        self._known = dict(known)
        self._deferred = dict(deferred)

    def __getitem__(self, rule: str) -> torch.Tensor:
        if rule not in self._known:
            self._known[rule] = self._deferred[rule]()
        return self._known[rule]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._known, **self._deferred})

    def __len__(self) -> int:
        return len({**self._known, **self._deferred})

    def only(self, rules: Collection[str]) -> Evidence:
        """Leave out what has not been computed, except for some rules."""
        deferred = {rule: self._deferred[rule] for rule in self._deferred if rule in rules}
        return Evidence(self._known, deferred)

    def images(self, count: int) -> list[Evidence]:
        """Part it into the evidence of single images, on the CPU and in memory of their own."""
        later = {rule: each.images() for rule, each in self._deferred.items()}
        known = {rule: value.cpu() for rule, value in self._known.items() if rule not in later}
        return [
            Evidence(
                {rule: value[index : index + 1].clone() for rule, value in known.items()},
                {rule: parts[index] for rule, parts in later.items()},
            )
            for index in range(count)
        ]
