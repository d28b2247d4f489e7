"""A real browser, a real server and a real OpenID provider: an invitation, signing in and out, the second factor, linking, and refusals."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect
from pyotp import TOTP

from agent.interfaces.web.runtime_file import find
from agent.server.accounts.oidc.auth_request import LOGOUT
from tests.support.openid_provider import CLIENT, SECRET, OpenIdProvider
from tests.support.real_program import CHECKOUT
from tests.support.real_server import RealServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]

PASSWORD = "seven quiet harbours"
CARD = "section[aria-labelledby=provider-title]"


@pytest.fixture
def school(tmp_path: Path) -> Iterator[OpenIdProvider]:
    made = OpenIdProvider(tmp_path / "school")
    yield made
    made.close()


@pytest.fixture
def server(tmp_path: Path, models_folder: Path, built_ui: None, school: OpenIdProvider) -> Iterator[RealServer]:
    secret = tmp_path / "client-secret"
    secret.write_text(f"{SECRET}\n")
    settings = {"ISSUER": school.issuer, "CLIENT_ID": CLIENT, "NAME": "School", "CERTIFICATE": str(school.authority)}
    settings |= {"SECRET_PATH": str(secret)}
    made = RealServer(tmp_path, models_folder, {f"AI_POPUP__OIDC__{name}": value for name, value in settings.items()})
    made.serve()
    yield made
    made.quit()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(ignore_https_errors=True, locale="en", viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def _account(page: Page) -> None:
    """Open the account's page once the photos are there."""
    page.get_by_role("heading", name="Photos", exact=True).wait_for()
    page.goto(page.url.split("#")[0] + "#account")


def _command(server: RealServer, *words: str) -> list[dict[str, object]]:
    """What a command printed as JSON, a line each."""
    command = [sys.executable, "-m", "agent", *words, "--json"]
    ran = subprocess.run(command, env=server.environment, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_a_member_lives_with_the_provider(server: RealServer, school: OpenIdProvider, page: Page) -> None:
    checked = _command(server, "members", "provider", "check")
    assert {each["what"] for each in checked if each["state"] == "ok"} == {"discovery", "keys", "client", "clock", "pkce"}
    assert all(each["state"] != "bad" for each in checked)

    # The first administrator is invited, and takes the account at the school in place of a password.
    secret = server.reached["invitation"].rpartition("/")[2]
    page.goto(f"{server.address}/#invitation/{secret}")
    page.get_by_role("button", name="Sign in with School instead").click()
    expect(page.get_by_role("heading", name="Photos", exact=True)).to_be_visible()
    assert [each["name"] for each in _command(server, "members", "provider", "list")] == ["admin"]

    # The only way in stays.
    _account(page)
    expect(page.locator(f"{CARD} li b")).to_have_text("Grace")
    page.locator(CARD).get_by_role("button", name="Unlink").click()
    expect(page.get_by_role("alert").filter(has_text="last way to sign in")).to_be_visible()

    # Signing out ends the session at the school, too, which sends the browser back.
    school.asked.clear()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert "/end" in school.asked
    page.get_by_role("button", name="Sign in with School").click()
    _account(page)
    expect(page.locator(f"{CARD} li")).to_contain_text("Last used")

    # With a second factor of this account, the school alone is not enough.
    page.locator("section[aria-labelledby=second-title]").get_by_role("button").first.click()
    key = page.locator("section[aria-labelledby=second-title] code").first.inner_text().replace(" ", "")
    app = TOTP(key)
    page.locator("section[aria-labelledby=second-title] input").fill(app.now())
    page.locator("section[aria-labelledby=second-title] [type=submit]").click()
    expect(page.locator("section[aria-labelledby=second-title] li").first).to_be_visible()
    recovery = page.locator("section[aria-labelledby=second-title] li").first.inner_text()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with School").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("One more step")
    page.locator("[name=code]").fill("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="code is wrong")).to_be_visible()
    page.locator("[name=code]").fill(recovery)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Photos", exact=True)).to_be_visible()
    _account(page)
    page.get_by_role("button", name="Sign out").click()

    # Another account at the school is nobody here, and a cancelled sign-in says so.
    school.user = {"sub": "u-2", "preferred_username": "ben", "email": "admin@school.example", "email_verified": True}
    page.get_by_role("button", name="Sign in with School").click()
    expect(page.get_by_role("alert").filter(has_text="does not belong to a member")).to_be_visible()
    page.get_by_role("link", name="Back to sign-in").click()
    school.denies = True
    page.get_by_role("button", name="Sign in with School").click()
    expect(page.get_by_role("alert").filter(has_text="access_denied")).to_be_visible()
    school.denies = False

    # A member with a password links that account, after the password.
    with server.visitor() as operator:
        local = {"authorization": f"Bearer {find(server.paths.runtime).token}"}
        ben = operator.post("/api/members", json={"name": "ben", "role": "viewer"}, headers=local).json()
        link = operator.post(f"/api/members/{ben['id']}/invitation", headers=local).json()
    page.goto(f"{server.address}{link['path']}")
    page.locator("[name=new-password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    _account(page)
    page.get_by_role("button", name="Link my account at School…").click()
    page.locator(f"{CARD} [name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Go to School").click()
    expect(page.locator(f"{CARD} li b")).to_have_text("ben")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with School").click()
    _account(page)

    # The school signs the account out: the open page is left at once, and the same notice does nothing a second time.
    with server.visitor() as provider:
        notice = {"logout_token": school.logout_token(sub=school.user["sub"])}
        assert provider.post(LOGOUT, data=notice).status_code == 200
        expect(page.get_by_role("heading", level=1)).to_have_text("You were signed out")
        assert provider.post(LOGOUT, data=notice).json()["error"] == "invalid_request"
    page.get_by_role("button", name="Sign in with School").click()
    expect(page.locator(f"{CARD} li b")).to_have_text("ben")  # where the page was left

    # An administrator unlinks it on the server: that session ends.
    _command(server, "members", "provider", "unlink", "ben")
    expect(page.get_by_role("heading", level=1)).to_have_text("You were signed out")
    page.get_by_role("button", name="Sign in with School").click()
    expect(page.get_by_role("alert").filter(has_text="does not belong to a member")).to_be_visible()
