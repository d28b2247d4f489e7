"""Hundreds of faces of two people: scanned, named by their cards, counted, found, renamed, and all of it taken back.

What is counted is what a user would count: how many photos show a person, on how many they said so themselves, and how many are guesses.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageEnhance, ImageOps

if TYPE_CHECKING:
    from tests.support.real_program import RealProgram

pytestmark = [pytest.mark.timeout(1200)]
FIRST, SECOND = "Barack", "Joe"
SAMPLES = {FIRST: ("obama.jpg", "obama2.jpg", "obama3.jpg", "obama_partial_face.jpg"), SECOND: ("biden.jpg",)}
PHOTOS = {FIRST: 150, SECOND: 70}
SHOWN = 4


@pytest.fixture
def album(tmp_path: Path, samples_folder: Path) -> Path:
    """Each photo of another content: turned a little, darker or lighter, mirrored, on another ground. Its name says who is on it."""
    folder = tmp_path / "album"
    folder.mkdir()
    for person, samples in SAMPLES.items():
        heads = [Image.open(samples_folder / name).convert("RGB") for name in samples]
        heads = [ImageOps.contain(each.crop((0, 0, each.width, min(each.size))), (300, 300)) for each in heads]
        for number in range(PHOTOS[person]):
            head = heads[number % len(heads)]
            head = ImageOps.mirror(head) if number % 3 == 0 else head
            ground = (number * 37 % 256, number * 91 % 256, number * 53 % 256)
            head = head.rotate(number % 13 - 6, expand=True, fillcolor=ground)
            picture = Image.new("RGB", (400, 400), ground)
            picture.paste(ImageEnhance.Brightness(head).enhance(0.8 + number % 5 / 10), (number % 40, number * 7 % 40))
            picture.save(folder / f"{person}-{number:03}.jpg", quality=90)
    return folder


@pytest.fixture
def program(make_program: "Callable[[Mapping[str, str]], RealProgram]", album: Path) -> "Iterator[RealProgram]":
    """It watches the album, with recognition on, and has looked at all of it."""
    program = make_program({})
    program.file.set("recognition.enabled", "true")
    program.file.add_folder(album)
    program.start()
    program.until(lambda status: (status.images, status.failed, status.queued) == (sum(PHOTOS.values()), 0, 0), within=600)
    yield program
    program.quit()


def get(program: "RealProgram", path: str, **query: str | int) -> Any:
    with program.api() as api:
        return api.get(path, params=query).raise_for_status().json()


def name(program: "RealProgram", faces: list[int], person: str) -> None:
    with program.api() as api:
        api.post("/people/edits", json={"kind": "name", "face_ids": faces, "name": person}).raise_for_status()


def listed(program: "RealProgram") -> dict[str, tuple[int, int]]:
    """By name: faces that were confirmed, and faces that are suggested."""
    said = program.run("people", "list", "--json")
    assert said.returncode == 0, said.stderr
    lines = map(json.loads, said.stdout.splitlines())
    return {line["name"]: (line["confirmed"], line["suggested"]) for line in lines}


def found(program: "RealProgram", person: str, *options: str) -> dict[str, str]:
    """File name -> how sure it is that the person is on it."""
    said = program.run("find", "--person", person, "--json", *options)
    return {Path(line["path"]).name: line["certainty"][person] for line in map(json.loads, said.stdout.splitlines())}


def whose(program: "RealProgram") -> dict[int, str]:
    """Image -> who is on it, by its file's name."""
    with program.library() as library:
        return {image.id: Path(image.places[0][1]).name.split("-")[0] for image in library.images(limit=1000)}


def groups(program: "RealProgram", faces: int) -> list[Any]:
    """The cards of the people page, once so many faces are on them."""
    cards: list[Any] = []

    def there(_: object) -> bool:
        cards[:] = get(program, "/groups", limit=500)["items"]
        return sum(int(card["size"]) for card in cards) >= faces

    program.until(there, within=300)
    return cards


def test_hundreds_of_faces_are_named_by_their_cards_and_counted(program: "RealProgram") -> None:
    everyone = sum(PHOTOS.values())
    groups(program, everyone - 10)  # a few may be like no other
    people = whose(program)

    # The user goes through the cards: where all faces shown are one person's, they give the name; else they open the group.
    confirmed = dict.fromkeys(PHOTOS, 0)
    looked_at: set[int] = set()
    while cards := get(program, "/groups", limit=1)["items"]:
        [card] = cards
        shown = card["faces"]
        assert len(shown) == min(SHOWN, card["size"])
        if card["doubtful"]:
            shown = get(program, f"/groups/{card['id']}")["items"]
        for person in PHOTOS:
            theirs = [face["id"] for face in shown if people[face["image_id"]] == person]
            if theirs:
                name(program, theirs, person)
                confirmed[person] += len(theirs)
                looked_at |= set(theirs)

    counted = listed(program)
    assert {person: mine for person, (mine, _) in counted.items()} == confirmed, "nothing is confirmed that was on no card"
    for person, photos in PHOTOS.items():
        mine, suggested = counted[person]
        assert photos - 10 <= mine + suggested <= photos
        assert mine < photos / 2, "a name on a card is not everybody's in the group"

        sure = found(program, person)
        assert all(path.startswith(f"{person}-") for path in sure), "nobody is taken for the other"
        assert len(sure) == mine + suggested
        assert sum(certainty == "confirmed" for certainty in sure.values()) == mine
        certain = found(program, person, "--certain")
        assert certain == {path: certainty for path, certainty in sure.items() if certainty != "probable"}
        told = program.run("find", "--person", person)
        assert f"{mine} confirmed, {suggested} suggested" in told.stderr

    # What the page tells agrees with the command line.
    page = {each["name"]: (each["faces"] - each["suggested"], each["suggested"]) for each in get(program, "/people")}
    assert page == counted
    facts = {person: get(program, f"/people/{each['id']}") for each in get(program, "/people") for person in [each["name"]]}
    assert {person: (each["photos"] - each["suggested"], each["suggested"]) for person, each in facts.items()} == counted

    # Renamed, and taken back; also after a restart.
    assert program.run("people", "rename", SECOND, "Uncle Joe").returncode == 0
    assert listed(program) == {FIRST: counted[FIRST], "Uncle Joe": counted[SECOND]}
    assert len(found(program, "Uncle Joe")) == sum(counted[SECOND])
    program.quit()
    program.start()
    assert program.run("undo").returncode == 0
    assert listed(program) == counted

    # All of it is taken back: nobody is known, and every face waits for a name again.
    while program.run("undo").returncode == 0:
        pass
    assert listed(program) == {}
    assert sum(card["size"] for card in groups(program, everyone - 10)) <= everyone
    with program.library() as library:
        assert not library.faces_of_people(None), "nothing is confirmed any more"
