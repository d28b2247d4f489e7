"""Codes of logged errors are counted, whatever the log's level."""

from agent.infrastructure.core import error_metrics


def test_warnings_with_a_code_count_and_photos_do_not() -> None:
    before = error_metrics.logged.copy()
    error_metrics.count(None, "warning", {"event": "work.not_recalled", "code": "store.busy"})
    error_metrics.count(None, "info", {"event": "x", "code": "store.busy"})
    error_metrics.count(None, "warning", {"event": "image.failed", "code": "image.empty"})
    error_metrics.count(None, "warning", {"event": "request.refused", "code": "account.sign_in_required"})
    error_metrics.count(None, "error", {"event": "x", "code": 3})
    assert error_metrics.logged - before == {"store.busy": 1}
