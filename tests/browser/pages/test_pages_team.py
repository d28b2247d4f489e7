"""The pages of a team's server: signing in, invitations, the account, members, the record, workers, and what each role is offered."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from playwright.sync_api import FilePayload, Locator, Page, Route, ViewportSize, expect

from agent.infrastructure.core.i18n import LANGUAGES, Texts

if TYPE_CHECKING:
    from tests.browser.pages.conftest import InEachLanguage

Visit = Callable[..., None]
Act = Callable[[Page], object]

PASSWORD = "correct horse battery staple"
CODE = "123456"
# The cards of the account, by their titles: some come a little later.
PASSWORD_CARD, SECOND_CARD, PROVIDER_CARD, PASSKEYS_CARD, SESSIONS_CARD, TOKENS_CARD = (
    f"section[aria-labelledby={each}-title]" for each in ("password", "second", "provider", "passkeys", "account-sessions", "tokens")
)
DESK: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 360, "height": 740}
SIGN_IN = {"en": "Sign in", "zh-CN": "登录"}
FORBIDDEN = {"code": "access.forbidden", "cause": "Your role doesn’t allow this (desktop).", "remedy": "Ask.", "params": {}}
FITS = "document.documentElement.scrollWidth <= innerWidth"


def _fill(page: Page, name: str, password: str) -> None:
    page.locator("[name=username]").fill(name)
    page.locator("[name=password]").fill(password)
    page.locator("[type=submit]").click()


def _decoded(code: Locator) -> str:
    """What a camera reads from a QR code on the page."""
    picture = cv2.imdecode(np.frombuffer(code.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return str(cv2.QRCodeDetector().detectAndDecode(cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST))[0])


def _nothing(_: Page) -> None:
    """It is looked at as it comes."""


def _invite(page: Page) -> None:
    page.locator("header .button.primary").click()
    page.locator("form input").first.wait_for()


def _link(page: Page) -> None:
    _invite(page)
    page.locator("form input").nth(0).fill("Leo Kim")
    page.locator("form input").nth(1).fill("leo")
    page.locator("form [type=submit]").click()
    page.locator("svg[role=img]").wait_for()


def _menu(page: Page) -> None:
    page.locator("[aria-haspopup=menu]").nth(1).click()
    page.locator("[role=menu]").wait_for()


def _remove(page: Page) -> None:
    _menu(page)
    page.locator("[role=menuitem]").last.click()
    page.locator("[role=alertdialog]").wait_for()


def _password(page: Page) -> None:
    page.locator(PASSWORD_CARD).get_by_role("button").click()
    page.locator("[name=new-password]").fill("plain winter wood")


def _second(page: Page) -> None:
    page.locator(SECOND_CARD).get_by_role("button").click()
    page.locator(SECOND_CARD).locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.locator("svg[role=img]").wait_for()


def _codes(page: Page) -> None:
    _second(page)
    page.locator("[name=code]").fill(CODE)
    page.locator(SECOND_CARD).locator("[type=submit]").click()
    page.locator(".codes").wait_for()


def _unlinking(page: Page) -> None:
    page.locator(PROVIDER_CARD).get_by_role("button").click()
    page.locator(PROVIDER_CARD).locator("[name=password]").fill(PASSWORD)


def _linking(page: Page) -> None:
    _unlinking(page)
    page.locator(PROVIDER_CARD).locator("[type=submit]").click()
    page.locator(PROVIDER_CARD).locator("> button").click()
    page.locator(PROVIDER_CARD).locator("[name=password]").wait_for()


def _removing(page: Page) -> None:
    page.locator(PASSKEYS_CARD).locator("li button").last.click()
    page.locator(PASSKEYS_CARD).locator("form [name=password]").wait_for()


def _token(page: Page) -> None:
    page.locator(TOKENS_CARD).locator("> button").click()
    page.locator("fieldset").wait_for()


def _made(page: Page) -> None:
    _token(page)
    page.locator(TOKENS_CARD).locator("form .field").first.fill("Backup")
    page.locator(TOKENS_CARD).locator("[type=checkbox]").first.check()
    page.locator(TOKENS_CARD).locator("[name=password]").fill(PASSWORD)
    page.locator(TOKENS_CARD).locator("[type=submit]").click()
    page.locator(".made").wait_for()


def _verify(page: Page) -> None:
    page.locator("header .button").click()
    page.locator(".verdict").wait_for()


def _messages(page: Page) -> None:
    page.locator(".list > li.open summary").click()
    expect(page.locator(".list > li.open details .note").filter(has_text="3").first).to_be_visible()  # of attempts


def _evidence(page: Page) -> None:
    page.locator(".list > li.open summary").click()
    page.locator(".list > li.open ol li").first.wait_for()


def _closed(page: Page) -> None:
    page.get_by_role("checkbox").check()
    page.locator(".list > li.over").wait_for()


def _library(page: Page) -> None:
    page.locator("header .button.primary").click()
    page.locator("form input").first.fill(page.locator("article h2").first.inner_text())
    page.locator("form [type=submit]").first.click()
    page.locator("[role=alert] svg").wait_for()


def _library_named(page: Page) -> None:
    page.locator("article header button").first.click()
    page.locator("article header input").wait_for()


def _library_member(page: Page) -> None:
    page.locator("article .add").first.click()
    page.locator("[role=menu]").wait_for()


def _bucket(page: Page) -> None:
    page.locator("section header .button").last.click()
    page.locator("section form details").wait_for()


def _bucket_checked(page: Page) -> None:
    _bucket(page)
    page.locator("section form input").first.fill("s3://refused/photos")
    page.locator("section form > .row").last.locator("button").first.click()
    page.locator("section form [role=alert] svg").wait_for()


def _uploads(page: Page) -> None:
    names = ("a.jpg", "refused.jpg", "endless.jpg")
    files: list[FilePayload] = [{"name": name, "mimeType": "image/jpeg", "buffer": b"x"} for name in names]
    page.locator("input[type=file]").set_input_files(files)
    page.locator(".uploads li").nth(2).wait_for()


def _uploading(page: Page) -> None:
    _uploads(page)
    page.locator(".uploads li.stored").wait_for()
    page.locator(".uploads li.failed").wait_for()


def _consent(page: Page) -> None:
    page.locator(".consents > button").click()
    page.locator(".consents form").wait_for()


def _class_list(page: Page, wrong: bool = False) -> None:
    person = {"purposes": ["recognise"], "refused": ["publish"], "guardian": "Li Wei", "new": True}
    people = [person | {"line": line, "name": name, "photos": [f"{name}.jpg"]} for line, name in ((2, "Mei"), (3, "Wang"), (4, "A" * 40))]
    lines = [{"code": "people.list_bad_row", "cause": "", "remedy": "", "params": {"line": 5, "column": "guardian"}}] if wrong else []
    read = {"people": people, "wrong": lines, "ignored": ["photos", "Class"] if wrong else [], "libraries": ["Archive", "School"]}
    page.route("**/api/consents/list", lambda route: route.fulfill(json=read))
    page.locator("[data-of=list]").set_input_files({"name": "class.csv", "mimeType": "text/csv", "buffer": b"name"})
    page.locator("summary").click()


def _wrong_list(page: Page) -> None:
    _class_list(page, wrong=True)
    page.locator(".rows li").wait_for()


def _imported(page: Page) -> None:
    """With a photo that is added, one that is refused and one that is missing."""
    blurred = {"code": "people.reference_blurred", "cause": "The face is blurred.", "remedy": "Choose a sharp photo.", "params": {}}
    page.route("**/api/consents/people", lambda route: route.fulfill(json={"person_id": 1, "new": True, "entered": 2}))
    page.route("**/api/people/1/references*", lambda route: route.fulfill(status=422, json=blurred))
    page.route("**/api/people/1/references*", lambda route: route.fulfill(json={"added": True, "undo": "step"}), times=1)
    _class_list(page)
    photos: list[FilePayload] = [{"name": name, "mimeType": "image/jpeg", "buffer": b"x"} for name in ("mei.JPG", "wang.jpg")]
    page.locator("[data-of=photos]").set_input_files(photos)
    page.locator(".class-list select").select_option("School")
    page.locator(".class-list .primary").click()
    page.locator(".class-list .settled").wait_for()


def _import_undone(page: Page) -> None:
    _imported(page)
    page.route("**/api/undo", lambda route: route.fulfill(json={"count": 1, "action": "reference_added"}))
    undo = page.locator(".class-list section[aria-label] .button")
    undo.click()
    undo.wait_for(state="detached")


def _reference(page: Page) -> None:
    """One is added, and one refused: the mock takes a PNG for a photo of several people."""
    crops = page.locator(".references li")
    before = crops.count()
    page.locator(".references select").select_option(index=1)
    for name, kind in (("a.jpg", "image/jpeg"), ("b.png", "image/png")):
        page.locator("[data-of=reference]").set_input_files({"name": name, "mimeType": kind, "buffer": b"x"})
        crops.nth(before).wait_for()
    page.locator(".references [role=alert] svg").wait_for()


def _withdraw(page: Page) -> None:
    page.locator(".consents li button").first.click()
    page.locator("[role=alertdialog] .danger").click()
    page.locator(".consents [role=status] .note").wait_for()


def _own_link(page: Page) -> None:
    page.locator(".consents .link .button").first.click()
    page.locator(".consents code").wait_for()


def _joining(page: Page) -> None:
    page.get_by_placeholder("photos.example.org").fill("photos.example.org")
    page.keyboard.press("Enter")
    page.locator(".secret").wait_for()


def _refused(page: Page) -> None:
    page.get_by_placeholder("photos.example.org").fill("other.example.org")
    page.keyboard.press("Enter")
    page.locator("[role=alert] .problem").wait_for()


def _leaving(page: Page) -> None:
    page.get_by_role("button", name=re.compile("Leave the team|退出团队")).click()
    page.locator("[role=alertdialog]").wait_for()


def _left(page: Page) -> None:
    _leaving(page)
    page.locator("[role=alertdialog] .danger").click()
    page.get_by_placeholder("photos.example.org").wait_for()


def _code(page: Page) -> None:
    page.locator("main input").fill("bcdfghjk")
    page.keyboard.press("Enter")
    page.locator(".fingerprint").wait_for()


def _wrong_code(page: Page) -> None:
    page.locator("main input").fill("KWDR-PTXM")
    page.keyboard.press("Enter")
    page.locator("[role=alert]", has_text=re.compile(r"\S")).wait_for()


def _let_in(page: Page) -> None:
    page.locator("main [name=password]").fill(PASSWORD)
    page.locator("main .button.primary").click()
    page.locator("main p[role=status]").wait_for()


TEAM_CARD = "section:has(form .field), section:has-text('photos.school.example')"
STATES: dict[str, tuple[str, str, str, Act]] = {
    # name: place, scene, what is there when it stands, what is done then
    "members": ("#members", "team", ".list li", _nothing),
    "members, one of them": ("#members", "team", ".list li", _menu),
    "members, removing one": ("#members", "team", ".list li", _remove),
    "members, inviting": ("#members", "team", ".list li", _invite),
    "members, a link": ("#members", "team", ".list li", _link),
    "members, an administrator alone": ("#members", "team_alone", ".list li", _nothing),
    "members, unread": ("#members", "team_broken", ".notice", _nothing),
    "libraries": ("#libraries", "team", "article", _nothing),
    "libraries, a name that is taken": ("#libraries", "team", "article", _library),
    "libraries, renaming one": ("#libraries", "team", "article", _library_named),
    "libraries, adding a member": ("#libraries", "team", "article", _library_member),
    "libraries, a single one": ("#libraries", "team_alone", "article", _nothing),
    "libraries, adding a bucket": ("#libraries", "team", "article", _bucket),
    "libraries, a bucket that refuses": ("#libraries", "team", "article", _bucket_checked),
    "libraries, unread": ("#libraries", "team_broken", ".notice", _nothing),
    "uploads, choosing a library": ("#photos", "team", "[role=option]", _uploads),
    "uploads, under way": ("#photos", "team_curator", "[role=option]", _uploading),
    "a computer that asks to join": ("#join/BCDF-GHJK", "team", ".join dl", _nothing),
    "a computer, its code asked for": ("#join", "team", ".join input", _nothing),
    "account": ("#account", "team", ".rows li", _nothing),
    "account, the password": ("#account", "team", ".rows li", _password),
    "account, the second factor": ("#account", "team", ".rows li", _second),
    "account, recovery codes": ("#account", "team", ".rows li", _codes),
    "account, unlinking": ("#account", "team", PROVIDER_CARD, _unlinking),
    "account, linking another": ("#account", "team", PROVIDER_CARD, _linking),
    "account, removing a passkey": ("#account", "team", PASSKEYS_CARD, _removing),
    "account, a new token": ("#account", "team", ".rows li", _token),
    "account, the token": ("#account", "team", ".rows li", _made),
    "record": ("#record", "team", "time", _nothing),
    "record, intact": ("#record", "team", "time", _verify),
    "record, broken": ("#record", "team_broken", "time", _verify),
    "record, empty": ("#record", "team_empty", ".page > .text >> nth=1", _nothing),
    "incidents": ("#incidents", "team", ".list > li", _nothing),
    "incidents, one that a message leads to": ("#incidents/5", "team", ".list > li.open", _evidence),
    "incidents, closed ones too": ("#incidents", "team", ".list > li", _closed),
    "incidents, none": ("#incidents", "team_empty", ".none", _nothing),
    "alerts": ("#alerts", "team", ".list.ended > li", _nothing),
    "alerts, one that a message leads to": ("#alerts/8", "team", ".list > li.open", _messages),
    "alerts, none": ("#alerts", "team_empty", ".none", _nothing),
    "backups": ("#backups", "team", ".list > li", _nothing),
    "backups, a second place that fails": ("#backups", "team_alone", "p.bad", _nothing),
    "backups, none yet": ("#backups", "team_empty", ".list > li", _nothing),
    "backups, unread": ("#backups", "team_broken", ".notice", _nothing),
    "workers": ("#workers", "team", ".list li", _nothing),
    "workers, none": ("#workers", "team_empty", ".none", _nothing),
    "workers, the queue empty": ("#workers", "team_alone", ".list li", _nothing),
    "workers, the queue unread": ("#workers", "team_broken", ".notice", _nothing),
    "consents that end": ("#consents", "team", ".ending time", _nothing),
    "consents, none ends": ("#consents", "team_empty", ".page > .text >> nth=1", _nothing),
    "a class list, none yet": ("#class-list", "team", ".class-list h1", _nothing),
    "a class list, a line is wrong": ("#class-list", "team", ".class-list h1", _wrong_list),
    "a class list, shown": ("#class-list", "team", ".class-list h1", _class_list),
    "a class list, imported": ("#class-list", "team", ".class-list h1", _imported),
    "a class list, its import undone": ("#class-list", "team", ".class-list h1", _import_undone),
    "a person's reference photos": ("#people/1", "team", ".references li", _reference),
    "a person's consent": ("#people/1", "team", ".consents li", _nothing),
    "a person's consent, entered": ("#people/1", "team", ".consents li", _consent),
    "a person's consent, a link": ("#people/1", "team", ".consents li", _own_link),
    "a person's consent, withdrawn": ("#people/1", "team", ".consents li", _withdraw),
    "a desktop's team, none": ("#settings/recognition", "family", TEAM_CARD, _nothing),
    "a desktop's team, joining": ("#settings/recognition", "family", TEAM_CARD, _joining),
    "a desktop's team, another certificate": ("#settings/recognition", "family", TEAM_CARD, _refused),
    "a desktop's team, joined": ("#settings/recognition", "desk_joined", TEAM_CARD, _nothing),
    "a desktop's team, out of reach": ("#settings/recognition", "desk_read_only", TEAM_CARD, _nothing),
    "a desktop's team, two names": ("#settings/recognition", "desk_conflicts", TEAM_CARD, _nothing),
    "a desktop's team, leaving": ("#settings/recognition", "desk_joined", TEAM_CARD, _leaving),
    "a desktop's team, left": ("#settings/recognition", "desk_joined", TEAM_CARD, _left),
    "a computer that joins, its code typed": ("#join", "team_editor", "main input", _code),
    "a computer that joins, a wrong code": ("#join", "team_curator", "main input", _wrong_code),
    "a computer that joins, let in": ("#join/BCDF-GHJK", "team", ".fingerprint", _let_in),
    "not of the role": ("#settings", "team_viewer", ".notice", _nothing),
    "photos of a viewer": ("#photos", "team_viewer", "[role=option]", _nothing),
    "people of a viewer": ("#people", "team_viewer", ".people a", _nothing),
    "a person of a viewer": ("#people/1", "team_viewer", "[role=listbox] [role=option]", _nothing),
}


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_accessible_and_fits_a_phone_in_each_language(
    page: Page, visit: Visit, violations: Callable[[], list[str]], in_each_language: "InEachLanguage", state: str
) -> None:
    place, scene, there, act = STATES[state]
    visit(place, scene)
    page.locator(there).first.wait_for()
    act(page)

    def look() -> list[str]:
        found = violations()
        page.set_viewport_size(PHONE)
        if not page.evaluate(FITS):
            found.append(f"{page.evaluate('document.documentElement.scrollWidth')} px wide")
        page.set_viewport_size(DESK)
        return found

    assert not any(found := in_each_language(look).values()), found


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_an_administrator_backs_up_and_tries_a_restore(page: Page, visit: Visit, language: str) -> None:
    t = Texts(language)
    page.set_viewport_size(PHONE)
    visit("#photos", "team", language)
    page.locator("[href='#backups']").wait_for(state="attached")  # the menu knows what an administrator may open
    visit("#backups", "team", language)
    main = page.locator(".backups")
    local = main.locator("ul").first.locator("li").first
    expect(local).to_contain_text(t("backups.repositories.local"))
    expect(local).to_contain_text(t("team_page.backups.kept", count=27))
    expect(local.locator(".state svg")).to_have_count(2)
    main.get_by_role("button", name=t("team_page.backups.now")).click()
    expect(page.get_by_text(t("team_page.backups.made"))).to_be_visible()
    expect(local).to_contain_text(t("team_page.backups.kept", count=28))
    main.get_by_role("button", name=t("team_page.backups.drill")).click()
    expect(page.get_by_text(t("team_page.backups.drilled", count="1,204,331", seconds=74))).to_be_visible()
    lately = main.locator("ul").nth(1).locator("li")
    expect(lately.first).to_contain_text(t("backups.kinds.drill"))
    expect(lately).to_have_count(5)
    expect(main.locator(".bad")).to_have_count(0)
    assert page.evaluate(FITS)


def test_a_library_that_was_taken_back_is_shown_no_longer(page: Page, visit: Visit) -> None:
    visit("#photos", "team")
    page.get_by_role("option").first.wait_for()
    page.goto(page.url.replace("#", "&library=99#"))
    expect(page).to_have_url(re.compile("/#photos$"))


def test_several_libraries_ask_where_to_and_each_file_says_how_it_ended(page: Page, visit: Visit) -> None:
    visit("#photos", "team")
    page.locator("[role=option]").first.wait_for()
    _uploads(page)
    panel = page.get_by_role("region", name="Uploads")
    expect(panel).to_contain_text("Choose a library")
    expect(panel.get_by_role("progressbar")).to_have_count(0)
    panel.get_by_role("combobox", name="To library").click()
    panel.get_by_role("option", name="School year 2026").click()
    expect(panel.locator("li.failed")).to_contain_text("upload.too_large")
    expect(panel.locator("li.failed .sign svg")).to_be_visible()
    expect(panel.locator("li.stored .sign svg")).to_be_visible()
    expect(panel.get_by_role("progressbar")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize(
    "place",
    [
        "#photos",
        "#invitation/abc",
        "#invitation/reset",
        "#invitation/passkey",
        "#invitation/both",
        "#invitation/used",
        "#my-consent/abc",
        "#my-consent/used",
        "#my-consent/withdrawn",
        "#provider/state=s",
    ],
)
def test_what_is_met_before_signing_in_is_accessible_and_fits_a_phone(
    page: Page, visit: Visit, violations: Callable[[], list[str]], place: str, language: str
) -> None:
    page.set_viewport_size(PHONE)
    visit(place, "signed_out", language)
    expect(page.locator("main h1")).to_be_visible()
    expect(page.locator("footer p").first).to_contain_text("photos.school.example")
    assert page.evaluate("document.documentElement.lang") == language
    assert violations() == []
    assert page.evaluate(FITS)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_signing_in_takes_one_back_to_where_one_was(page: Page, visit: Visit, language: str) -> None:
    visit("#people", "signed_out", language)
    expect(page.get_by_role("heading", level=1)).to_have_text(SIGN_IN[language])
    expect(page.get_by_role("navigation")).to_have_count(0)
    expect(page.locator("[name=username]")).to_be_focused()
    _fill(page, "tomas", PASSWORD)
    expect(page.locator(".people a").first).to_be_visible()
    assert page.evaluate("location.hash") == "#people"
    assert page.evaluate("JSON.parse(localStorage.session)") == {"key": "k", "ticket": "t"}


def test_the_displayed_name_is_changed_on_the_account_s_page(page: Page, visit: Visit) -> None:
    visit("#account", "team")
    page.get_by_role("button", name="Change name").click()
    field = page.get_by_label("Displayed name", exact=True).last
    expect(field).to_be_focused()
    expect(field).to_have_value("Mei Lindgren")
    field.fill("Mei L.")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Mei L.")
    expect(page.get_by_role("button", name="Change name")).to_be_visible()


def test_a_password_manager_knows_each_field(page: Page, visit: Visit) -> None:
    visit("#photos", "signed_out")
    expect(page.locator("[name=username]")).to_have_attribute("autocomplete", "username")
    expect(page.locator("[name=password]")).to_have_attribute("autocomplete", "current-password")
    _fill(page, "mei", PASSWORD)
    expect(page.locator("[name=code]")).to_have_attribute("autocomplete", "one-time-code")
    visit("#invitation/abc", "signed_out")
    expect(page.locator("[name=username]")).to_have_attribute("autocomplete", "username")
    expect(page.locator("[name=username]")).to_have_value("priya")
    expect(page.locator("[name=new-password]")).to_have_attribute("autocomplete", "new-password")


def test_a_second_factor_asks_for_its_code_or_a_recovery_code(page: Page, visit: Visit) -> None:
    visit("#photos", "signed_out")
    _fill(page, "mei", PASSWORD)
    expect(page.locator("[name=code]")).to_be_focused()
    expect(page.get_by_text("Lost the device? An administrator of this server")).to_be_visible()
    page.locator("[name=code]").fill("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    page.get_by_role("button", name="Use a recovery code").click()
    expect(page.get_by_label("Recovery code")).to_be_focused()
    page.get_by_role("button", name="Use the app’s code").click()
    page.get_by_label("Code").fill(CODE)
    page.keyboard.press("Enter")
    expect(page.locator("[role=option]").first).to_be_visible()


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_provider_signs_in_after_the_second_factor(
    page: Page, visit: Visit, violations: Callable[[], list[str]], language: str
) -> None:
    page.set_viewport_size(PHONE)
    visit("#people", "signed_out", language)
    page.get_by_role("button", name="Greenfield School").click()
    code = page.locator("[name=code]")
    expect(code).to_be_focused()
    assert violations() == [] and page.evaluate(FITS)
    assert page.evaluate("location.hash") == "#provider"  # what the provider said is not in the history
    code.fill("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text({"en": "The code is wrong", "zh-CN": "验证码不正确"}[language])
    code.fill(CODE)
    page.keyboard.press("Enter")
    expect(page.locator(".people a").first).to_be_visible()
    assert page.evaluate("location.hash") == "#people"
    assert page.evaluate("sessionStorage.length") == 0


def test_what_another_tab_began_is_not_finished(page: Page, visit: Visit) -> None:
    visit("#provider/state=s&code=c", "signed_out")
    expect(page.get_by_role("alert")).to_contain_text("did not begin this sign-in")
    page.get_by_role("link", name="Back to sign-in").click()
    expect(page.locator("[name=username]")).to_be_visible()


def test_a_wrong_sign_in_is_said_and_too_many_count_down(page: Page, visit: Visit) -> None:
    visit("#photos", "signed_out")
    for _ in range(3):
        _fill(page, "mei", "wrong")
        expect(page.get_by_role("alert").first).to_contain_text("Name, password or code is wrong.")
        expect(page.locator("[name=password]")).to_be_focused()
    page.locator("[type=submit]").click()
    expect(page.get_by_role("alert").first).to_contain_text("Too many attempts.")
    expect(page.locator("[type=submit]")).to_have_text(re.compile(r"^Try again in \d seconds?$"))
    expect(page.locator("[type=submit]")).to_have_attribute("aria-disabled", "true")
    expect(page.locator("[type=submit]")).to_have_text("Sign in")
    expect(page.get_by_role("alert").first).to_be_empty()


def test_signing_out_leaves_nothing_of_the_member_in_the_browser(page: Page, visit: Visit) -> None:
    visit("#photos", "signed_out")
    _fill(page, "tomas", PASSWORD)
    page.locator(".tile").first.wait_for()
    page.evaluate(
        "localStorage['covers.folder'] = '/copies'; localStorage['uploads.library'] = '2'; sessionStorage['people.basis'] = 'family'"
    )
    page.locator(".view").evaluate("(view) => { view.scrollTop = 300 }")
    page.wait_for_function("() => { dispatchEvent(new Event('pagehide')); return 'library.place' in sessionStorage }")
    page.evaluate("location.hash = '#account'")
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.locator("[name=username]")).to_be_focused()
    assert page.evaluate("[...Object.keys(sessionStorage), ...Object.keys(localStorage)].filter((key) => key !== 'provider.name')") == []


def test_a_password_can_be_seen_while_it_is_typed(page: Page, visit: Visit) -> None:
    visit("#photos", "signed_out")
    field = page.locator("[name=password]")
    field.fill("secret")
    page.get_by_role("button", name="Show password").click()
    expect(field).to_have_attribute("type", "text")
    page.get_by_role("button", name="Hide password").click()
    expect(field).to_have_attribute("type", "password")


def test_a_session_that_ends_shows_the_form_and_says_so(page: Page, visit: Visit) -> None:
    visit("#photos", "signed_out")
    _fill(page, "tomas", PASSWORD)
    page.locator("[role=option]").first.wait_for()
    assert page.evaluate("fetch('/api/account/provider/sign-out', { method: 'POST' }).then(({ ok }) => ok)")
    page.evaluate("location.hash = '#people'")
    expect(page.get_by_role("heading", level=1)).to_have_text("You were signed out")
    assert page.evaluate("localStorage.session ?? null") is None


def test_an_invitation_says_who_one_is_and_signs_in(page: Page, visit: Visit) -> None:
    visit("#invitation/abc", "signed_out")
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome, Priya Natarajan")
    expect(page.locator("dl")).to_contain_text("Curator")
    button, field, hint = page.locator("[type=submit]"), page.locator("[name=new-password]"), page.locator(".strength")
    field.fill("short")
    expect(hint).to_have_text("At least 12 characters")
    expect(button).to_have_attribute("aria-disabled", "true")
    field.fill("priya priya priya")
    expect(hint).to_contain_text("Contains your name")
    field.fill(PASSWORD)
    expect(hint).to_have_text("Strong")
    page.keyboard.press("Enter")
    expect(page.locator("[role=option]").first).to_be_visible()
    assert page.evaluate("location.hash") == ""  # each role has its own first page


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_an_invitation_shows_the_server_s_address_and_fingerprint_for_another_device(page: Page, visit: Visit, size: ViewportSize) -> None:
    page.set_viewport_size(size)
    visit("#invitation/abc", "signed_out")
    page.locator("footer summary").click()
    code = page.get_by_role("img", name="QR code with the server’s address and fingerprint")
    expect(code).to_be_visible()
    address, fingerprint = page.locator("footer code").all_inner_texts()
    assert page.url.startswith(f"{address}/") and re.fullmatch(r"[0-9A-F]{2}(:[0-9A-F]{2}){31}", fingerprint)
    assert _decoded(code) == f"{address}\n{fingerprint}"
    assert page.evaluate(FITS)
    visit("#photos", "signed_out")
    page.locator("footer summary").click()
    expect(page.locator("footer code")).to_have_text([fingerprint])
    expect(code).to_have_count(0)


@pytest.mark.parametrize(("link", "shown"), [("passkey", 1), ("both", 1), ("reset", 0)])
def test_a_new_password_is_set_with_a_passkey_as_the_second_factor(page: Page, visit: Visit, link: str, shown: int) -> None:
    visit(f"#invitation/{link}", "signed_out")
    page.evaluate(
        """() => {
          sessionStorage.asked = '0' // the page is loaded anew once signed in
          const answer = Object.create(PublicKeyCredential.prototype, { toJSON: { value: () => ({ id: 'k' }) } })
          navigator.credentials.get = () => Promise.resolve((sessionStorage.asked = '1', answer))
        }"""
    )
    page.locator("[name=new-password]").fill(PASSWORD)
    code = page.locator("[name=code]")
    if link == "reset":
        expect(code).to_have_attribute("required", "")
        code.fill(CODE)
    elif link == "both":
        expect(page.locator("form")).to_contain_text("Leave the field empty to use a passkey instead.")
    else:
        expect(code).to_have_count(0)
        expect(page.locator("form")).to_contain_text("This account also asks for one of its passkeys")
    page.locator("[name=new-password]").press("Enter")
    expect(page.locator("[role=option]").first).to_be_visible()
    assert not page.url.endswith("#photos")  # each role has its own first page
    assert page.evaluate("Number(sessionStorage.asked)") == shown


def test_an_import_and_its_result_outlast_the_page(page: Page, visit: Visit) -> None:
    visit("#class-list", "team")
    _wrong_list(page)
    expect(page.locator(".class-list .attend").last).to_contain_text("“photos”, “Class”")
    page.unroute_all()
    _imported(page)
    page.get_by_role("link", name=re.compile("^People")).click()
    page.locator(".people li").first.wait_for()
    page.go_back()
    expect(page.locator(".class-list .refusals")).to_be_visible()


def test_a_link_that_was_used_says_what_to_do(page: Page, visit: Visit) -> None:
    visit("#invitation/used", "signed_out")
    expect(page.get_by_role("alert")).to_contain_text("Ask an administrator for a new one.")
    page.get_by_role("link", name="Go to sign-in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_an_administrator_invites_and_hands_the_link_over(page: Page, visit: Visit) -> None:
    visit("#members", "team")
    page.locator(".list li").first.wait_for()
    _link(page)
    expect(page.get_by_role("heading", name="Link for Leo Kim")).to_be_focused()
    address = page.locator("section code").inner_text()
    assert "/#invitation/" in address
    assert _decoded(page.locator("svg[role=img]")) == address
    expect(page.locator(".list").first.locator("li").last).to_contain_text("Leo Kim")


def test_a_refused_invitation_says_why_beside_the_fields(page: Page, visit: Visit) -> None:
    visit("#members", "team")
    page.locator(".list li").first.wait_for()
    _invite(page)
    page.locator("form input").nth(0).fill("Another Sam")
    page.locator("form input").nth(1).fill("sam")
    page.locator("form [type=submit]").click()
    expect(page.locator("form").get_by_role("alert")).to_contain_text("That user name is taken.")


@pytest.mark.own_tab
def test_the_members_follow_what_another_administrator_changes(page: Page, visit: Visit) -> None:
    page.clock.install()
    visit("#members", "team")
    page.locator(".list li").first.wait_for()
    page.clock.run_for(15_000)  # what it reads again at its beginning has been asked for
    # As from another browser: this page is not told.
    assert page.evaluate(
        """() => fetch('/api/members', { method: 'POST', body: JSON.stringify({ name: 'leo', display_name: 'Leo Kim', role: 'viewer' }) })
            .then(({ ok }) => ok)"""
    )
    page.clock.run_for(15_000)
    expect(page.locator(".list").first).to_contain_text("Leo Kim")


def test_a_refused_folder_says_why_at_its_field(page: Page, visit: Visit) -> None:
    visit("#libraries", "team")
    card = page.locator("article").first
    page.route("**/api/libraries/*/sources", lambda route: route.fulfill(status=409, json=FORBIDDEN))
    field = card.get_by_role("combobox", name="Folder on the server")
    field.fill("/nowhere")
    field.press("Enter")
    cause = str(FORBIDDEN["cause"])
    expect(card.locator("form + [role=alert]")).to_contain_text(cause)
    expect(field).to_have_value("/nowhere")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile(re.escape(cause)))


def test_roles_and_locks_are_changed_and_taken_back(page: Page, visit: Visit) -> None:
    visit("#members", "team")
    tomas = page.locator(".list li").nth(1)
    tomas.get_by_role("combobox", name="Role of Tomás Herrera").click()
    page.get_by_role("option", name="Editor").click()
    expect(tomas).to_contain_text("Editor")
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(tomas).to_contain_text("Curator")
    tomas.get_by_role("button", name="Actions for Tomás Herrera").click()
    page.get_by_role("menuitem", name="Lock").click()
    expect(tomas).to_contain_text("Locked")


def test_the_last_administrator_is_kept_and_told_why(page: Page, visit: Visit) -> None:
    visit("#members", "team")
    mei = page.locator(".list li").first
    expect(mei).to_contain_text("The only active administrator can’t be locked, removed or given another role.")
    expect(mei.get_by_role("combobox")).to_have_count(0)
    mei.get_by_role("button", name="Actions for Mei Lindgren").click()
    expect(page.get_by_role("menuitem", name=re.compile("Lock|Remove"))).to_have_count(0)


def test_the_sidebar_tells_its_pages_apart_and_keeps_its_foot_in_view(page: Page, visit: Visit) -> None:
    """As narrow as icons without words, and too low for an administrator's entries."""
    page.set_viewport_size({"width": 1024, "height": 560})
    visit("#members", "team")
    entries = page.get_by_role("navigation").first.locator("a.entry")
    expect(entries.nth(12)).to_be_attached()  # an administrator's come with their pages
    icons = entries.evaluate_all("(all) => all.map((entry) => entry.querySelector('svg').innerHTML)")
    assert len(icons) > 12 and len(set(icons)) == len(icons)
    expect(page.locator("footer").get_by_role("button", name="Keyboard")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("place", ["#settings", "#incidents", "#record"])
def test_the_entry_of_the_page_is_not_left_under_the_sidebars_foot(page: Page, visit: Visit, place: str) -> None:
    """As low as a small window at 200 %."""
    page.set_viewport_size({"width": 640, "height": 400})
    visit(place, "team")
    page.get_by_role("navigation").first.locator("a.entry").nth(12).wait_for(state="attached")
    page.wait_for_function(
        """() => {
          const entry = document.querySelector('nav [aria-current=page]'), { x, y, width, height } = entry.getBoundingClientRect()
          return [y + 2, y + height - 2].every((at) => entry.contains(document.elementFromPoint(x + width / 2, at)))
        }"""
    )


@pytest.mark.parametrize("place", ["#photos", "#invitation/abc"])
def test_a_providers_long_name_fits_a_phone(page: Page, visit: Visit, place: str) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    name = "Kreiskrankenhaus-Verwaltungsgesellschaft für Öffentlichkeitsarbeit"
    page.route("**/api/account/provider", lambda route: route.fulfill(json={"name": name}))
    visit(place, "signed_out")
    button = page.get_by_role("button", name=name)
    card, shown = page.locator("main section").bounding_box(), button.bounding_box()
    assert card is not None and shown is not None
    assert shown["x"] + shown["width"] < card["x"] + card["width"] - 8


def test_a_second_factor_is_set_up_by_its_code(page: Page, visit: Visit) -> None:
    visit("#account", "team")
    page.locator(".rows li").first.wait_for()
    _second(page)
    assert _decoded(page.locator("svg[role=img]")).startswith("otpauth://totp/photos.school.example:mei?secret=JBSWY3DP")
    page.locator("[name=code]").fill("999999")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="The code is wrong.")).to_be_visible()
    page.locator("[name=code]").fill(CODE)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_focused()
    expect(page.locator(".codes li")).to_have_count(10)
    with page.expect_download() as kept:
        page.get_by_role("link", name="Download").click()
    assert len(kept.value.path().read_text().split()) == 10
    page.get_by_role("button", name="I have saved them").click()
    expect(page.locator(".codes")).to_have_count(0)


