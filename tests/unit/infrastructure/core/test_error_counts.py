"""Codes of logged errors are counted, whatever the log's level."""

from agent.infrastructure.core import error_counts


def test_warnings_with_a_code_count_and_photos_do_not() -> None:
    before = error_counts.logged.copy()
    error_counts.count(None, "warning", {"event": "work.not_recalled", "code": "store.busy"})
    error_counts.count(None, "info", {"event": "x", "code": "store.busy"})
    error_counts.count(None, "warning", {"event": "image.failed", "code": "image.empty"})
    error_counts.count(None, "warning", {"event": "request.refused", "code": "account.sign_in_required"})
    error_counts.count(None, "error", {"event": "x", "code": 3})
    assert error_counts.logged - before == {"store.busy": 1}
