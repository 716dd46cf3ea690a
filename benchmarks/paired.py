"""Paired measurements: what they have in common is what a noisy machine does to both."""
import random
import statistics


def interval(values, level=0.95, resamples=10_000):
    """The median of `values` with its confidence interval, by bootstrap; the same for the same values."""
    chance = random.Random(1)
    medians = sorted(statistics.median(chance.choices(values, k=len(values))) for _ in range(resamples))
    outside = round(resamples * (1 - level) / 2)
    return statistics.median(values), medians[outside], medians[-1 - outside]


def alternating(pairs, first, second):
    """Calls both, `pairs` times, in an order that changes every time; gives [(of first, of second), ...]."""
    results = []
    for number in range(pairs):
        if number % 2 == 0:
            one = first()
            results.append((one, second()))
        else:
            other = second()
            results.append((first(), other))
    return results