def test_a_token_is_shown_once_and_revoked_at_once(page: Page, visit: Visit) -> None:
    visit("#account", "team")
    page.locator(".rows li").first.wait_for()
    _made(page)
    expect(page.locator(".made code")).to_have_text(re.compile("^aip_"))
    page.get_by_role("button", name="Revoke Backup").click()
    expect(page.locator(".made")).to_have_count(0)
    expect(page.locator(".revoked")).to_contain_text("“Backup” was revoked")
    expect(page.get_by_role("button", name="Revoke Nightly export")).to_be_focused()
    page.get_by_role("button", name="Create again…").click()
    expect(page.locator(TOKENS_CARD).locator("form .field").first).to_have_value("Backup")


def test_no_card_of_the_account_comes_above_another_that_is_shown(page: Page, visit: Visit) -> None:
    held: list[Route] = []
    page.route("**/accountWays*.js", lambda route: held.append(route))
    visit("#account", "team")
    expect(page.locator("section[aria-labelledby=second-title]")).to_be_visible()
    expect(page.locator(SESSIONS_CARD)).to_have_count(0)
    while not held:
        page.evaluate("new Promise(requestAnimationFrame)")
    held[0].continue_()
    expect(page.locator("section[aria-labelledby=passkeys-title]")).to_be_visible()
    expect(page.locator(SESSIONS_CARD)).to_be_visible()


