"""Metrics for Prometheus: only numbers, read at each request from the agent's existing state."""

from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from agent.app.metric_families.families import counters, outgoing_families
from agent.app.metric_families.processes import Processes
from agent.features.library.counters import STAGES, Counters
from agent.features.library.records import Counts
from agent.inference.engine.monitor import ResourceMonitor
from agent.infrastructure.core import error_metrics, outgoing_requests

CONTENT_TYPE = CONTENT_TYPE_LATEST


def metrics(version: str, counts: Counts, monitor: ResourceMonitor, tally: Counters, captures: int, processes: Processes) -> bytes:
    """The metrics in Prometheus' text format. Blocks for some milliseconds."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(version, counts, monitor, tally, captures, processes))
    return generate_latest(registry)


class _Figures(Collector):
    def __init__(
        self, version: str, counts: Counts, monitor: ResourceMonitor, tally: Counters, captures: int, processes: Processes
    ) -> None:
        self._version = version
        self._captures = captures
        self._processes = processes
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
        yield CounterMetricFamily("ai_popup_captures", "Captures that came to review since the start.", value=self._captures)
        errors = {(code, "photo"): float(count) for code, count in self._tally.errors.items()}
        errors |= {(code, "work"): float(count) for code, count in error_metrics.logged.items()}
        text = "Errors by code since the start: of files, and of the work in the background."
        yield counters("ai_popup_errors", text, ["code", "where"], errors)
        yield from outgoing_families(outgoing_requests.OF_DESKTOP)
        refused = {(code,): float(count) for code, count in outgoing_requests.team_refusals.items()}
        yield counters("ai_popup_team_refusals", "How often the team server did not know this computer, by error code.", ["code"], refused)
        stages = HistogramMetricFamily("ai_popup_stage_seconds", "Time an image takes in each stage.", labels=["stage"])
        for stage in STAGES:
            stages.add_metric([stage], self._tally.histogram(stage), self._tally.seconds[stage])
        yield stages
        found = self._processes.read()
        memory = {kind: float(value) for kind, value in found.memory.items()}
        yield _by("ai_popup_memory_bytes", "Resident memory by kind of process.", "process", memory)
        yield GaugeMetricFamily("ai_popup_memory_limit_bytes", "What the engine may take.", value=self._monitor.limit)
        seconds = {(kind,): float(value) for kind, value in found.cpu.items()}
        yield counters("ai_popup_cpu_seconds", "Processor time by kind of process.", ["process"], seconds)
        cpu = {"agent": usage.agent_cpu, "engine": usage.engine_cpu}
        yield _by("ai_popup_cpu_ratio", "Share of all processor cores.", "process", cpu)
        yield GaugeMetricFamily("ai_popup_engine_processes", "Engine processes that run.", value=len(engine.stats()))
        yield CounterMetricFamily("ai_popup_engine_restarts", "Engine processes that had to be replaced.", value=engine.restarts)


def _by(name: str, text: str, label: str, values: dict[str, int] | dict[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
