"""Families of metrics, in a line each."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from agent.infrastructure.core.outgoing_requests import BOUNDS, Peer, made

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


def outgoing_families(peers: Iterable[Peer]) -> Iterator[Metric]:
    """This process's requests to other servers."""
    known = {(peer.value,): made[peer] for peer in peers}
    times = {key: (list(each.buckets), each.seconds) for key, each in known.items()}
    text = "Time that this process's requests to other servers took, by who was asked."
    yield histogram("ai_popup_outgoing_request_seconds", text, ["peer"], BOUNDS, times)
    failures = {key: float(each.failures) for key, each in known.items()}
    yield counters("ai_popup_outgoing_failures", "How many of them failed.", ["peer"], failures)