def test_sessions_of_other_browsers_are_ended(page: Page, visit: Visit) -> None:
    visit("#account", "team")
    sessions = page.locator(SESSIONS_CARD).locator("li")
    expect(sessions).to_have_count(3)
    expect(sessions.first.get_by_role("button")).to_have_count(0)
    page.get_by_role("button", name="Sign out Chrome").click()
    expect(sessions).to_have_count(2)
    expect(sessions.last.get_by_role("button")).to_be_focused()
    expect(page.get_by_role("button", name="Sign out all others")).to_have_count(0)


def test_all_sessions_but_this_one_are_ended(page: Page, visit: Visit) -> None:
    visit("#account", "team")
    sessions = page.locator(SESSIONS_CARD).locator("li")
    page.get_by_role("button", name="Sign out all others").click()
    expect(sessions).to_have_count(1)
    expect(page.get_by_role("main")).to_be_focused()


def test_the_record_is_filtered_and_goes_on(page: Page, visit: Visit) -> None:
    visit("", "team_auditor")
    entries = page.locator("main ul li")
    expect(entries).to_have_count(100)
    page.get_by_role("button", name="Older entries").click()
    expect(entries).to_have_count(200)
    page.get_by_role("combobox", name="Action: All actions").click()
    page.get_by_role("option", name="forgot the person").click()
    expect(entries.first).to_contain_text("forgot the person")
    expect(entries.filter(has_text="named faces")).to_have_count(0)


