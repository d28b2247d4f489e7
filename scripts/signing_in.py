"""A browser's page that is signed in to the running program, as a click in the tray opens it."""

from playwright.sync_api import Page

from agent.web.client import Client


def sign_in(page: Page, client: Client, place: str = "library") -> None:
    """Returns once the page's session stands, so that the next page of this browser may be opened."""
    with page.expect_response(lambda answer: answer.url.endswith("/api/session")):
        page.goto(client.session_url(place))
    page.wait_for_function("localStorage.getItem('session') !== null")
