"""What each answer tells browsers, so that a mistake in a page stays harmless."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


def keeps_browsers_strict(answer: httpx.Response) -> None:
    policy, features = answer.headers["content-security-policy"], answer.headers["permissions-policy"]
    assert "default-src 'none'" in policy and "script-src 'self';" in policy and "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in features and "microphone=()" in features and "geolocation=()" in features
