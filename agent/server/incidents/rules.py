"""The rules that watch the record: pure functions from its entries to what they found.

A rule may see the same entries again, after a restart or with others before them: then it finds the same, under the same key.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Final, TypeAlias

from agent.domain.severity import Severity
from agent.infrastructure.core.actor import HERE
from agent.infrastructure.core.server_settings import IncidentSettings
from agent.infrastructure.store.audit_chain import AuditEntry
from agent.interfaces.web.access import SCOPES, Role
from agent.server.incidents.incident_kinds import SESSION, TOKEN, Found, IncidentKind

# The entries of these actions with that subject (None: any), before an entry's id, newest first.
History: TypeAlias = Callable[[Collection[str], str | None, int], Sequence[AuditEntry]]
Rule: TypeAlias = Callable[[Sequence[AuditEntry], IncidentSettings, History], Iterator[Found]]
Group: TypeAlias = Callable[[AuditEntry], str | None]

DOWNLOADED: Final = "originals_downloaded"
REFUSED: Final = "refused"
MOVED: Final = "used_elsewhere"
FAILED: Final = "sign_in_failed"
MOST_EVIDENCE: Final = 100
_ROLES: Final = ("member_added", "role_changed")
_BUCKET_S: Final = 3_600
_DAY: Final = timedelta(days=1)
_SLOW: Final = 5  # times as many failures in a day as in the window


def failed_sign_ins(entries: Sequence[AuditEntry], limits: IncidentSettings, history: History) -> Iterator[Found]:
    """Many failures for one member, or from one network: within the window, or so slowly that only a whole day shows them."""
    failed, window = _of(entries, (FAILED,)), timedelta(minutes=limits.window_minutes)
    if not failed:
        return
    since = failed[0].at - _DAY
    day = [each for each in reversed(history((FAILED,), None, failed[-1].id + 1)) if each.at > since]
    for of_member, group, least in ((True, _subject, limits.failed_sign_ins), (False, _detail, limits.failed_sign_ins_network)):
        for name, crowd in _crowds(failed, group, window, least):
            yield _sign_ins(name, crowd, of_member)
        quick = {name for name, _ in _crowds(day, group, window, least)}
        for name, crowd in _crowds(day, group, _DAY, least * _SLOW):
            if name not in quick:
                yield _sign_ins(name, crowd, of_member, crowd[-1].at.date().isoformat())


def mass_export(entries: Sequence[AuditEntry], limits: IncidentSettings, _: History) -> Iterator[Found]:
    """One member takes many photos away."""
    taken, window = _of(entries, (DOWNLOADED,)), timedelta(minutes=limits.window_minutes)
    for member, crowd in _crowds(taken, _actor, window, limits.exports):
        yield _crowd(IncidentKind.MASS_EXPORT, Severity.CRITICAL, member, crowd)


def many_refusals(entries: Sequence[AuditEntry], limits: IncidentSettings, _: History) -> Iterator[Found]:
    """One member asks for much that their role does not allow."""
    window = timedelta(minutes=limits.window_minutes)
    for member, crowd in _crowds(_of(entries, (REFUSED,)), _actor, window, limits.refusals):
        yield _crowd(IncidentKind.MANY_REFUSALS, Severity.WARNING, member, crowd)


def night_search(entries: Sequence[AuditEntry], limits: IncidentSettings, _: History) -> Iterator[Found]:
    """A member searches by a face outside working hours, by the server's clock. One incident for each member and night."""
    if not limits.work_from or not limits.work_until:
        return
    start, end = time.fromisoformat(limits.work_from), time.fromisoformat(limits.work_until)
    nights: dict[tuple[str, str], list[AuditEntry]] = defaultdict(list)
    for each in _of(entries, ("face_searched",)):
        local = each.at.astimezone()
        clock = local.time()
        working = start <= clock < end if start <= end else clock >= start or clock < end
        if each.actor != HERE and not working:
            # The hours after midnight belong to the evening before.
            evening = local.date() if clock >= end else local.date() - timedelta(days=1)
            nights[each.actor, evening.isoformat()].append(each)
    for (member, night), found in nights.items():
        yield _crowd(IncidentKind.NIGHT_SEARCH, Severity.WARNING, member, found, bucket=night)


def raised_role(entries: Sequence[AuditEntry], _: IncidentSettings, history: History) -> Iterator[Found]:
    """A member becomes administrator, or may do what they could not do before. Every server begins with an administrator."""
    for each in _of(entries, _ROLES):
        first = each.action == "member_added" and each.actor == HERE and not history(("member_added",), None, each.id)
        if each.detail not in set(Role) or first:
            continue
        role, severity = Role(each.detail), Severity.NOTICE
        if role is Role.ADMINISTRATOR:
            severity = Severity.CRITICAL
        elif each.action == "member_added" or not _gained(role, history(_ROLES, each.subject, each.id)):
            continue
        yield Found(
            IncidentKind.RAISED_ROLE, severity, f"{IncidentKind.RAISED_ROLE}:{each.subject}:{each.id}", each.at, each.subject, 1, (each.id,)
        )


