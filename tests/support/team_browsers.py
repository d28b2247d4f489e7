"""The browsers of a server's members, and how they come in."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, expect

PASSWORDS = {"ada": "seven quiet harbours", "vera": "an orchard in november", "carl": "lamps along the canal"}


@contextmanager
def browsers(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Open the browser of another person in a language. The server's authority is its own: what a browser would ask is answered."""
    contexts = []

    def opened(language: str = "en") -> Page:
        contexts.append(chromium.new_context(ignore_https_errors=True, locale=language, viewport={"width": 1280, "height": 800}))
        return contexts[-1].new_page()

    try:
        yield opened
    finally:
        for context in contexts:
            context.close()


def accept_invitation(page: Page, link: str, name: str) -> None:
    """Open the invitation, choose a password, and arrive at the photos."""
    page.goto(link)
    page.locator("[name=new-password]").fill(PASSWORDS[name])
    page.keyboard.press("Enter")
    page.get_by_role("option").first.wait_for()


def invite(page: Page, display_name: str, name: str, role: str) -> str:
    """Invite a member in an English page; returns the invitation's link."""
    page.goto(page.url.split("#")[0] + "#members")
    page.get_by_role("button", name="Invite…").click()
    page.get_by_label("Name shown to others").fill(display_name)
    page.get_by_label("User name").fill(name)
    page.get_by_role("form").get_by_role("combobox").click()
    page.get_by_role("option", name=role).click()
    page.get_by_role("button", name="Create link").click()
    expect(page.get_by_role("heading", name=f"Link for {display_name}")).to_be_visible()
    return page.locator("section code").inner_text()
