"""Metrics for Prometheus: only numbers, read at each request from the agent's existing state."""

from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from agent.engine.monitor import ResourceMonitor
from agent.library.counters import STAGES, Counters
from agent.library.records import Counts

CONTENT_TYPE = CONTENT_TYPE_LATEST


def metrics(version: str, counts: Counts, monitor: ResourceMonitor, tally: Counters) -> bytes:
    """The metrics in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(version, counts, monitor, tally))
    return generate_latest(registry)


class _Figures(Collector):
    def __init__(self, version: str, counts: Counts, monitor: ResourceMonitor, tally: Counters) -> None:
        self._version = version
        self._counts = counts
        self._monitor = monitor
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        counts, usage, engine = self._counts, self._monitor.usage, self._monitor.engine
        about = GaugeMetricFamily("ai_popup_info", "The program's version.", labels=["version"])
        about.add_metric([self._version], 1)
        yield about
        yield GaugeMetricFamily("ai_popup_images", "Images in the library.", value=counts.images)
        yield GaugeMetricFamily("ai_popup_faces", "Faces in the library.", value=counts.faces)
        yield GaugeMetricFamily("ai_popup_people", "People in the library.", value=counts.people)
        yield _by("ai_popup_queue", "Jobs by state.", "state", {state.value: count for state, count in counts.jobs.items()})
        yield CounterMetricFamily("ai_popup_images_analysed", "Images looked at since the start.", value=self._tally.images)
        errors = CounterMetricFamily("ai_popup_errors", "Files that could not be analysed since the start.", labels=["code"])
        for code, count in sorted(self._tally.errors.items()):
            errors.add_metric([code], count)
        yield errors
        stages = HistogramMetricFamily("ai_popup_stage_seconds", "Time an image takes in each stage.", labels=["stage"])
        for stage in STAGES:
            stages.add_metric([stage], self._tally.histogram(stage), self._tally.seconds[stage])
        yield stages
        memory = {"agent": usage.agent_memory, "engine": usage.engine_memory}
        yield _by("ai_popup_memory_bytes", "Resident memory.", "process", memory)
        yield GaugeMetricFamily("ai_popup_memory_limit_bytes", "What the engine may take.", value=self._monitor.limit)
        cpu = {"agent": usage.agent_cpu, "engine": usage.engine_cpu}
        yield _by("ai_popup_cpu_ratio", "Share of all processor cores.", "process", cpu)
        yield GaugeMetricFamily("ai_popup_engine_processes", "Engine processes that run.", value=len(engine.stats()))
        yield CounterMetricFamily("ai_popup_engine_restarts", "Engine processes that had to be replaced.", value=engine.restarts)


def _by(name: str, text: str, label: str, values: dict[str, int] | dict[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
