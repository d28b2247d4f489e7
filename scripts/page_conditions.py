"""Waits for conditions in a browser's page, asked from outside."""

from typing import Any

from playwright.sync_api import Error, Page

EVERY_MS = 50
LIMIT_MS = 30_000


def wait_for_condition(page: Page, condition: str, arg: Any = None, limit_ms: int = LIMIT_MS) -> None:
    """Return once a JavaScript expression, or a function of `arg`, is true in the page.

    Playwright's `wait_for_function` compiles its text again at each poll; only the first is exempt from the strict policy for
    contents that every page has, so a condition that isn't true at once fails there.
    A page that loads anew has no answer for a moment.

    Raises:
        Error: Playwright's, when the page has no answer at the limit.
        TimeoutError: It is still false at the limit.
    """
    for left in range(limit_ms // EVERY_MS, -1, -1):
        try:
            if page.evaluate(condition, arg):
                return
        except Error:
            if not left:
                raise
        page.wait_for_timeout(EVERY_MS)
    raise TimeoutError(f"Not true within {limit_ms} ms: {condition}")
