"""A team's first day: two workers on hosts of their own, two desks and three browsers, from the invitation to an incident."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect

from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.store.worker_key import WORKER_KEY_FILE
from agent.server.workers.queries.worker_rows import WorkerQueries
from scripts.benchmarks.availability_hosts import Host, Network, network
from tests.support.journey import Journey
from tests.support.journey_desktop import RECOGNISES, Desk
from tests.support.postgres_server import PostgresServer
from tests.support.real_program import CHECKOUT, WAIT_S
from tests.support.real_server import RealServer
from tests.support.team_browsers import PASSWORDS, accept_invitation, browsers, invite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform != "linux", reason="network namespaces are Linux’s"),
]
EACH, NAMED, PLAIN = 8, 3, 24
BARACK, JOE = "Barack", "Joe"


@pytest.fixture
def lan() -> Iterator[Network]:
    with network() as made:
        yield made


@pytest.fixture
def server(lan: Network, tmp_path: Path, models_folder: Path, built_ui: None) -> Iterator[RealServer]:
    """It has a database that other hosts reach, and no worker of its own."""
    database = PostgresServer(address=lan.address)
    (root := tmp_path / "server").mkdir()
    made = RealServer(root, models_folder, {**RECOGNISES, "AI_POPUP__SERVER__WORKERS": "0", "AI_POPUP__INCIDENTS__FAILED_SIGN_INS": "3"})
    made.file.set("server.database", f"postgresql://tests@{lan.address}:{database.port}/{database.create()}")
    try:
        yield made
    finally:
        made.quit()
        database.stop()


@pytest.fixture
def browser_of(chromium: Browser) -> Iterator[Callable[..., Page]]:
    with browsers(chromium) as opened:
        yield opened


@pytest.fixture
def desks(tmp_path: Path, models_folder: Path) -> Iterator[list[Desk]]:
    made: list[Desk] = []
    try:
        made += [Desk(tmp_path / name, models_folder) for name in ("one", "other")]
        yield made
    finally:
        for each in made:
            each.program.quit()


def worker(server: RealServer, host: Host, root: Path) -> subprocess.Popen[bytes]:
    """Start a worker on another host, where the photos are mounted elsewhere; it has the workers' key and the models, no more."""
    mounted, home = root / "mounted", root / "home"
    shutil.copytree(server.watched, mounted)
    (home / "data").mkdir(parents=True)
    (home / "data" / "models").symlink_to(server.paths.data / "models")
    (home / "config" / "keys").mkdir(parents=True)
    shutil.copyfile(server.paths.keys / WORKER_KEY_FILE, home / "config" / "keys" / WORKER_KEY_FILE)
    command = [sys.executable, "-m", "agent", "worker", "--name", root.name, "--root", f"{server.watched}={mounted}"]
    database = server.file.load().server.database
    environment = {**server.environment, "AI_POPUP_HOME": str(home), "AI_POPUP__SERVER__DATABASE": database}
    with (root / "errors.txt").open("wb") as errors:
        return subprocess.Popen(host.inside(command), env=environment, cwd=CHECKOUT, stderr=errors)


def person_of(file: str) -> str:
    return Path(file).name.partition("-")[0]


