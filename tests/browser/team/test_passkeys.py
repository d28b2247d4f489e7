"""A real browser with a virtual authenticator: an invitation by a passkey, signing in by it alone, another one, and its removal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect

from agent.interfaces.web.runtime_file import find
from tests.support.real_server import RealServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]

PASSWORD = "seven quiet harbours"


@pytest.fixture
def server(tmp_path: Path, models_folder: Path, built_ui: None) -> Iterator[RealServer]:
    made = RealServer(tmp_path, models_folder, {})
    made.serve()
    yield made
    made.quit()


@pytest.fixture
def device(chromium: Browser) -> Iterator[Callable[[], Page]]:
    """A browser on another device, whose authenticator says yes to all that it is asked."""
    contexts = []

    def opened() -> Page:
        contexts.append(chromium.new_context(ignore_https_errors=True, locale="en", viewport={"width": 1280, "height": 900}))
        page = contexts[-1].new_page()
        authenticator = contexts[-1].new_cdp_session(page)
        authenticator.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
        behaviour = {"isUserVerified": True, "automaticPresenceSimulation": True}
        authenticator.send("WebAuthn.addVirtualAuthenticator", {"options": options | behaviour})
        return page

    yield opened
    for context in contexts:
        context.close()


def _account(page: Page) -> None:
    """Open the account's page once the photos are there."""
    page.get_by_role("heading", name="Photos", exact=True).wait_for()
    page.goto(page.url.split("#")[0] + "#account")


def test_a_member_lives_with_passkeys(server: RealServer, device: Callable[[], Page]) -> None:
    secret = server.reached["invitation"].rpartition("/")[2]
    phone = device()
    phone.goto(f"{server.address}/#invitation/{secret}")
    phone.get_by_role("button", name="Create a passkey instead").click()
    expect(phone.get_by_role("heading", name="Photos", exact=True)).to_be_visible()

    # The only way in stays.
    _account(phone)
    row = phone.locator("section[aria-labelledby=passkeys-title] li")
    expect(row).to_have_count(1)
    row.get_by_role("button", name="Remove").click()
    row.get_by_role("form").get_by_role("button", name="Remove").click()
    expect(phone.get_by_role("alert").filter(has_text="last way to sign in")).to_be_visible()

    phone.get_by_role("button", name="Sign out").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Sign in")
    phone.get_by_role("button", name="Sign in with a passkey").click()
    _account(phone)
    expect(row).to_contain_text("Last used")
    row.get_by_role("button", name="Rename").click()
    phone.get_by_label("Name of the passkey").fill("Phone of the desk")
    phone.keyboard.press("Enter")
    expect(row.locator("b")).to_have_text("Phone of the desk")

    # The same device has one already; another one gets its own, with the password of another member.
    phone.get_by_role("button", name="Add a passkey…").click()
    phone.get_by_role("button", name="Create passkey").click()
    expect(phone.get_by_role("alert").filter(has_text="already has a passkey")).to_be_visible()

    with server.visitor() as operator:
        local = {"authorization": f"Bearer {find(server.paths.runtime).token}"}
        vera = operator.post("/api/members", json={"name": "vera", "role": "viewer"}, headers=local).json()
        link = operator.post(f"/api/members/{vera['id']}/invitation", headers=local).json()
    laptop = device()
    laptop.goto(f"{server.address}{link['path']}")
    laptop.locator("[name=new-password]").fill(PASSWORD)
    laptop.keyboard.press("Enter")
    _account(laptop)
    laptop.get_by_role("button", name="Add a passkey…").click()
    laptop.locator("[name=password]").fill(PASSWORD)
    laptop.get_by_role("button", name="Create passkey").click()
    expect(laptop.locator("section[aria-labelledby=passkeys-title] li")).to_have_count(1)
    laptop.get_by_role("button", name="Sign out").click()

    # A link for a new password asks for the passkey, too.
    with server.visitor() as operator:
        link = operator.post(f"/api/members/{vera['id']}/invitation", headers=local).json()
    expect(laptop.get_by_role("heading", level=1)).to_have_text("Sign in")
    laptop.goto(f"{server.address}{link['path']}")
    expect(laptop.get_by_text("This account also asks for one of its passkeys")).to_be_visible()
    laptop.locator("[name=new-password]").fill(PASSWORD)
    laptop.keyboard.press("Enter")
    _account(laptop)
    laptop.get_by_role("button", name="Sign out").click()

    # The password alone is not enough any more.
    laptop.locator("[name=username]").fill("vera")
    laptop.locator("[name=password]").fill(PASSWORD)
    laptop.keyboard.press("Enter")
    expect(laptop.get_by_text("This account also asks for a passkey.")).to_be_visible()
    laptop.get_by_role("button", name="Sign in with a passkey").click()
    _account(laptop)
    laptop.locator("section[aria-labelledby=passkeys-title]").get_by_role("button", name="Remove").click()
    laptop.locator("[name=password]").fill(PASSWORD)
    laptop.get_by_role("form").get_by_role("button", name="Remove").click()
    expect(laptop.locator("section[aria-labelledby=passkeys-title] li")).to_have_count(0)
