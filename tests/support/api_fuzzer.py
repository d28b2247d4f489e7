"""Requests made up from the description of a running server, and what is wrong with its answers."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi import checks

from agent.domain.errors import leaves
from agent.interfaces.web.access import SCOPE_KEY, Scope
from agent.server.accounts.oidc.auth_request import LOGOUT
from tests.support.api_callers import Caller
from tests.support.real_server import RealServer

Operation: TypeAlias = "APIOperation[Any, Any, Any, Any]"
# Parts of uploads (tus) are bytes.
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
# The stream of events has no end; `tests/in_process/test_roles.py` reads it.
ENDLESS = "/api/events"
# What is there from the start, so that requests find something.
_KNOWN = {"image_id": 1, "face_id": 1, "person_id": 1, "library_id": 1, "album_id": 1, "place_id": 1}
_CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]
_OUTSIDE = {502, 503, 507}  # with a problem of ours: another computer, a disk or this machine's state, never the request
_TIME_LIMIT_S = 600  # a busy machine is no failure


@dataclass
class Report:
    """What was asked, by status, and what was wrong: each kind once, with the request that shows it."""

    statuses: Counter[int] = field(default_factory=Counter)
    wrong: dict[tuple[str, str], str] = field(default_factory=dict)

    def note(self, where: str, what: str, shown: str) -> None:
        self.wrong.setdefault((where, what), shown)


def operations(description: dict[str, Any]) -> Iterator[Operation]:
    """Those that can be asked to their end."""
    schema: BaseSchema = schemathesis.openapi.from_dict(description)
    for found in schema.get_all_operations():
        operation = found.ok() if isinstance(found, Ok) else None
        assert operation is not None, found
        if operation.path != ENDLESS:
            yield operation


class From(HTTPAdapter):
    """Connects from an address of this computer. Failed attempts to sign in are counted by it: they must not shut out other callers."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *values: Any, **named: Any) -> None:
        super().init_poolmanager(*values, **named, source_address=(self._address, 0))


class Fuzzer:
    """Asks as one caller; one whose account ended meanwhile is replaced by `renew`."""

    def __init__(self, server: RealServer, own_address: str, renew: Callable[[], Caller], seed: int) -> None:
        self._address = server.address
        self._authority = str(server.authority)
        self._renew = renew
        self._seed = seed
        self._caller = renew()
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.mount("https://", From(own_address))
        self.report = Report()

    def ask(self, operation: Operation, examples: int) -> None:
        """Send that many made-up requests, valid and invalid ones; a single one where the caller may not."""
        scope = Scope(operation.definition.raw[SCOPE_KEY])
        allowed = scope is Scope.OPEN or scope in self._caller.scopes
        strategy = st.one_of(
            operation.as_strategy(generation_mode=GenerationMode.POSITIVE).map(_among_known),
            operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
            *([operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)] if allowed and _has_input(operation) else []),
        )

        # Nothing is simplified or repeated: the server changes with each request.
        @hypothesis.seed(self._seed)
        @hypothesis.settings(
            max_examples=examples if allowed else 1,
            database=None,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(strategy)
        def made_up(case: Case[Any]) -> None:
            self._send(case, scope, allowed=allowed)

        made_up()

    def _send(self, case: Case[Any], scope: Scope, *, allowed: bool) -> None:
        if case.query and "wait" in case.query:
            del case.query["wait"]  # an answer that waits for a change
        where = f"{case.method} {case.operation.path}"
        answer = self._answer(case)
        if answer.status_code == 401 and self._caller.headers and scope is not Scope.OPEN:
            self._caller = self._renew()
            answer = self._answer(case)
        self.report.statuses[answer.status_code] += 1
        for what in (*_defects(case, answer), *self._access(answer, scope, allowed=allowed)):
            self.report.note(where, what, f"{answer.status_code} {answer.text[:300]} for {case.as_curl_command()[:1000]}")

    def _answer(self, case: Case[Any]) -> Response:
        return case.call(
            base_url=self._address, session=self._http, headers=self._caller.headers, verify=self._authority, timeout=_TIME_LIMIT_S
        )

    def _access(self, answer: Response, scope: Scope, *, allowed: bool) -> Iterator[str]:
        if allowed or answer.status_code in (400, 404, 405):  # of no route
            return
        if answer.status_code != (403 if self._caller.headers else 401):
            yield f"scope {scope.value}"


def _defects(case: Case[Any], answer: Response) -> Iterator[str]:
    if answer.status_code >= 500 and (answer.status_code not in _OUTSIDE or _code(answer) is None):
        yield f"status {answer.status_code}"
    if answer.status_code >= 400 and case.method != "HEAD" and _code(answer) is None and not _is_protocols(case, answer):
        yield "no problem"
    try:
        case.validate_response(answer, checks=_CHECKS)
    except FailureGroup as group:
        for each in group.exceptions:
            yield f"{type(each).__name__}: {str(each)[:400]}"


def _is_protocols(case: Case[Any], answer: Response) -> bool:
    """Whether it is the error that OpenID Connect prescribes for its own route."""
    return case.operation.path == LOGOUT and answer.status_code == 400 and json.loads(answer.content)["error"] == "invalid_request"


def _code(answer: Response) -> str | None:
    """The error's code; None if the answer isn't a problem of the catalogue."""
    try:
        code = json.loads(answer.content)["code"]
    except (ValueError, KeyError, TypeError):
        return None
    return code if code in leaves() else None


def _among_known(case: Case[Any]) -> Case[Any]:
    for name in _KNOWN.keys() & case.path_parameters.keys():
        case.path_parameters[name] = _KNOWN[name]
    return case


def _has_input(operation: Operation) -> bool:
    return bool(list(operation.iter_parameters()) or operation.body)
