"""A folder is covered twice: each photo has one copy, however often it is asked for."""

import sys

import pytest

from tests.support.journey import Journey

pytestmark = [pytest.mark.timeout(600)]


def test_a_folder_is_covered_twice_and_grows_in_between(journey: Journey) -> None:
    album = journey.album("party", faces=10, plain=70)
    out = journey.root / "safe"
    first = journey.command("redact", album, "-o", out, "--json")
    assert (len(first.objects), len(list(out.iterdir())), first.code) == (80, 80, 0), first.err
    copies = {copy.name: copy.read_bytes() for copy in out.iterdir()}
    assert copies.keys() == {photo.name for photo in album.iterdir()}
    assert not {photo.name for photo in album.glob("face-*") if photo.read_bytes() == copies[photo.name]}

    journey.album("party", faces=2, plain=5)
    again = journey.command("redact", album, "-o", out, "--json")
    assert (len(again.objects), len(list(out.iterdir())), again.code) == (87, 87, 0), again.err
    assert {name: (out / name).read_bytes() for name in copies} == copies


@pytest.mark.skipif(sys.platform == "win32", reason="there Ctrl-C goes to every program of a console")
def test_ctrl_c_stops_what_the_agent_has_not_begun(journey: Journey) -> None:
    program = journey.program
    program.start()
    album = journey.album("party", faces=3, plain=147)
    out = journey.root / "safe"
    with journey.begun("redact", album, "-o", out, "--json") as redact:
        said = redact.after(5).interrupt()
    assert (said.code, "Traceback" in said.err) == (130, False)

    def batch() -> dict[str, int]:
        with program.api() as api:
            (one,) = api.get("/redactions").raise_for_status().json()["items"]
        return {name: one[name] for name in ("planned", "done", "needs_review", "failed")}

    program.until(lambda _: batch()["planned"] == 0)
    made = batch()
    assert 5 <= made["done"] + made["needs_review"] == len(list(out.iterdir())) < 150
    assert made["failed"] == 0
