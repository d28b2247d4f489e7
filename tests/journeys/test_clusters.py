"""Hundreds of unnamed faces of two people: `people clusters` tells one person per line, twice the same, with and without an agent."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.journey import Journey

pytestmark = [pytest.mark.timeout(900)]


def clusters(journey: Journey) -> list[dict[str, Any]]:
    said = journey.command("people", "clusters", "--json")
    assert said.code == 0, said.err
    return said.objects


def as_sets(found: list[dict[str, Any]]) -> set[frozenset[tuple[str, str]]]:
    return {frozenset((face["path"], json.dumps(face["box"])) for face in cluster["faces"]) for cluster in found}


def test_clusters_hold_one_person_each_and_stay_the_same_when_all_is_scanned_again(journey: Journey) -> None:
    off = journey.command("people", "clusters", "--json")
    assert off.code != 0 and off.out == "" and "[people.recognition_off]" in off.err
    journey.recognise()
    journey.portraits("album/Barack", "Barack", 90)
    journey.portraits("album/Joe", "Joe", 60)
    album = journey.album("album", plain=50)
    assert journey.scan(album).photos == 200

    found = clusters(journey)
    assert len({cluster["id"] for cluster in found}) == len(found)
    for cluster in found:
        assert cluster.keys() == {"id", "faces"} and len(cluster["faces"]) > 1
        assert len({Path(face["path"]).parent.name for face in cluster["faces"]}) == 1, "two people in one group"
        assert all(len(face["box"]) == 4 and Path(face["path"]).is_file() for face in cluster["faces"])
    assert sum(len(cluster["faces"]) for cluster in found) >= 140
    assert [len(cluster["faces"]) for cluster in found] == sorted((len(cluster["faces"]) for cluster in found), reverse=True)

    assert journey.scan(album).photos == 200
    assert clusters(journey) == found

    journey.portraits("album/Joe", "Joe", 10)
    assert journey.scan(album).photos == 210
    more = clusters(journey)
    assert sum(len(cluster["faces"]) for cluster in more) > sum(len(cluster["faces"]) for cluster in found)
    assert {cluster["id"] for cluster in found} <= {cluster["id"] for cluster in more}, "a page that shows a group still shows it"

    journey.program.start()
    assert as_sets(clusters(journey)) == as_sets(more)
    table = journey.command("people", "clusters")
    assert f"Group {more[0]['id']}: {len(more[0]['faces'])} faces" in table.out
    journey.quit()