def test_a_worker_is_drained(page: Page, visit: Visit) -> None:
    visit("#workers", "team")
    page.get_by_role("button", name="Drain server-2").click()
    expect(page.locator(".list li").nth(1)).to_contain_text("Finishing its work")
    expect(page.get_by_role("button", name="Drain server-2")).to_have_count(0)


def test_consent_is_entered_and_withdrawn_on_a_person_s_page(page: Page, visit: Visit) -> None:
    visit("#people/1", "team")
    consents = page.locator(".consents")
    expect(page.get_by_text("Why they may be recognised")).to_have_count(0)  # it is entered with the consent
    recognise, inside, publish = consents.locator("li").nth(0), consents.locator("li").nth(1), consents.locator("li").nth(2)
    expect(recognise).to_contain_text("Guardian: Fang Lindgren")
    expect(inside).to_contain_text("Ended on")
    expect(publish).to_contain_text("Not agreed since")
    consents.get_by_role("button", name="Enter consent…").press("Enter")
    expect(consents.get_by_role("radio").nth(2)).to_be_focused()
    for wanted in ("Be shown in publications", "Be shown inside the organisation"):
        consents.get_by_role("radiogroup", name=wanted).get_by_role("radio", name="Yes").click()
    consents.get_by_label("Where the consent is kept").fill("Folder 2026, page 15")
    consents.get_by_role("button", name="Save").click()
    expect(publish).to_contain_text("Agreed on")
    expect(consents.get_by_role("button", name="Enter consent…")).to_be_focused()
    expect(inside).to_contain_text("Document: Folder 2026, page 15")
    recognise.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_role("alertdialog")).to_contain_text("face prints and pictures of their faces are deleted at once")
    page.get_by_role("button", name="Withdraw", exact=True).click()
    expect(consents.get_by_role("status").first).to_contain_text("Deleted face prints: 41, pictures of faces: 41.")
    expect(recognise).to_contain_text("Not agreed since")
    expect(consents).to_contain_text("not recognised in new photos")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_guardian_reads_what_the_program_does_with_the_child_and_what_each_consent_means(page: Page, visit: Visit, language: str) -> None:
    texts, purposes = Texts(language), ("recognise", "show_inside", "publish")

    def guarded(route: Route) -> None:
        own = route.fetch().json()
        given = {**own["consents"][0], "state": "given", "valid": True, "guardian": "Ann"}
        route.fulfill(json={**own, "consents": [{**given, "purpose": each} for each in purposes]})

    page.route("**/api/consent-links/abc", guarded)
    visit("#my-consent/abc", "signed_out", language)
    name = "Mei" if language == "en" else "梅"
    expect(page.get_by_role("heading", level=1)).to_have_text(texts("team_page.my_consent.title_guarded", name=name))
    expect(page.locator("main")).to_contain_text(texts("team_page.my_consent.guarded", name=name))
    rows = page.locator(".purposes li")
    for row, purpose in zip(rows.all(), purposes, strict=True):
        expect(row).to_contain_text(texts(f"team_page.my_consent.{purpose}"))
    rows.nth(1).get_by_role("button").click()
    expect(page.get_by_role("alertdialog")).to_contain_text(texts("team_page.my_consent.withdraw_show_inside"))


