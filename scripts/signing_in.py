"""Signs a browser's page in to the running program, as a click in the tray does."""

from playwright.sync_api import Page

from agent.interfaces.web.client import Client
from scripts.page_conditions import wait_for_condition


def sign_in(page: Page, client: Client, place: str = "library") -> None:
    """Return once the page's session exists, so that the next page of this browser may be opened."""
    with page.expect_response(lambda answer: answer.url.endswith("/api/session")):
        page.goto(client.session_url(place))
    wait_for_condition(page, "localStorage.getItem('session') !== null")
