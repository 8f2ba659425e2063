"""Fitting a state dictionary to a network that needs all of it, or only a part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

import torch
from torch import nn

from quickgaze.errors import WeightsError

State = Mapping[str, torch.Tensor]

_COMPILED = "_orig_mod."  # torch.compile puts it before names


def load_state(
    network: nn.Module,
    state: State,
    what: str,
    names: Mapping[str, str] | None = None,
    whole: Collection[str] = (),
) -> None:
    """Load weights into a network, in place; refuse missing, extra and misshapen tensors.

    Of a network that is a part of a model, `names` are its names in the model's file, and `whole`
    all names of the model: then what the network does not need is left alone.
    """
    own = network.state_dict()
    called = names or {name: name for name in own}
    here = {theirs: name for name, theirs in called.items()}
    found = without_prefix(state, here, what)
    misshapen = {
        name: f"{name} is {tuple(found[name].shape)}, not {tuple(own[here[name]].shape)}"
        for name in found
        if name in here and found[name].shape != own[here[name]].shape
    }
    # A plain dictionary, without torch's version numbers: modules then accept weights of older
    # versions, such as torchvision's published detectors. Those have names that only the modules
    # themselves know.
    fitting = {here.get(name, name): found[name] for name in found if name not in misshapen}
    try:
        left = network.load_state_dict(fitting, strict=False)
    except RuntimeError as error:
        faults = "; ".join(line.strip() for line in str(error).splitlines()[1:4])
        raise WeightsError(f"{what}: the weights do not fit the network: {faults}") from error
    missing = [called[name] for name in left.missing_keys if called[name] not in misshapen]
    over = [name for name in left.unexpected_keys if name not in whole]
    if names is not None:
        # A part that the network has is another one if the file has more of it.
        parts = {_top(name) for name in here}
        over = [name for name in over if _top(name) in parts]
    problems = [
        f"{len(each)} {fault}: {', '.join(each[:3])}{', …' if len(each) > 3 else ''}"
        for fault, each in (
            ("missing", missing),
            ("left over", over),
            ("of another shape", list(misshapen.values())),
        )
        if each
    ]
    if problems:
        raise WeightsError(f"{what}: the weights do not fit the network: {'; '.join(problems)}")


def without_prefix(state: State, wanted: Collection[str], what: str) -> State:
    """Take what the wanted names have before them in a file (``module.``, ``model.``) away."""
    plain = {name.replace(_COMPILED, ""): tensor for name, tensor in state.items()}
    counts = Counter(
        name.removesuffix(end) for name in plain for end in _ends(name) if end in wanted
    )
    most = max(counts.values(), default=0)
    prefixes = [prefix for prefix, count in counts.items() if count == most]
    if "" in prefixes or not prefixes:
        return plain
    if len(prefixes) > 1:
        raise WeightsError(
            f"{what}: the weights fit under several names: {', '.join(sorted(prefixes))}; save "
            "those that you mean alone"
        )
    (prefix,) = prefixes
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in plain.items()
        if name.startswith(prefix)
    }


def _ends(name: str) -> Iterator[str]:
    """Give a name, and what is left of it without its first parts."""
    while name:
        yield name
        name = name.partition(".")[2]


def _top(name: str) -> str:
    return name.partition(".")[0]