def test_a_person_withdraws_by_their_link(page: Page, visit: Visit, violations: Callable[[], list[str]]) -> None:
    visit("#people/1", "team")
    page.get_by_role("button", name="Link for this person…").click()
    address = page.locator(".consents code").inner_text()
    assert "/#my-consent/" in address
    expect(page.get_by_role("img", name="QR code of the link for Mei")).to_be_visible()
    page.get_by_role("button", name="End link").click()
    expect(page.locator(".consents code")).to_have_count(0)
    visit("#my-consent/abc", "signed_out")
    recognise = page.locator(".purposes li").first
    expect(page.get_by_role("link", name="Download your data")).to_have_attribute("href", "/api/consent-links/abc/page")
    expect(page.get_by_role("link", name="for programs")).to_have_attribute("href", "/api/consent-links/abc/export")
    nothing = {"code": "people.no_consent", "cause": "There is no consent.", "remedy": "`ai-popup consent list`", "params": {}}
    page.route("**/withdraw", lambda route: route.fulfill(status=409, json=nothing))
    recognise.get_by_role("button", name="Withdraw").click()  # it was done in another page meanwhile
    page.get_by_role("button", name="Withdraw", exact=True).click()
    expect(page.locator("main [role=status]")).to_have_text("It was withdrawn already. There is nothing left to do.")
    expect(page.get_by_role("alert")).to_be_empty()
    page.unroute("**/withdraw")
    recognise.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_role("alertdialog")).to_contain_text("Photos that show you are not")
    page.get_by_role("button", name="Withdraw", exact=True).click()
    title = page.get_by_role("heading", level=1)
    expect(title).to_contain_text("Withdrawn on")  # it was the last consent
    expect(title).to_be_focused()
    expect(page.locator("main [role=status]")).to_contain_text("Deleted face prints: 41, pictures of faces: 41")
    expect(page.locator("main section")).to_contain_text("Nothing is kept by which you could be recognised")
    expect(page.locator("main section").get_by_role("link")).to_have_count(0)
    expect(page.locator("main section").get_by_role("button")).to_have_count(0)
    assert violations() == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_link_after_the_withdrawal_says_since_when_and_offers_nothing_else(page: Page, visit: Visit, language: str) -> None:
    texts = Texts(language)
    visit("#my-consent/withdrawn", "signed_out", language)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Withdrawn on" if language == "en" else "撤回")
    said = page.locator("main section")
    expect(said).to_contain_text(texts("team_page.my_consent.withdrawn_text"))
    expect(said).to_contain_text(texts("team_page.my_consent.withdrawn_photos"))
    expect(said.locator("a, button")).to_have_count(0)


