"""What a server tells of its requests and its work."""

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from agent.app.server.metrics.database import Rows
from agent.app.server.metrics.server import SERVER, WORKER, ServerFigures
from agent.app.server.metrics.sparing import CostLimitedCache
from agent.domain.errors import MailFailed, StoreUnwritable
from agent.infrastructure.core import outgoing_requests
from agent.infrastructure.core.outgoing_requests import OutgoingRequests, Peer, outgoing
from agent.interfaces.web.request_counts import RequestCounts, RequestRecord
from tests.server.monitoring import recorded


@pytest.fixture
def figures(tmp_path: Path) -> ServerFigures:
    return ServerFigures(SERVER, tmp_path, RequestCounts())


def told(figures: ServerFigures, database: str = "ok") -> dict[tuple[str, ...], float]:
    text = figures.render({"database": database, "disk": "store.disk_full"}, draining=True)[1].decode()
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_sign_ins_and_refusals_are_told_by_way_and_code(figures: ServerFigures) -> None:
    for status, code in ((200, ""), (401, "account.wrong_sign_in"), (429, "account.too_many_attempts")):
        figures.requests.ended("POST", RequestRecord("0", "/api/account/sign-in", code), status, 0.1)
    found = told(figures)
    assert found["ai_popup_sign_ins_total", "accepted", "password"] == 1
    assert found["ai_popup_sign_ins_total", "refused", "password"] == 2
    assert found["ai_popup_sign_ins_total", "accepted", "passkey"] == 0
    assert found["ai_popup_refusals_total", "account.too_many_attempts", "429"] == 1
    assert found["ai_popup_errors_total", "account.wrong_sign_in", "request"] == 1


def test_sign_ins_by_the_provider_are_told_and_those_that_lack_a_second_factor_are_none_yet(figures: ServerFigures) -> None:
    first, second = "/api/account/provider/sign-in", "/api/account/provider/second-factor"
    for route, status, code in (
        (first, 200, ""),
        (first, 200, "account.second_factor_required"),
        (second, 401, "account.wrong_second_factor"),
        (second, 200, ""),
        (first, 403, "account.not_a_member"),
    ):
        figures.requests.ended("POST", RequestRecord("0", route, code), status, 0.1)
    found = told(figures)
    assert found["ai_popup_sign_ins_total", "accepted", "provider"] == 2
    assert found["ai_popup_sign_ins_total", "refused", "provider"] == 3
    assert ("ai_popup_errors_total", "account.second_factor_required", "request") not in found, "it was answered"


def test_requests_to_other_servers_are_told(figures: ServerFigures, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(outgoing_requests.made, Peer.MAIL, OutgoingRequests())
    with pytest.raises(MailFailed), outgoing(Peer.MAIL, clock=iter((0.0, 0.2)).__next__):
        raise MailFailed(connect=1)
    found = told(figures)
    assert found["ai_popup_outgoing_failures_total", "mail"] == found["ai_popup_outgoing_request_seconds_count", "mail"] == 1
    assert found["ai_popup_outgoing_request_seconds_bucket", "0.1", "mail"] == 0
    assert found["ai_popup_outgoing_request_seconds_bucket", "0.25", "mail"] == 1
    assert found["ai_popup_outgoing_failures_total", "provider"] == 0 and ("ai_popup_outgoing_failures_total", "team") not in found


def test_what_rates_are_made_of_is_told_from_the_start(figures: ServerFigures) -> None:
    found = told(figures)
    assert found["ai_popup_responses_total", "5xx"] == found["ai_popup_images_failed_total",] == 0
    assert found["ai_popup_errors_total", "agent.unexpected", "request"] == 0


def test_checks_and_the_end_are_told(figures: ServerFigures) -> None:
    found = told(figures)
    assert (found["ai_popup_ready", "database"], found["ai_popup_ready", "disk"], found["ai_popup_draining",]) == (1, 0, 1)


def test_without_a_database_the_rest_is_told(figures: ServerFigures) -> None:
    def fails() -> Rows:
        raise StoreUnwritable

    figures.rows = CostLimitedCache(fails)
    found = told(figures, "store.unwritable")
    assert found["ai_popup_database_up",] == 0 and found["ai_popup_memory_bytes", "server"] > 0


def test_a_database_that_hangs_is_told_though_its_last_figures_are_kept(figures: ServerFigures) -> None:
    figures.rows = CostLimitedCache(lambda: recorded.rows(1))
    assert told(figures)["ai_popup_database_up",] == 1
    found = told(figures, "store.busy")
    assert found["ai_popup_database_up",] == 0 and found["ai_popup_images",] > 0


def test_a_worker_tells_nothing_of_the_database(tmp_path: Path) -> None:
    found = told(ServerFigures(WORKER, tmp_path, RequestCounts()))
    assert ("ai_popup_database_up",) not in found and found["ai_popup_memory_bytes", "worker"] > 0