def test_from_the_invitation_to_an_incident(
    lan: Network,
    server: RealServer,
    desks: list[Desk],
    browser_of: Callable[..., Page],
    samples_folder: Path,
    tmp_path: Path,
) -> None:
    zh = Texts("zh-CN")
    server.serve()
    admin, curator, viewer = browser_of(), browser_of(), browser_of("zh-CN")
    secret = server.reached["invitation"].rpartition("/")[2]

    # Two workers share the photos; each is scanned once.
    journey = Journey(server, samples_folder, tmp_path)
    for person in (BARACK, JOE):
        for photo in journey.portraits(f"made/{person}", person, EACH).iterdir():
            shutil.move(photo, tmp_path / f"{person}-{photo.name}")
    for photo in journey.album("plain", plain=PLAIN).iterdir():
        shutil.move(photo, tmp_path / photo.name)
    for photo in tmp_path.glob("*.jpg"):
        photo.rename(server.watched / photo.name)
    total = 2 * EACH + PLAIN
    workers = [worker(server, lan.host(name), tmp_path / name) for name in ("attic", "cellar")]
    try:
        server.until(lambda status: (status.images, status.queued) == (total, 0), within=400)
        with server.library() as library:
            known = WorkerQueries(library.database)
            server.until(lambda _: sum(each.done for each in known.workers()) == total)  # they tell it now and then
            assert {each.name for each in known.workers() if each.done} == {"attic", "cellar"}

        # The administrator lets two members in, one of whom reads Chinese.
        accept_invitation(admin, f"{server.address}/#invitation/{secret}", "ada")
        accept_invitation(viewer, invite(admin, "Vera", "vera", "Viewer"), "vera")
        accept_invitation(curator, invite(admin, "Carl", "carl", "Curator"), "carl")

        with server.visitor() as member:
            signed = member.post("/api/account/sign-in", json={"name": "admin", "password": PASSWORDS["ada"]})
            assert signed.status_code == 200, signed.text
            member.headers["authorization"] = f"Session {signed.json()['key']}"
            name_and_agree(member, server)

            # Desks join; the curator compares the code in the browser.
            for desk in desks:
                desk.join(server, lambda code: let_in(curator, server, code))
                desk.until({BARACK, JOE})

            # A name given in the browser is seen at both desks, and by the member who reads Chinese.
            rename(curator, server, member, BARACK, "奥巴马")
            for desk in desks:
                desk.until({"奥巴马", JOE})
            viewer.get_by_role("link", name=zh("ui.nav.people")).click()
            expect(viewer.locator(".people")).to_contain_text("奥巴马")

            # Only who agreed to publishing is seen on the copies.
            assert published(member, "first") == {BARACK: {0: EACH}, JOE: {1: EACH}}

            # The person takes recognition back by a link, without an account: desks and workers forget the face.
            path = member.post(f"/api/people/{people(member)['奥巴马']}/consent-link", json={}).json()["path"]
            withdraw(browser_of(), f"{server.address}{path}")
            for desk in desks:
                desk.until({JOE})
            # Publishing is still agreed to; the faces that were named by hand are known without a print.
            assert published(member, "second") == {BARACK: {0: NAMED, 1: EACH - NAMED}, JOE: {1: EACH}}

            # A password is guessed: the rule finds it, and the administrator's first step locks the member.
            with server.visitor() as stranger:
                for _ in range(3):
                    refused = stranger.post("/api/account/sign-in", json={"name": "vera", "password": "guessed guessed guessed"})
                    assert refused.status_code in (401, 429), refused.text
            admin.goto(f"{server.address}/#incidents")
            incident = admin.locator("main li", has_text="Many failed sign-ins").first
            expect(incident).to_contain_text("Vera")
            incident.get_by_role("button", name="Lock the member").click()
            expect(incident).to_contain_text("The member was locked.")
            expect(viewer.get_by_role("heading", level=1)).to_have_text(zh("team_page.sign_in.ended"))
            assert json.loads(server.run("record", "verify", "--json").stdout)["intact"] is True
    finally:
        for each in workers:
            each.kill()
            each.wait()


def people(member: httpx.Client) -> dict[str, int]:
    return {each["name"]: each["id"] for each in member.get("/api/people").json()}


def name_and_agree(member: httpx.Client, server: RealServer) -> None:
    """Name three faces of each person; both agree to recognition, one to publishing, too. The others are then recognised."""
    images = member.get("/api/images", params={"limit": 100}).json()["items"]
    for person, purposes in ((BARACK, ["recognise", "publish"]), (JOE, ["recognise"])):
        faces = [each["faces"][0]["id"] for each in images if person_of(each["name"]) == person]
        assert len(faces) == EACH
        for face in faces[:NAMED]:
            answer = member.post("/api/people", json={"face_id": face, "name": person})
            assert answer.status_code == 200, answer.text
        given = member.put(f"/api/people/{people(member)[person]}/consents", json={"purposes": purposes})
        assert given.status_code == 200, given.text


def let_in(page: Page, server: RealServer, code: str) -> None:
    page.goto(f"{server.address}/#join/{code}")
    expect(page.locator(".fingerprint")).to_have_text(server.reached["fingerprint"])
    page.get_by_label("Current password").fill(PASSWORDS["carl"])
    page.get_by_role("button", name="Let it in").click()
    expect(page.get_by_role("status").filter(has_text="is in.")).to_be_visible()


def rename(page: Page, server: RealServer, member: httpx.Client, before: str, after: str) -> None:
    page.goto(f"{server.address}/#people/{people(member)[before]}")
    page.locator("h1 button").click()
    page.locator("main form input").first.fill(after)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(after)


def withdraw(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_role("button", name=re.compile("Withdraw")).first.click()
    page.get_by_role("alertdialog").get_by_role("button", name="Withdraw", exact=True).click()
    expect(page.get_by_text("You are not recognised in new photos.")).to_be_visible()


def published(member: httpx.Client, out: str) -> dict[str, Counter[int]]:
    """Make copies for publishing; returns for each person how many of their copies have so many faces covered."""
    images = [each for each in member.get("/api/images", params={"limit": 100}).json()["items"] if each["faces"]]
    wanted = {"images": [each["id"] for each in images], "out": out, "keep_consented": True}
    batch = member.post("/api/redactions", json=wanted).json()
    until = time.monotonic() + WAIT_S
    while True:
        items = member.get(f"/api/redactions/{batch['uid']}/items", params={"limit": 100}).json()["items"]
        states = Counter(each["state"] for each in items)
        if not states["planned"]:
            break
        assert time.monotonic() < until, states
        time.sleep(0.1)
    assert states.total() == 2 * EACH and not states["failed"], states
    found: dict[str, Counter[int]] = {BARACK: Counter(), JOE: Counter()}
    for each in items:
        found[person_of(each["source"])][each["covered"]] += 1
    return found
