"""What people score as a model of people: how well they agree with each other."""

from __future__ import annotations

from quickgaze.bounds.trials import BoundInput, Trial


def one_observer(given: BoundInput) -> list[Trial]:
    """One observer's density, against the gaze of all others."""
    return [Trial(pair.one_density, pair.rest_density, pair.rest.points) for pair in given.pairs]


def gold_standard(given: BoundInput) -> list[Trial]:
    """Use the density of all other observers, against the gaze of one."""
    return [Trial(pair.rest_density, pair.one_density, pair.one.points) for pair in given.pairs]


def split_half(given: BoundInput) -> list[Trial]:
    """One half of the observers, against the other; an odd observer goes to the second half."""
    names = given.observers()
    generator = given.generator("halves")
    trials = []
    for _ in range(given.draws):
        first, second = given.parted(generator.permutation(names)[: len(names) // 2])
        trials.append(Trial(given.blurred(first), given.blurred(second), second.points))
    return trials


def spearman_brown(correlation: float) -> float:
    """Correlation of whole groups, told from that of their halves.

    Parameters
    ----------
    correlation : float
        Of two halves, in [-1, 1].

    Returns
    -------
    float
        ``2 r / (1 + r)``; `correlation` itself where it is not above 0, since halves that do
        not agree tell nothing of how much the whole would.

    References
    ----------
    .. [1] C. Spearman, "Correlation calculated from faulty data", British Journal of Psychology
       3(3), 1910.
    .. [2] W. Brown, "Some experimental results in the correlation of mental abilities", British
       Journal of Psychology 3(3), 1910.

    Examples
    --------
    >>> spearman_brown(0.5), spearman_brown(-0.5)
    (0.6666666666666666, -0.5)
    """
    return 2 * correlation / (1 + correlation) if correlation > 0 else correlation
