"""Families of metrics, in a line each."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

# By a tuple of the labels' values.
Labelled: TypeAlias = Mapping[Any, float]


def gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def gauges(name: str, text: str, labels: Iterable[str], values: Labelled) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=list(labels))
    for key, value in sorted(values.items()):
        family.add_metric(list(key), value)
    return family


def counter(name: str, text: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(name, text, value=value)


def counters(name: str, text: str, labels: Iterable[str], values: Labelled) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=list(labels))
    for key, value in sorted(values.items()):
        family.add_metric(list(key), value)
    return family


def histogram(
    name: str, text: str, labels: Iterable[str], bounds: Iterable[float], values: Mapping[Any, tuple[list[int], float]]
) -> HistogramMetricFamily:
    """`values` hold how many fell into each bucket, the last one without a bound, and their sum."""
    family, names = HistogramMetricFamily(name, text, labels=list(labels)), [*map(str, bounds), "+Inf"]
    for key, (buckets, total) in sorted(values.items()):
        found, cumulated = 0, list[tuple[str, float]]()
        for bound, count in zip(names, buckets, strict=True):
            found += count
            cumulated.append((bound, float(found)))
        family.add_metric(list(key), cumulated, total)
    return family
