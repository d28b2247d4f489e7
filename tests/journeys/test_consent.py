"""Two people by a class list, with real photos: one agrees to publishing, then withdraws recognition."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.journey import Journey

pytestmark = [pytest.mark.timeout(600)]
EACH = 6


def copies(journey: Journey, album: Path, out: str) -> dict[str, int]:
    """Faces covered on each copy for publishing, by the photo's name."""
    said = journey.command("redact", album, "-o", journey.root / out, "--keep-consented", "--json")
    assert said.code == 0, said.err
    return {Path(each["source"]).name: each["covered"] for each in said.objects}


def consents(journey: Journey, *words: str) -> list[dict[str, Any]]:
    said = journey.command("consent", *words, "--json")
    assert said.code == 0, said.err
    return [json.loads(line) for line in said.out.splitlines()]


def test_published_photos_show_who_agreed_and_a_withdrawal_leaves_nothing(journey: Journey) -> None:
    journey.recognise()
    journey.program.file.set("consent.required", "always")
    for person in ("Barack", "Joe"):
        journey.portraits(f"portraits/{person}", person, 3)
    rows = []
    for person, purposes in (("Barack", "recognise publish"), ("Joe", "recognise -publish")):
        photos = ";".join(f"{person}/{each.name}" for each in (journey.root / "portraits" / person).iterdir())
        rows.append(f"{person},{purposes},{photos}")
    table = journey.root / "class.csv"
    table.write_text("\n".join(["name,purposes,photo", *rows]), encoding="utf-8")
    said = journey.command("people", "import-list", table, "--photos", journey.root / "portraits", "--json")
    assert said.objects == [{"people": 2, "new": 2, "consents": 4, "faces": 6, "refused": 0}], said.err

    trips = {person: journey.portraits(f"trip/{person}", person, EACH) for person in ("Barack", "Joe")}
    album = journey.root / "trip"
    assert journey.scan(album).faces == 2 * EACH
    assert journey.people() == {"Barack": 3 + EACH, "Joe": 3 + EACH}
    whose = {each.name: person for person, folder in trips.items() for each in folder.iterdir()}

    published = copies(journey, album, "first")
    assert len(published) == 2 * EACH
    assert {whose[name] for name, covered in published.items() if covered == 0} == {"Barack"}
    assert all((covered == 0) == (whose[name] == "Barack") for name, covered in published.items())

    [receipt] = consents(journey, "withdraw", "Barack", "recognise", "--yes")
    assert receipt["embeddings"] == receipt["chips"] == 3 + EACH
    assert journey.people() == {"Barack": 3, "Joe": 3 + EACH}, "names stay where they were confirmed"
    journey.portraits("trip/Barack", "Barack", 2)
    journey.scan(album)
    assert journey.people() == {"Barack": 3, "Joe": 3 + EACH}
    assert all(covered == 1 for covered in copies(journey, album, "second").values())
    assert journey.command("record", "verify").code == 0
