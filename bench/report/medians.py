"""Several runs of one workload into one: the median of each figure."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import replace

from bench.workloads.sample import Sample

Key = tuple[str, str, str, int]


def key_of(sample: Sample) -> Key:
    """What two runs have to share to be compared: workload, peer, route and number of listeners."""
    return sample.workload, sample.peer, sample.route, sample.listeners


def medians(samples: Iterable[Sample]) -> list[Sample]:
    """One sample for each key, in the order in which they first came."""
    groups: dict[Key, list[Sample]] = {}
    for sample in samples:
        groups.setdefault(key_of(sample), []).append(sample)
    return [_median(group) for group in groups.values()]


def _median(group: Sequence[Sample]) -> Sample:
    names = group[0].figures
    figures = {name: statistics.median(sample.figures[name] for sample in group) for name in names}
    # One lost message in one run is one too many for a median to hide.
    if "lost" in figures:
        figures["lost"] = max(sample.figures["lost"] for sample in group)
    return replace(group[0], figures=figures)