def test_an_editor_reads_consent_and_changes_none(page: Page, visit: Visit) -> None:
    visit("#people/1", "team_editor")
    consents = page.locator(".consents")
    expect(consents.locator("li")).to_have_count(3)
    expect(consents.get_by_role("button")).to_have_count(0)
    expect(page.locator("main textarea")).to_have_count(0)


def test_consents_that_end_lead_to_their_people(page: Page, visit: Visit) -> None:
    visit("#consents", "team_editor")
    page.get_by_role("combobox", name="Period: Within 30 days").click()
    page.get_by_role("option", name="Within 365 days").click()
    expect(page.get_by_role("combobox")).to_have_text("Within 365 days")
    page.locator(".ending li a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Mei")


@pytest.mark.parametrize(("scene", "offered"), [("team_editor", 1), ("family", 0)])
def test_copies_for_publishing_are_offered_to_a_team_alone(page: Page, visit: Visit, scene: str, offered: int) -> None:
    visit("#photos", scene)
    page.locator("[role=option]").first.click()
    page.locator("main aside").get_by_role("button", name=re.compile("cover", re.IGNORECASE)).first.click()
    dialog = page.get_by_role("dialog")
    dialog.locator(".options .label").first.wait_for()
    choice = dialog.get_by_role("combobox").filter(has_text="Everyone")
    if not offered:
        expect(choice).to_have_count(0)
        return
    choice.click()
    page.get_by_role("option", name="Everyone but people who agreed to publishing").click()
    expect(dialog).to_contain_text("all metadata is removed")
    expect(dialog.get_by_role("button", name="Choose")).to_have_count(0)  # the dialog of another computer
    where = dialog.get_by_label("Folder on the server")
    dialog.locator("[type=submit]").click()
    expect(dialog.get_by_role("alert").filter(has_text="Name the folder")).to_be_visible()
    where.fill("/safe")
    page.route("**/api/redactions", lambda route: route.fulfill(status=403, json=FORBIDDEN))
    dialog.locator("[type=submit]").click()
    expect(dialog.get_by_role("alert").filter(has_text="Enter a name, not a path")).to_be_visible()
    page.unroute("**/api/redactions")
    where.fill("Sports day")
    with page.expect_request("**/api/redactions") as begun:
        dialog.locator("[type=submit]").click()
    wanted = begun.value.post_data_json
    assert wanted is not None
    assert (wanted["keep_consented"], wanted["keep"], wanted["out"]) == (True, [], "Sports day")