def two_networks(entries: Sequence[AuditEntry], limits: IncidentSettings, _: History) -> Iterator[Found]:
    """A session or a token is used from two networks within minutes. `number` of the entry counts these."""
    for each in _of(entries, (MOVED,)):
        if each.number <= limits.networks_minutes and each.detail.split(" ", 1)[0] in (SESSION, TOKEN):
            key = f"{IncidentKind.TWO_NETWORKS}:{each.detail}:{_bucket(each.at)}"
            yield Found(IncidentKind.TWO_NETWORKS, Severity.WARNING, key, each.at, each.subject, each.number, (each.id,), each.detail)


def withdrawn_after_publishing(entries: Sequence[AuditEntry], _: IncidentSettings, history: History) -> Iterator[Found]:
    """A person withdraws consent to publishing after copies for publishing were made while they agreed."""
    for each in _of(entries, ("consent_withdrawn",)):
        if each.detail != "publish" or each.subject is None:
            continue
        given = [earlier for earlier in history(("consent_given",), each.subject, each.id) if earlier.detail == "publish"]
        if not given:
            continue
        made = [copies for copies in history(("publishing",), None, each.id) if copies.id > given[-1].id]
        if made:
            key = f"{IncidentKind.WITHDRAWN_AFTER_PUBLISHING}:{each.subject}:{each.id}"
            ids = (each.id, *(copies.id for copies in made))[:MOST_EVIDENCE]
            count = sum(copies.number for copies in made)
            yield Found(IncidentKind.WITHDRAWN_AFTER_PUBLISHING, Severity.WARNING, key, each.at, each.subject, count, ids)


def record_broken(row: int, at: datetime) -> Found:
    """For an entry that isn't as it was written, or is missing."""
    return Found(IncidentKind.RECORD_BROKEN, Severity.CRITICAL, f"{IncidentKind.RECORD_BROKEN}:{row}", at, None, row, (row,))


RULES: Final[tuple[Rule, ...]] = (
    failed_sign_ins,
    mass_export,
    many_refusals,
    night_search,
    raised_role,
    two_networks,
    withdrawn_after_publishing,
)
WATCHED: Final = frozenset({FAILED, REFUSED, MOVED, "face_searched", "consent_withdrawn", DOWNLOADED, *_ROLES})


def _of(entries: Sequence[AuditEntry], actions: Collection[str]) -> list[AuditEntry]:
    return [each for each in entries if each.action in actions]


def _actor(entry: AuditEntry) -> str | None:
    return None if entry.actor == HERE else entry.actor


def _subject(entry: AuditEntry) -> str | None:
    return entry.subject


def _detail(entry: AuditEntry) -> str | None:
    return entry.detail or None


def _sign_ins(name: str, entries: Sequence[AuditEntry], of_member: bool, bucket: str | None = None) -> Found:
    subject, other = (name, "") if of_member else (None, name)
    return _crowd(IncidentKind.FAILED_SIGN_INS, Severity.WARNING, subject, entries, other=other, bucket=bucket)


def _gained(role: Role, before: Sequence[AuditEntry]) -> bool:
    """Whether the role allows more than the one before, as far as it is known."""
    earlier = next((Role(each.detail) for each in before if each.detail in set(Role)), None)
    return earlier is None or not SCOPES[role] <= SCOPES[earlier]


def _crowds(entries: Sequence[AuditEntry], group: Group, window: timedelta, least: int) -> Iterator[tuple[str, list[AuditEntry]]]:
    """Where a group's entries within the window count to `least` or more: the last such crowd of each hour."""
    recent: dict[str, deque[AuditEntry]] = defaultdict(deque)
    found: dict[tuple[str, int], list[AuditEntry]] = {}
    for each in entries:
        if (name := group(each)) is None:
            continue
        crowd = recent[name]
        crowd.append(each)
        while crowd[0].at <= each.at - window:
            crowd.popleft()
        if sum(one.number for one in crowd) >= least:
            found[name, _bucket(each.at)] = list(crowd)
    for (name, _), those in found.items():
        yield name, those


def _crowd(
    kind: IncidentKind,
    severity: Severity,
    subject: str | None,
    entries: Sequence[AuditEntry],
    *,
    other: str = "",
    bucket: str | None = None,
) -> Found:
    last = entries[-1]
    key = f"{kind}:{subject or other}:{_bucket(last.at) if bucket is None else bucket}"
    evidence = tuple(each.id for each in entries[-MOST_EVIDENCE:])
    return Found(kind, severity, key, last.at, subject, sum(each.number for each in entries), evidence)


def _bucket(at: datetime) -> int:
    """The hour: what goes on for longer is a new incident in the next one."""
    return int((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) // _BUCKET_S
