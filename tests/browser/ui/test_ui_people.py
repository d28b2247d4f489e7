"""People in a real browser with the whole agent behind it: named, reviewed, merged, found and forgotten, all of it in the library, too."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Locator, Page, expect

from agent.domain.errors import NothingToUndo
from agent.features.library.recipes import EMBEDDER
from agent.infrastructure.core.i18n import LANGUAGES
from tests.support.photo_album import ALBUM, BLURRED, BOTH, FIRST, SECOND, Album

if TYPE_CHECKING:
    from tests.browser.ui.conftest import Visitor
    from tests.support.real_program import RealProgram

pytestmark = [pytest.mark.timeout(300)]  # the first test of a language waits for the whole album
# For long tests whose steps are the same in Chinese; other tests of this page run in both languages.
IN_ENGLISH = pytest.mark.parametrize("album", ["en"], indirect=True, scope="module")

Visit = Callable[["RealProgram"], "Visitor"]
Until = Callable[[Callable[[], bool], str], None]
# What the first, somebody taken for another and the second are called, with what finds them as one types: initials, in Chinese of pinyin.
NAMES = {"en": ("Barack Hussein", "Uncle Barry", "Joe Robinette"), "zh-CN": ("王小明", "明叔", "李国强")}
INITIALS = {"en": ("bh", "ub", "jr"), "zh-CN": ("wxm", "ms", "lgq")}


class People:
    """The running program with the album in it, and a browser on its pages in one language."""

    def __init__(self, visitor: "Visitor", language: str, until: Until) -> None:
        self.visitor = visitor
        self.language = language
        self.until = until
        self.first, self.other, self.second = NAMES[language]
        self.initials = dict(zip(NAMES[language], INITIALS[language], strict=True))

    @property
    def program(self) -> "RealProgram":
        return self.visitor.program

    @property
    def page(self) -> Page:
        return self.visitor.page

    def go(self, place: str) -> None:
        self.visitor.go(place, self.language)

    # -- what the agent says -----------------------------------------------------------------------------------------------------
    def get(self, path: str) -> Any:
        with self.program.api() as api:
            answer = api.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: object) -> Any:
        with self.program.api() as api:
            answer = api.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def known(self) -> dict[str, int]:
        """Name -> id."""
        return {person["name"]: person["id"] for person in self.get("/people")}

    def who(self) -> dict[str, list[tuple[str | None, str | None]]]:
        """Photo -> the name of each of its faces, from the left, and how sure it is."""
        return {
            name: [(face.person, face.certainty) for face in sorted(image.faces, key=lambda face: face.box)]
            for name, image in self.program.images().items()
        }

    def faces(self, *photos: str) -> list[int]:
        """Ids of the faces on them, from the left."""
        images = self.program.images()
        return [face.id for photo in photos for face in sorted(images[photo].faces, key=lambda face: face.box)]

    def groups(self) -> list[int]:
        return sorted(group["size"] for group in self.get("/groups")["items"])

    # -- what was said before ----------------------------------------------------------------------------------------------------
    def name(self, name: str, *faces: int) -> int:
        done = self.post("/people/edits", {"kind": "name", "face_ids": faces, "name": name})
        return int(done["person_id"])

    def take_everything_back(self) -> None:
        with self.program.api() as api:
            while api.post("/undo", json={}).status_code == 200:
                pass

    def said(self, words: str) -> None:
        """Wait for a line at the foot of the page."""
        expect(self.page.locator(".toast p", has_text=words).last).to_be_visible()

    # -- what is on the page -----------------------------------------------------------------------------------------------------
    def t(self, key: str, **params: str | int) -> str:
        """Words of the people pages."""
        return self.visitor.texts(f"people_page.{key}", **params)

    def key(self, keys: str) -> None:
        """Pressed where no field has the focus."""
        self.page.evaluate("document.activeElement?.blur()")
        self.page.keyboard.press(keys)


@pytest.fixture(scope="module", params=LANGUAGES)
def album(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    models_folder: Path,
    samples_folder: Path,
    visit: Visit,
    until: Until,
) -> Iterator[People]:
    """Recognition is switched on and the photos are dropped in, as a user does it."""
    from tests.support.real_program import RealProgram

    program = RealProgram(tmp_path_factory.mktemp("people"), models_folder, {})
    program.start()
    try:
        people = People(visit(program), request.param, until)
        visitor = people.visitor
        visitor.sign_in()
        people.go("#settings/recognition")
        people.page.locator('[data-key="recognition.enabled"]').get_by_role("switch").click()
        visitor.says(visitor.t("settings.recognition_ready"), whole=False)
        visitor.right()
        Album(samples_folder).drop(program.watched)
        program.settled(len(ALBUM))
        yield people
    finally:
        program.quit()


@pytest.fixture
def people(album: People) -> Iterator[People]:
    """Nobody has a name yet, and the two groups are there."""
    album.until(lambda: album.groups() == [3, 9], "two groups")
    assert album.known() == {}
    yield album
    album.take_everything_back()


def test_groups_and_suggestions_come_to_the_page_that_is_open(
    tmp_path: Path, models_folder: Path, samples_folder: Path, visit: Visit, until: Until
) -> None:
    """The page is opened first; photos come afterwards, then those of one more folder. Nothing is loaded anew."""
    from tests.support.real_program import RealProgram

    program = RealProgram(tmp_path, models_folder, {})
    program.file.set("recognition.enabled", "true")
    program.start()
    try:
        people = People(visit(program), "en", until)
        people.visitor.sign_in()
        people.go("#people")
        page, t = people.page, people.t
        expect(page.get_by_text(t("nobody"), exact=True)).to_be_visible()
        Album(samples_folder).drop(program.watched, FIRST)
        expect(page.get_by_role("link", name=t("open_group", count=len(FIRST)))).to_be_visible()

        more = tmp_path / "more"
        more.mkdir()
        Album(samples_folder).drop(more, SECOND)
        program.file.add_folder(more)
        expect(page.get_by_role("link", name=t("open_group", count=len(SECOND)))).to_be_visible()

        name = page.locator(".groups li").filter(has_text=str(len(FIRST))).get_by_role("combobox")
        type_into(name, "Barack")
        page.keyboard.press("Enter")
        expect(page.get_by_role("link", name="Barack")).to_be_visible()
        Album(samples_folder).drop(more, BLURRED[:1])
        expect(page.get_by_role("heading", name=t("review.is_this", name="Barack"))).to_be_visible()
    finally:
        program.quit()


def type_into(field: Locator, text: str) -> None:
    field.click()
    field.press_sequentially(text)


def large(people: People, photo: str) -> Locator:
    """The photo as it is shown large, with what is known of it."""
    return people.page.get_by_role("region", name=photo)


def tiles(people: People) -> set[str]:
    """Names of the photos in the grid."""
    numbers = people.page.get_by_role("listbox").get_by_role("option").evaluate_all("all => all.map((one) => Number(one.dataset.id))")
    return {name for name, image in people.program.images().items() if image.id in numbers}


def indexed(people: People, *names: str, **narrowed: str) -> set[str]:
    """Names of the photos with these people on them, by the agent."""
    known = people.known()
    asked = {**narrowed, **({"people": ",".join(str(known[name]) for name in names)} if names else {})}
    with people.program.api() as api:
        numbers = api.get("/library", params=asked).raise_for_status().json()["ids"]
    return {name for name, image in people.program.images().items() if image.id in numbers}


@IN_ENGLISH
def test_a_group_is_named_and_the_same_person_is_found_on_other_photos(people: People) -> None:
    clear, blurred = people.faces("first-4.jpg", "blurred-1.jpg")
    visitor, page, t = people.visitor, people.page, people.t
    people.go("#people")
    group = page.get_by_role("link", name=t("open_group", count=9))
    expect(group).to_be_visible()
    visitor.right()
    group.click()
    for face in (clear, blurred):
        page.locator(f'[data-id="{face}"]').click()
    visitor.says(t("name_rest", count=7, out=2))
    visitor.right()
    type_into(visitor.named("combobox", "people.who_is_this"), people.first)
    page.keyboard.press("Enter")
    people.said(visitor.t("edits.named", count=7, name=people.first))
    expect(page.get_by_role("link", name=people.first)).to_be_visible()
    visitor.right()

    who = people.who()
    assert {name for name in who if (people.first, "confirmed") in who[name]} == {*FIRST[:3], BOTH, *BLURRED[1:]}
    assert who["first-4.jpg"] == who["blurred-1.jpg"] == [(None, None)], "the user has just said that it is another person"
    assert all(who[name] == [(None, None)] for name in SECOND)
    assert people.get("/doubts")["items"] == []


def test_a_face_that_is_named_on_its_photo_is_known_on_the_others_and_the_rest_is_reviewed_by_keyboard(people: People) -> None:
    visitor, page, t = people.visitor, people.page, people.t
    (named,) = people.faces("first-1.jpg")
    number = people.program.images()["first-1.jpg"].id
    people.go(f"#photo-{number}")
    type_into(large(people, "first-1.jpg").get_by_role("combobox", name=visitor.t("people.who_is_this")), people.first)
    page.keyboard.press("Enter")
    people.said(visitor.t("edits.named", count=1, name=people.first))
    visitor.right()
    who = people.who()
    assert who["first-1.jpg"] == [(people.first, "confirmed")]
    assert all((people.first, "certain") in who[name] for name in (*FIRST[1:], BOTH))
    assert all(who[name] == [(people.first, "probable")] for name in BLURRED)

    people.go("#people")
    position = page.locator("aside .position")

    def waiting() -> list[int]:
        return [doubt["face"]["id"] for doubt in people.get("/doubts")["items"]]

    def asked() -> int:
        """The face whose photo the question shows."""
        (image,) = (image for image in people.program.images().values() if page.locator(f'aside a[href="#photo-{image.id}"]').count())
        return image.faces[0].id

    def answer(key: str, index: int) -> None:
        people.key(key)
        expect(position).to_have_text(visitor.t("pager.position", index=index, total=len(BLURRED)))

    expect(position).to_have_text(visitor.t("pager.position", index=1, total=len(BLURRED)))
    visitor.right()
    yes = asked()
    answer("y", 2)
    people.until(lambda: yes not in waiting(), "the yes")
    no = asked()
    answer("n", 3)
    people.until(lambda: no not in waiting(), "the no")
    skipped = asked()
    answer("s", 4)
    assert len(waiting()) == 2
    answer("u", 3)
    assert asked() == skipped
    answer("u", 2)  # and a quick answer after it is for the face that is asked about again
    answer("n", 3)
    people.until(lambda: people.get("/steps")["undo"]["action"] == "reject" and no not in waiting(), "the no")
    assert skipped in waiting()
    assert asked() == skipped
    answer("s", 4)
    people.key("y")
    expect(page.get_by_role("heading", name=t("review.skipped", count=1))).to_be_visible()
    visitor.says(t("review.skipped_text"), whole=False)
    people.until(lambda: waiting() == [skipped], "the one that was skipped")
    visitor.right()

    # "No" is remembered for ever, however much better the person is known.
    people.name(people.first, *people.faces(*FIRST))
    faces = {face.id: face for image in people.program.images().values() for face in image.faces}
    assert faces[named].certainty == faces[yes].certainty == "confirmed"
    assert (faces[no].person, faces[no].certainty) == (None, None)
    assert no not in waiting()


@IN_ENGLISH
def test_two_people_who_are_one_are_merged_and_parted_again_also_after_a_restart(people: People, visit: Visit) -> None:
    visitor, page, t = people.visitor, people.page, people.t
    first = people.name(people.first, *people.faces("first-1.jpg"))
    assert people.name(people.first, *people.faces("first-3.jpg")) == first
    # Taken for somebody else: the certain name is put right on the photo.
    people.go(f"#photo-{people.program.images()['first-2.jpg'].id}")
    photo = large(people, "first-2.jpg")
    photo.get_by_role("button", name=visitor.t("people.change_name", name=people.first)).last.click()
    type_into(photo.get_by_role("combobox", name=visitor.t("people.who_is_this")), people.other)
    page.keyboard.press("Enter")
    people.said(visitor.t("edits.named", count=1, name=people.other))
    parted = people.who()
    assert parted["first-2.jpg"] == [(people.other, "confirmed")]
    theirs = [certainty for found in parted.values() for name, certainty in found if name == people.other]
    moved = theirs.count("confirmed")
    other = people.known()[people.other]

    people.go(f"#people/{other}")
    expect(page.get_by_role("heading", level=1)).to_have_text(people.other)
    visitor.right()
    page.get_by_role("button", name=t("merge")).click()
    visitor.right()
    type_into(page.get_by_role("dialog").get_by_role("combobox"), people.initials[people.first])
    page.get_by_role("option", name=people.first).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(people.first)
    expect(page).to_have_url(f"{visitor.address}/#people/{first}")
    merged = people.who()
    assert people.known() == {people.first: first}
    assert merged["first-2.jpg"] == [(people.first, "confirmed")]

    suggested = t("suggested", count=len(theirs) - moved)
    merger = visitor.t("clause_separator").join([t("merged", name=people.other, into=people.first, count=moved), suggested])
    people.key("ControlOrMeta+z")
    people.said(visitor.t("edits.undone", what=merger))
    assert people.known() == {people.first: first, people.other: other}
    assert people.who() == parted
    people.key("ControlOrMeta+Shift+z")
    people.said(visitor.t("edits.redone", what=merger))
    assert people.known() == {people.first: first}
    assert people.who() == merged

    page.goto("about:blank")
    people.program.quit()
    people.program.start()
    people.visitor = visitor = visit(people.program)
    visitor.sign_in()
    people.go("#people")
    expect(people.page.get_by_role("link", name=people.first)).to_be_visible()
    people.key("ControlOrMeta+z")  # a page that did nothing undoes nothing
    people.said(visitor.t("edits.nothing_back"))
    with people.program.client() as client:
        client.post_json("/api/undo", {})
    expect(people.page.get_by_role("link", name=people.other)).to_be_visible()
    assert people.known() == {people.first: first, people.other: other}
    assert people.who() == parted
    with people.program.client() as client:
        client.post_json("/api/undo", {})  # and the naming before it
        expect(people.page.get_by_role("link", name=people.other)).to_have_count(0)
        people.until(lambda: people.who()["first-2.jpg"] == [(people.first, "certain")], "who it seemed to be before")
        client.post_json("/api/redo", {})
        client.post_json("/api/redo", {})
    people.until(lambda: people.who() == merged, "both done again")


@IN_ENGLISH
def test_photos_are_found_by_who_is_on_them_and_by_who_has_no_name(people: People) -> None:
    visitor, page, t = people.visitor, people.page, people.t
    people.name(people.second, *people.faces("second-1.jpg"))
    people.go("#photos")
    chip = page.get_by_role(
        "button", name=visitor.t("titled", title=visitor.t("library.people.title"), value=visitor.t("library.people.any"))
    )
    chip.click()
    field = page.get_by_role("textbox", name=t("find"))
    field.press_sequentially(people.initials[people.second])
    expect(page.locator(".menu .item", has_text=people.second)).to_be_visible()
    visitor.right()
    page.keyboard.press("Enter")
    visitor.says(visitor.t("library.photos", count=3))
    assert tiles(people) == {*SECOND, BOTH} == indexed(people, people.second)
    page.get_by_role("radio", name=t("match.only"), exact=True).click()
    visitor.says(visitor.t("library.photos", count=2))
    assert tiles(people) == set(SECOND) == indexed(people, people.second, match="only")
    visitor.right()
    page.get_by_role("button", name=t("match.remove", name=people.second)).click()
    visitor.button("library.people.unnamed").click()
    visitor.says(visitor.t("library.photos", count=9))
    assert tiles(people) == {*FIRST, BOTH, *BLURRED} == indexed(people, unnamed="true")
    visitor.button("library.people.unnamed").click()

    people.name(people.first, *people.faces(*FIRST))
    for name in (people.first, people.second):
        field.press_sequentially(people.initials[name])
        expect(page.locator(".menu .item", has_text=name)).to_be_visible()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name=t("match.remove", name=name))).to_be_visible()
    page.get_by_role("radio", name=t("match.all"), exact=True).click()
    visitor.says(visitor.t("library.photos", count=1))
    assert tiles(people) == {BOTH} == indexed(people, people.first, people.second)
    page.get_by_role("radio", name=t("match.any"), exact=True).click()
    visitor.says(visitor.t("library.photos", count=len(ALBUM)))
    assert tiles(people) == set(ALBUM) == indexed(people, people.first, people.second, match="any")
    page.keyboard.press("Escape")
    visitor.right()


@IN_ENGLISH
def test_the_command_line_and_the_page_see_and_change_the_same(people: People) -> None:
    program, page = people.program, people.page
    people.name(people.first, *people.faces("first-1.jpg"))
    people.name(people.other, *people.faces("first-2.jpg"))
    people.go("#people")
    expect(page.get_by_role("link", name=people.other)).to_be_visible()

    def asked(*words: str) -> list[Any]:
        done = program.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    assert program.run("people", "merge", people.other, "--into", people.first).returncode == 0
    expect(page.get_by_role("link", name=people.other)).to_have_count(0)
    assert set(people.known()) == {people.first}
    assert {Path(photo["path"]).name for photo in asked("find", "--person", people.first)} == {*FIRST, BOTH, *BLURRED}
    assert program.run("undo").returncode == 0
    expect(page.get_by_role("link", name=people.other)).to_be_visible()
    known = {person["name"]: person["faces"] for person in people.get("/people")}
    assert {person["name"]: person["faces"] for person in asked("people", "list")} == known
    assert set(known) == {people.first, people.other}

    one, alike, unlike = (str(program.watched / name) for name in ("first-1.jpg", "first-2.jpg", "second-1.jpg"))
    assert [people.post("/verify", {"paths": [one, alike]})] == asked("verify", one, alike)
    (other,) = asked("verify", one, unlike)
    assert other["distance"] > other["threshold"] and not other["same"]


@IN_ENGLISH
def test_who_is_forgotten_is_gone_from_page_and_library_and_does_not_come_back(people: People) -> None:
    """The last one: what went does not come back for another test."""
    visitor, page, t = people.visitor, people.page, people.t
    people.name(people.first, *people.faces("first-1.jpg"))
    second = people.name(people.second, *people.faces(*SECOND))
    faces = [*people.faces(*SECOND), people.faces(BOTH)[1]]
    with people.program.library() as library:
        assert len(library.prints_of(faces, EMBEDDER)) == len(faces)

    people.go(f"#people/{second}")
    page.get_by_role("button", name=t("forget.action")).click()
    dialog = page.get_by_role("alertdialog", name=t("forget.title", name=people.second))
    expect(dialog.get_by_role("link", name=t("forget.export"))).to_be_visible()
    visitor.right()
    dialog.get_by_role("button", name=t("forget.action")).click()
    receipt = page.locator(".receipt")
    expect(receipt).to_contain_text(t("forget.done"))
    expect(receipt).to_contain_text(t("forget.done_faces", count=3))
    expect(receipt).to_contain_text(visitor.t("settings.deleted_prints", count=3))
    visitor.right()

    with people.program.library() as library:
        assert library.prints_of(faces, EMBEDDER) == []
    people.key("ControlOrMeta+z")  # this page named nobody
    people.said(visitor.t("edits.nothing_back"))
    with people.program.client() as client:
        client.post_json("/api/undo", {})  # what is left is the naming of the first one
        people.until(lambda: people.known() == {}, "nobody is known")
        with pytest.raises(NothingToUndo):
            client.post_json("/api/undo", {})
        client.post_json("/api/redo", {})
    people.until(lambda: set(people.known()) == {people.first}, "the first one again")
    assert all(who is None or who == people.first for seen in people.who().values() for who, _ in seen)
    assert people.second not in people.program.run("people", "list").stdout
    receipt.get_by_role("link", name=t("back")).click()
    expect(page.get_by_role("link", name=people.first)).to_be_visible()
    expect(page.get_by_text(people.second)).to_have_count(0)
    visitor.right()