def test_a_member_downloads_a_copy_that_needs_no_review(page: Page, visit: Visit) -> None:
    visit("#covers/c2/15", "team_editor")
    expect(page.get_by_role("link", name="Download the copy")).to_have_attribute("href", re.compile("^/api/redaction-items/15/copy"))


def test_a_member_downloads_all_finished_copies_of_a_batch_at_once(page: Page, visit: Visit) -> None:
    visit("#covers/c2", "team_editor")
    link = page.get_by_role("link", name=re.compile(r"^Download \d+ copies$"))
    expect(link).to_have_attribute("href", re.compile(r"^/api/redactions/c2/copies\.zip"))
    visit("#covers/c2", "family")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(link).to_have_count(0)


OFFERED = {
    "family": ["Photos", "Albums", "People", "Covered copies", "Problems", "Status", "Settings"],
    "team": [
        "Photos",
        "Albums",
        "People",
        "Covered copies",
        "Problems",
        "Status",
        "Settings",
        "Members",
        "Libraries",
        "Consent",
        "Workers",
        "Alerts",
        "Backups",
        "Incidents",
        "Record",
        "Mei Lindgren",
    ],
    "team_curator": ["Photos", "Albums", "People", "Covered copies", "Consent", "Mei Lindgren"],
    "team_editor": ["Photos", "Albums", "People", "Covered copies", "Consent", "Mei Lindgren"],
    "team_viewer": ["Photos", "Albums", "People", "Mei Lindgren"],
    "team_auditor": ["Incidents", "Record", "Mei Lindgren"],
    "team_library_auditor": ["Record", "Mei Lindgren"],
}


@pytest.mark.parametrize("scene", OFFERED)
def test_the_sidebar_offers_what_the_role_may_see(page: Page, visit: Visit, scene: str) -> None:
    visit("", scene)
    words = page.locator("nav a.entry:not(.add) > .word:not(.number)")
    expect(words).to_have_text(OFFERED[scene])
    expect(page.locator("nav .add")).to_have_count(1 if scene in ("family", "team") else 0)


def test_the_record_is_shown_of_one_library(page: Page, visit: Visit) -> None:
    visit("#record", "team_library_auditor")
    expect(page.locator("main p.text").first).to_contain_text("Who did what in School year 2026, newest first.")
    expect(page.get_by_role("combobox")).to_have_count(2)
    page.get_by_role("button", name="Verify").click()
    expect(page.locator("main [role=status]")).to_have_text("The whole record is intact. 230 entries concern your libraries.")
    visit("#record", "team")
    expect(page.locator("main li small", has_text="Press and open days").first).to_be_visible()
    page.get_by_role("combobox", name="Library: All libraries").click()
    page.get_by_role("option", name="School year 2026").click()
    expect(page.locator("main li small", has_text="Press and open days")).to_have_count(0)
    expect(page.locator("main li small", has_text="School year 2026").first).to_be_visible()


@pytest.mark.own_tab
def test_a_viewer_is_offered_nothing_that_changes_anything(page: Page, visit: Visit) -> None:
    asked: list[str] = []
    visit("#photos", "team_viewer")
    page.get_by_role("link", name="Mei Lindgren").wait_for()
    page.on("request", lambda request: asked.append(f"{request.method} {request.url.split('/api/')[-1].split('?')[0]}"))
    page.locator("[role=option]").first.click()
    panel = page.locator("main aside")
    panel.get_by_role("heading", level=3).first.wait_for()
    expect(panel.locator("input")).to_have_count(0)
    expect(panel.locator("footer")).to_have_count(0)
    page.keyboard.press("Delete")
    page.keyboard.press("s")
    page.locator("[role=option]").first.dblclick()
    page.locator(".large header button").first.wait_for()
    expect(page.get_by_role("button", name="Favourite", exact=True)).to_have_count(0)
    page.keyboard.press("s")
    page.keyboard.press("Delete")
    page.evaluate("location.hash = '#people'")
    page.locator(".people a").first.wait_for()
    expect(page.locator("main input:not([type=search])")).to_have_count(0)
    expect(page.get_by_role("button", name="Merge")).to_have_count(0)
    page.locator(".people a").first.click()
    page.get_by_role("heading", level=1).wait_for()
    expect(page.get_by_role("button", name="Change the name")).to_have_count(0)
    expect(page.locator("main aside, main textarea")).to_have_count(0)
    assert [one for one in asked if not one.startswith("GET")] == []
    wrong = {"drafts", "groups", "doubts", "people/conflicts", "problems"} & {one.removeprefix("GET ") for one in asked}
    assert wrong == set()


