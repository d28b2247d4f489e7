"""Team servers that announce themselves in the local network, on the settings page of a desktop."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Route, expect

from tests.support.announced_servers import announced, announcement

if TYPE_CHECKING:
    from agent.interfaces.web.announcement import Announcement
    from tests.browser.ui.conftest import Visitor
    from tests.support.real_program import RealProgram

SERVERS, TEAM, UNDO, ADDRESS = "**/api/team/servers", "**/api/team", "**/api/undo", "**/api/team/address"
SIZES = ((1280, 720), (390, 800))


@pytest.fixture(scope="module")
def visitor(make_module_program: Callable[[Mapping[str, str]], "RealProgram"], visit: Callable[["RealProgram"], "Visitor"]) -> "Visitor":
    program = make_module_program({"AI_POPUP__TRAY__ENABLED": "false"})
    program.start()
    visitor = visit(program)
    visitor.sign_in()
    return visitor


@pytest.fixture(scope="module")
def server() -> Iterator["Announcement"]:
    made = announcement()
    with announced(made):
        yield made


def find(visitor: "Visitor", language: str) -> None:
    visitor.go("#settings/recognition", language)
    visitor.page.get_by_role("button", name=visitor.texts("team_card.find"), exact=True).click()


def test_a_server_is_found_when_asked_for_and_joined_like_a_typed_address(
    visitor: "Visitor", server: "Announcement", language: str
) -> None:
    page = visitor.page
    asked: list[object] = []
    page.on("request", lambda request: asked.append(request.post_data_json) if request.url.endswith("/api/team/join") else None)
    find(visitor, language)
    t = visitor.texts
    visitor.says(t("team_card.finding"))
    entry = page.get_by_role("listitem").filter(has_text=server.name)
    entry.wait_for()
    expect(entry).to_contain_text(server.fingerprint)
    expect(entry).to_contain_text("https://10.9.9.9:8443")
    visitor.right(SIZES)
    page.get_by_role("button", name=t("team_card.join_found", name=server.name), exact=True).click()
    visitor.says(t("errors.team.server_not_found.cause"), whole=False)
    assert asked == [{"address": "https://10.9.9.9:8443"}]


def test_a_search_that_finds_no_server_or_fails_says_what_to_do(visitor: "Visitor", language: str) -> None:
    page = visitor.page
    page.route(SERVERS, lambda route: route.fulfill(json={"servers": []}))
    find(visitor, language)
    visitor.says(visitor.texts("team_card.found_none"))
    page.unroute(SERVERS)
    problem = {"code": "team.search_failed", "cause": "the cause", "remedy": "the remedy", "params": {}}
    page.route(SERVERS, lambda route: route.fulfill(status=500, json=problem))
    find(visitor, language)
    visitor.says("the cause", whole=False)
    page.unroute(SERVERS)


def test_leaving_says_beforehand_how_much_has_not_reached_the_server(visitor: "Visitor", language: str) -> None:
    page = visitor.page
    joined = {
        "state": "joined",
        "name": "School",
        "address": "https://photos.example",
        "waiting": 3,
        "unsent": 2,
        "conflicts": [],
        "corrections": [],
    }
    page.route(TEAM, lambda route: route.fulfill(json=joined))
    visitor.go("#settings/recognition", language)
    t = visitor.texts
    page.get_by_role("button", name=t("team_card.leave"), exact=True).click()
    expect(page.get_by_role("alertdialog")).to_contain_text(t("team_card.leave_unsent", count=2, name="School"))
    visitor.right(SIZES)
    page.unroute(TEAM)


def test_changes_of_other_computers_are_undone_by_keyboard_one_after_the_other(visitor: "Visitor", language: str) -> None:
    page = visitor.page
    at = {"at": "2026-11-30T12:00:00Z"}
    corrections: list[dict[str, object]] = [
        at | {"token": "1" * 32, "mine": "Mei Lindgren-Featherstonehaugh", "theirs": "林小梅", "count": 1, "image_id": 1},
        at | {"token": "2" * 32, "mine": "Hua", "theirs": "", "count": 3, "image_id": None},
        at | {"token": "3" * 32, "mine": "", "theirs": "Lin", "count": 1, "image_id": 2},
    ]
    who = {"member": "Mei Lindgren", "people": 3, "may_name": True}
    joined = who | {"state": "joined", "name": "School", "address": "https://photos.example", "waiting": 0, "conflicts": []}
    undone = list[str]()

    def undo(route: Route) -> None:
        undone.append((route.request.post_data_json or {})["undo"])
        corrections[:] = [each for each in corrections if each["token"] not in undone]
        route.fulfill(json={"action": "corrected", "count": 1})

    page.route(TEAM, lambda route: route.fulfill(json=joined | {"corrections": corrections}))
    page.route(UNDO, undo)
    visitor.go("#settings/recognition", language)
    t = visitor.texts
    shown = page.get_by_role("list", name=t("team_card.corrections")).get_by_role("listitem")
    expect(shown).to_have_count(3)
    expect(shown.nth(0)).to_contain_text(t("team_card.corrected", count=1, mine="Mei Lindgren-Featherstonehaugh", theirs="林小梅"))
    expect(shown.nth(1)).to_contain_text(t("team_card.corrected_away", count=3, mine="Hua"))
    expect(shown.nth(2)).to_contain_text(t("team_card.corrected_new", count=1, theirs="Lin"))
    visitor.right(SIZES)
    buttons = shown.get_by_role("button", name=t("team_card.undo_for_all"))
    buttons.first.focus()
    page.keyboard.press("Enter")
    for left in (2, 1):
        expect(shown).to_have_count(left)
        expect(buttons.first).to_be_focused()
        page.keyboard.press("Enter")
    expect(page.get_by_text(t("team_card.corrections"), exact=True)).to_have_count(0)
    expect(page.get_by_role("button", name=t("team_card.leave"), exact=True)).to_be_focused()
    assert undone == ["1" * 32, "2" * 32, "3" * 32]
    page.unroute(TEAM)
    page.unroute(UNDO)


def test_a_joined_server_is_followed_at_a_typed_address_or_one_that_it_announces(visitor: "Visitor", language: str) -> None:
    page = visitor.page
    joined = {
        "state": "joined",
        "name": "School",
        "member": "Mei",
        "people": 3,
        "may_name": True,
        "waiting": 2,
        "conflicts": [],
        "corrections": [],
    }
    at, asked = ["https://old.example:8443"], list[str]()
    other = {"name": "School", "version": "1.2.3", "fingerprint": ":".join(["0A"] * 32), "joined": False, "followed_at": ""}
    mine = other | {"joined": True, "followed_at": at[0], "address": "https://10.0.0.5:8443"}
    stranger, same = other | {"address": "https://10.0.0.6:8443"}, mine | {"followed_at": "", "address": at[0]}

    def move(route: Route) -> None:
        asked.append((route.request.post_data_json or {})["address"])
        if asked[-1] == "wrong.example":
            route.fulfill(status=409, json={"code": "team.certificate_changed", "cause": "the cause", "remedy": "the remedy", "params": {}})
            return
        at[:] = [asked[-1]]
        route.fulfill(status=204)

    page.route(TEAM, lambda route: route.fulfill(json=joined | {"address": at[0]}))
    page.route(SERVERS, lambda route: route.fulfill(json={"servers": [stranger, same, mine]}))
    page.route(ADDRESS, move)
    visitor.go("#settings/recognition", language)
    t = visitor.texts
    opener = page.get_by_role("button", name=t("team_card.move"), exact=True)
    opener.click()
    field = page.get_by_label(t("team_card.address"), exact=True)
    expect(field).to_be_focused()
    page.keyboard.type("wrong.example")
    page.keyboard.press("Enter")
    visitor.says("the cause", whole=False)
    expect(page.get_by_text(t("team_card.server_address", address="https://old.example:8443"))).to_be_visible()

    page.get_by_role("button", name=t("team_card.find"), exact=True).click()
    offers = page.get_by_role("button", name=t("team_card.move_to", address="https://10.0.0.5:8443"), exact=True)
    expect(offers).to_be_visible()
    expect(page.get_by_text("https://10.0.0.6:8443")).to_have_count(0)
    visitor.right(SIZES)
    offers.click()
    expect(page.get_by_text(t("team_card.server_address", address="https://10.0.0.5:8443"))).to_be_visible()
    expect(opener).to_be_focused()
    expect(field).to_have_count(0)
    assert asked == ["wrong.example", "https://10.0.0.5:8443"]
    for each in (TEAM, SERVERS, ADDRESS):
        page.unroute(each)
