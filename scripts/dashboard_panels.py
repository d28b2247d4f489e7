"""What the server's Grafana dashboards show: `scripts/dashboards.py` writes them.

Each of several API processes tells the same of the database, the queue and the photos, so that such figures are a maximum over the
instances and never a sum. Only what each process counts for itself (requests, refusals, memory) is added up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

JOB = 'job=~"$job"'


@dataclass(frozen=True)
class Panel:
    """A graph, or with `stat` one number. `queries` are by their legend."""

    title: str
    queries: Mapping[str, str]
    unit: str = "short"
    stat: bool = False
    width: int = 12
    text: str = ""
    red_above: float | None = None
    red_below: float | None = None


@dataclass(frozen=True)
class Dashboard:
    name: str
    title: str
    panels: Sequence[Panel]


def _rate(name: str, by: str, labels: str = "") -> str:
    return f"sum by ({by}) (rate({name}{{{JOB}{labels}}}[$__rate_interval]))"


def _max(name: str, labels: str = "") -> str:
    """Of a figure that every instance tells."""
    return f"max({name}{{{JOB}{labels}}})"


def _most(name: str, by: str, labels: str = "") -> str:
    """Of one that every instance tells in parts: each part once, added up."""
    return f"sum(max by ({by}) ({name}{{{JOB}{labels}}}))"


def _shared_rate(name: str, by: str = "", labels: str = "") -> str:
    """Of a counter that every instance has of the whole."""
    return f"max{f' by ({by})' if by else ''} (rate({name}{{{JOB}{labels}}}[$__rate_interval]))"


_HITS = _shared_rate("ai_popup_database_cache_hits_total")

OVERVIEW = Dashboard(
    "overview",
    "AI Popup: overview",
    (
        Panel("Ready", {"": f"min(ai_popup_ready{{{JOB}}})"}, stat=True, width=4, red_below=1),
        Panel("Database answers", {"": f"min(ai_popup_database_up{{{JOB}}})"}, stat=True, width=4, red_below=1),
        Panel("Photos", {"": _max("ai_popup_images")}, stat=True, width=4),
        Panel("Photos waiting", {"": _max("ai_popup_queue", ',state="queued"')}, stat=True, width=4),
        Panel("Workers", {"": _most("ai_popup_workers", "state", ',state!="gone"')}, stat=True, width=4, red_below=1),
        Panel(
            "Requests without error, one hour",
            {"": "1 - max(ai_popup:failed_requests:ratio_1h)"},
            "percentunit",
            stat=True,
            width=4,
            red_below=0.999,
        ),
        Panel("Requests by status", {"{{status}}": _rate("ai_popup_requests_total", "status")}, "reqps"),
        Panel(
            "Time until an answer begins",
            {
                name: f"histogram_quantile({share}, sum by (le) (rate(ai_popup_request_seconds_bucket{{{JOB}}}[$__rate_interval])))"
                for name, share in (("median", 0.5), ("95 %", 0.95), ("99 %", 0.99))
            },
            "s",
        ),
        Panel(
            "Slowest routes, 95 %",
            {
                "{{method}} {{route}}": "topk(8, histogram_quantile(0.95, sum by (method, route, le) "
                f"(rate(ai_popup_request_seconds_bucket{{{JOB}}}[$__rate_interval]))))"
            },
            "s",
        ),
        Panel(
            "Errors by code",
            {
                "{{where}} {{code}}": _rate("ai_popup_errors_total", "where, code", ',where!="photo"'),
                "photo {{code}}": _shared_rate("ai_popup_errors_total", "code", ',where="photo"'),
            },
            "ops",
        ),
        Panel(
            "Requests to other servers, 95 %",
            {
                "{{peer}}": "histogram_quantile(0.95, sum by (peer, le) "
                f"(rate(ai_popup_outgoing_request_seconds_bucket{{{JOB}}}[$__rate_interval]))) and on (peer) "
                f"sum by (peer) (rate(ai_popup_outgoing_request_seconds_count{{{JOB}}}[$__rate_interval])) > 0"
            },
            "s",
        ),
        Panel("Failed requests to other servers", {"{{peer}}": _rate("ai_popup_outgoing_failures_total", "peer")}, "ops"),
        Panel(
            "Budget of errors that is spent",
            {
                "failed, one hour": "max(ai_popup:failed_requests:ratio_1h) / 0.001",
                "slow, one hour": "max(ai_popup:slow_requests:ratio_1h) / 0.01",
            },
            text="1 spends exactly the month’s budget in a month; 14.4 in two days.",
        ),
        Panel("Requests that run", {"{{instance}}": f"sum by (instance) (ai_popup_requests_running{{{JOB}}})"}),
    ),
)
WORKERS = Dashboard(
    "workers",
    "AI Popup: workers",
    (
        Panel("Photos per minute", {"": _max("ai_popup_workers_rate")}, stat=True, width=6),
        Panel("Waiting", {"": _max("ai_popup_queue", ',state="queued"')}, stat=True, width=6),
        Panel("Longest wait", {"": _max("ai_popup_queue_oldest_seconds")}, "s", stat=True, width=6, red_above=1_800),
        Panel("Set aside", {"": _max("ai_popup_queue", ',state="quarantined"')}, stat=True, width=6),
        Panel("Jobs by state", {"{{state}}": f"max by (state) (ai_popup_queue{{{JOB}}})"}),
        Panel("Waiting by priority", {"{{priority}}": f"max by (priority) (ai_popup_queue_waiting{{{JOB}}})"}),
        Panel("Oldest waiting job by priority", {"{{priority}}": f"max by (priority) (ai_popup_queue_oldest_seconds{{{JOB}}})"}, "s"),
        Panel("Batches", {"{{queue}} {{status}}": f"max by (queue, status) (ai_popup_batches{{{JOB}}})"}),
        Panel("Workers by state", {"{{state}}": f"max by (state) (ai_popup_workers{{{JOB}}})"}),
        Panel(
            "Photos and faces",
            {
                "photos": _shared_rate("ai_popup_images_analysed_total"),
                "faces": _shared_rate("ai_popup_faces_found_total"),
            },
            "ops",
        ),
        Panel("Photos that failed", {"{{code}}": _shared_rate("ai_popup_errors_total", "code", ',where="photo"')}, "ops"),
        Panel("Longest silence of a worker", {"": _max("ai_popup_workers_silent_seconds")}, "s"),
    ),
)
PEOPLE = Dashboard(
    "people-and-consent",
    "AI Popup: people and consent",
    (
        Panel("People", {"": _max("ai_popup_people")}, stat=True, width=6),
        Panel("Faces", {"": _max("ai_popup_faces")}, stat=True, width=6),
        Panel("Stored face prints", {"": _max("ai_popup_face_prints")}, stat=True, width=6),
        Panel("Recognition", {"": _max("ai_popup_recognition_enabled")}, stat=True, width=6),
        Panel("Consents", {"{{purpose}} {{state}}": f"max by (purpose, state) (ai_popup_consents{{{JOB}}})"}),
        Panel(
            "Face prints against consents",
            {
                "face prints": _max("ai_popup_face_prints"),
                "consents to recognition": f'max(ai_popup_consents{{{JOB},purpose="recognise",state="given"}})',
            },
        ),
        Panel("Redacted copies by state", {"{{state}}": f"max by (state) (ai_popup_redactions{{{JOB}}})"}),
        Panel("Members by role", {"{{role}} {{state}}": f"max by (role, state) (ai_popup_members{{{JOB}}})"}),
    ),
)
SECURITY = Dashboard(
    "security",
    "AI Popup: security",
    (
        Panel("Open incidents", {"": f"{_most('ai_popup_incidents', 'severity, state')} or vector(0)"}, stat=True, width=6, red_above=1),
        Panel("Sessions", {"": _max("ai_popup_sessions")}, stat=True, width=6),
        Panel(
            "Certificate ends in",
            {"": f"min(ai_popup_certificate_ends_timestamp_seconds{{{JOB}}}) - time()"},
            "s",
            stat=True,
            width=6,
            red_below=14 * 86_400,
        ),
        Panel(
            "Age of the last backup",
            {"": f'max(ai_popup_backup_age_seconds{{{JOB},kind="database"}})'},
            "s",
            stat=True,
            width=6,
            red_above=26 * 3_600,
        ),
        Panel("Sign-ins", {"{{way}} {{result}}": _rate("ai_popup_sign_ins_total", "way, result")}, "ops"),
        Panel("Refused requests by code", {"{{status}} {{code}}": _rate("ai_popup_refusals_total", "status, code")}, "ops"),
        Panel("Incidents by severity", {"{{severity}} {{state}}": f"max by (severity, state) (ai_popup_incidents{{{JOB}}})"}),
        Panel(
            "Age of backups and drills",
            {"{{kind}} {{repository}}": f"max by (kind, repository) (ai_popup_backup_age_seconds{{{JOB}}})"},
            "s",
        ),
    ),
)
CAPACITY = Dashboard(
    "capacity",
    "AI Popup: capacity",
    (
        Panel(
            "Disk that is free",
            {"": f"min(ai_popup_disk_free_bytes{{{JOB}}} / ai_popup_disk_bytes{{{JOB}}})"},
            "percentunit",
            stat=True,
            width=6,
            red_below=0.1,
        ),
        Panel(
            "Disk full in",
            {"": f"min(ai_popup_disk_free_bytes{{{JOB}}}) / clamp_min(-min(deriv(ai_popup_disk_free_bytes{{{JOB}}}[6h])), 1)"},
            "s",
            stat=True,
            width=6,
            text="If it goes on as in the last six hours.",
        ),
        Panel(
            "Memory in use",
            {"": f"1 - min(ai_popup_machine_memory_available_bytes{{{JOB}}} / ai_popup_machine_memory_bytes{{{JOB}}})"},
            "percentunit",
            stat=True,
            width=6,
            red_above=0.92,
        ),
        Panel("Database", {"": _max("ai_popup_database_bytes")}, "bytes", stat=True, width=6),
        Panel("Memory by process", {"{{instance}} {{process}}": f"ai_popup_memory_bytes{{{JOB}}}"}, "bytes"),
        Panel(
            "Largest process beside its threshold",
            {
                "{{instance}} {{process}}": f"ai_popup_memory_largest_bytes{{{JOB}}} / on (job, instance, process) "
                f"ai_popup_memory_threshold_bytes{{{JOB}}}"
            },
            "percentunit",
            text="Of engines, all that one worker has. Beyond 100 % a process is replaced or ended.",
            red_above=1,
        ),
        Panel(
            "Processor by process",
            {"{{instance}} {{process}}": _rate("ai_popup_cpu_seconds_total", "instance, process")},
            "none",
            text="Cores.",
        ),
        Panel("Processes", {"{{instance}} {{process}}": f"ai_popup_processes{{{JOB}}}"}),
        Panel(
            "Connections to the database",
            {"{{state}}": f"max by (state) (ai_popup_database_connections{{{JOB}}})", "limit": _max("ai_popup_database_connections_limit")},
        ),
        Panel("Largest tables", {"{{table}}": f"topk(8, max by (table) (ai_popup_table_bytes{{{JOB}}}))"}, "bytes"),
        Panel("Largest indexes", {"{{table}}": f"topk(8, max by (table) (ai_popup_index_bytes{{{JOB}}}))"}, "bytes"),
        Panel("Rows to vacuum", {"{{table}}": f"topk(8, max by (table) (ai_popup_table_dead_rows{{{JOB}}}))"}),
        Panel(
            "Database: found in memory",
            {"": f"{_HITS} / ({_HITS} + {_shared_rate('ai_popup_database_disk_reads_total')})"},
            "percentunit",
        ),
        Panel(
            "Transactions",
            {
                "committed": _shared_rate("ai_popup_database_commits_total"),
                "rolled back": _shared_rate("ai_popup_database_rollbacks_total"),
            },
            "ops",
        ),
        Panel("What the figures cost the database", {"": _max("ai_popup_figures_seconds")}, "s"),
    ),
)
DASHBOARDS = (OVERVIEW, WORKERS, PEOPLE, SECURITY, CAPACITY)