def test_a_phone_folds_the_sidebar_into_a_menu(page: Page, visit: Visit) -> None:
    page.set_viewport_size(PHONE)
    visit("#photos", "team")
    people = page.get_by_role("link", name="People")
    page.locator("[role=option]").first.wait_for()
    expect(people).to_be_hidden()
    menu = page.get_by_role("button", name="Menu")
    menu.press("Enter")
    expect(menu).to_have_attribute("aria-expanded", "true")
    expect(people).to_be_visible()
    page.keyboard.press("Escape")
    expect(people).to_be_hidden()
    menu.click()
    page.get_by_role("link", name="Members").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Members")
    expect(people).to_be_hidden()


def test_the_first_step_of_an_incident_is_undone_and_the_badge_counts_what_nobody_looked_at(page: Page, visit: Visit) -> None:
    visit("#incidents", "team")
    link = page.get_by_role("link", name="Incidents")
    expect(link.locator(".badge")).to_have_text("4")
    first = page.locator(".list > li").filter(has_text="Many photos taken away")
    first.get_by_role("button", name="Lock the member").click()
    expect(first.get_by_text("The member was locked.")).to_be_visible()
    expect(link.locator(".badge")).to_have_text("3")
    first.get_by_role("button", name="Undo").click()
    expect(first.get_by_role("button", name="Lock the member")).to_be_visible()
    expect(first.get_by_text("Undone")).to_be_visible()
    first.get_by_role("combobox", name="Close as…").click()
    expect(page.get_by_role("option")).to_have_text(["Handled", "Was expected", "False alarm"])
    page.get_by_role("option", name="Was expected").click()
    expect(page.get_by_text("Incident closed")).to_be_visible()
    expect(first.get_by_role("button", name="Reopen")).to_be_focused()


def test_evidence_that_cannot_be_loaded_says_why_and_was_not_seen(page: Page, visit: Visit) -> None:
    problem = {"code": "store.busy", "cause": "Busy.", "remedy": "Try again.", "params": {}}
    page.route("**/api/incidents/7*", lambda route: route.fulfill(status=503, json=problem))
    visit("#incidents", "team")
    first = page.locator(".list > li").filter(has_text="Many photos taken away")
    first.locator("summary").click()
    expect(first.get_by_text("Busy.")).to_be_visible()
    expect(page.get_by_role("link", name="Incidents").locator(".badge")).to_have_text("4")


def test_an_auditor_sees_incidents_and_does_nothing_about_them(page: Page, visit: Visit) -> None:
    visit("#incidents", "team_auditor")
    expect(page.locator(".list > li").first).to_be_visible()
    expect(page.locator("main").get_by_role("button")).to_have_count(0)


def test_an_alert_is_silenced_a_silence_is_ended_and_a_test_message_sent(page: Page, visit: Visit) -> None:
    visit("#alerts", "team")
    link = page.get_by_role("link", name="Alerts")
    expect(link.locator(".badge")).to_have_text("2")
    row = page.locator(".list.firing > li").filter(has_text="Workers are missing")
    expect(row.get_by_role("link", name="What to do")).to_have_attribute("href", "#help/workers-missing")
    expect(page.locator(".list.firing > li").filter(has_text="error-budget-burns").get_by_role("combobox")).to_have_count(0)
    chooser = row.get_by_role("combobox").last
    chooser.focus()
    page.keyboard.press("Enter")
    page.get_by_role("option", name="Maintenance").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    page.get_by_role("button", name="End the silence").click()
    expect(page.get_by_text("Silence ended", exact=True)).to_be_visible()
    page.get_by_role("button", name="Send a test message").click()
    expect(page.get_by_text("Sent by e-mail, ntfy", exact=True)).to_be_visible()


def test_a_code_that_is_unknown_can_be_typed_anew(page: Page, visit: Visit) -> None:
    visit("#join/KWDR-PTXM", "team_curator")
    field = page.locator(".join input")
    expect(field).to_have_value("KWDR-PTXM")
    field.fill("BCDF-GHJK")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(field).to_have_value("BCDF-GHJK")
    field.press("Enter")
    expect(page.locator(".join .fingerprint")).to_be_visible()


def test_a_computer_is_let_in_with_the_password_and_refused_without(page: Page, visit: Visit) -> None:
    visit("#join/BCDF-GHJK", "team_curator")
    join = page.locator("main .join")
    join.get_by_label("Current password").fill("wrong")
    join.get_by_role("button", name="Let it in").click()
    expect(join.get_by_role("alert")).to_contain_text("The current password is wrong.")
    join.get_by_label("Current password").fill("")
    join.get_by_role("button", name="Refuse").click()
    expect(join.get_by_role("status")).to_contain_text("mei-thinkpad")


def test_closed_incidents_are_hidden_again_though_a_message_led_to_one(page: Page, visit: Visit) -> None:
    visit("#incidents/5", "team")
    page.locator(".list > li.open").wait_for()
    closed = page.get_by_role("checkbox")
    expect(closed).to_be_checked()
    with page.expect_response("**/api/incidents*"):
        closed.click()
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(closed).not_to_be_checked()


def test_a_passkey_is_not_removed_by_mistake(page: Page, visit: Visit) -> None:
    visit("#account", "team")
    card = page.locator("section[aria-labelledby=passkeys-title]")
    remove = card.get_by_role("button", name="Remove Laptop")
    remove.click()
    form = card.get_by_role("form", name="Remove the passkey “Laptop”?")
    expect(form.locator("[name=password]")).to_be_focused()
    form.get_by_role("button", name="Cancel").click()
    expect(remove).to_be_focused()
    remove.click()
    form.locator("[name=password]").fill("wrong")
    form.get_by_role("button", name="Remove").click()
    expect(form.get_by_role("alert")).to_contain_text("The current password is wrong.")
    form.locator("[name=password]").fill(PASSWORD)
    form.get_by_role("button", name="Remove").click()
    expect(card.locator("li")).to_have_count(0)
    expect(card.get_by_role("button", name="Add a passkey…")).to_be_focused()


def test_the_tab_says_which_page_it_shows_and_no_name(page: Page, visit: Visit) -> None:
    visit("#members", "team")
    expect(page).to_have_title("Members – AI Popup")
    page.get_by_role("link", name="People").click()
    expect(page).to_have_title("People – AI Popup")
    page.locator(".people a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Mei")
    expect(page).to_have_title("People – AI Popup")
    visit("#record", "team", "zh-CN")
    expect(page).to_have_title("操作记录 – AI 弹窗助手")


def test_a_failed_sign_in_is_not_said_to_be_the_servers(page: Page, visit: Visit) -> None:
    visit("#record", "team")
    failed = page.locator("main li").filter(has_text="sign-in failed")
    expect(failed.filter(has_text="Unknown account").first).to_be_visible()
    expect(failed.filter(has_text="Server")).to_have_count(0)
    expect(failed.filter(has_text="Mei Lindgren").first).to_be_visible()


def test_what_is_missing_and_what_failed_says_what_to_do(page: Page, visit: Visit) -> None:
    visit("#alerts", "team_empty")
    expect(page.get_by_role("link", name="Go to the setting")).to_have_attribute("href", "#settings/alerts.email_to")
    visit("#backups", "team_alone")
    page.get_by_role("link", name="Cause and remedy").first.click()
    expect(page.get_by_role("heading", name="backup.unreachable")).to_be_in_viewport()
