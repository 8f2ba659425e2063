"""Evidence for a sign, some of it computed only when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import torch


class Evidence(Mapping[str, torch.Tensor]):
    """Evidence by orientation rule, (B,) each.

    Parameters
    ----------
    known : mapping of str to Tensor
        What has been computed.
    deferred : mapping of str to callable
        What costs more than the map itself: computed once, when it is first asked for.

    Examples
    --------
    >>> evidence = Evidence({"skew": torch.zeros(1)}, {"lapack": lambda: torch.ones(1)})
    >>> list(evidence), evidence["lapack"].item()
    (['skew', 'lapack'], 1.0)
    """

    def __init__(
        self,
        known: Mapping[str, torch.Tensor],
        deferred: Mapping[str, Callable[[], torch.Tensor]],
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
