"""What the benchmark says of its samples."""

import json
import math
import sys
from collections import Counter
from pathlib import Path

import pytest

from scripts.benchmarks import run
from scripts.benchmarks.photos import FACES, WEIGHTS, count_of
from scripts.benchmarks.popup import painted
from scripts.benchmarks.rows import Row, as_json, as_table, at_least, at_most, median, p95, worst
from scripts.benchmarks.ui import bundle

SAMPLES = [float(number) for number in range(1, 201)]


def test_a_row_is_made_of_its_samples() -> None:
    assert (median("a", SAMPLES, 9).value, p95("a", SAMPLES, 9).value, worst("a", SAMPLES, 9).value) == (100, 190, 200)
    with pytest.raises(ValueError, match="no samples"):
        p95("a", [], 9)


def test_a_target_is_reached_from_the_better_side() -> None:
    assert [Row("a", value, 20, ()).ok for value in (19.9, 20, 20.1)] == [True, True, False]
    assert [Row("a", value, 20, (), at_least=True).ok for value in (19.9, 20, 20.1)] == [False, True, True]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (Row("a", 3, 2, ()), 1),
        (Row("a", 1, 2, ()), 0),
        (Row("a", 1, 0, ()), 1),
        (Row("a", 1, 2, (), at_least=True), 1),
        (Row("a", -1, 0, (), at_least=True), 0),
        (Row("a", 1, -math.inf, ()), 0),
    ],
)
def test_only_a_missed_target_is_a_failure(monkeypatch: pytest.MonkeyPatch, row: Row, code: int) -> None:
    monkeypatch.setitem(run.GROUPS, "scan", lambda _long: iter([row, Row("met", 1, 1, ())]))
    monkeypatch.setattr(run, "facts", dict)
    monkeypatch.setattr(sys, "argv", ["bench.py", "scan"])
    assert run.main() == code


def test_the_json_has_all_that_a_row_says() -> None:
    said = json.loads(as_json([Row("scan_s", 1.5, 2, (1.0, 2.0))], {"machine": "m"}))
    assert said == {
        "machine": "m",
        "rows": [{"name": "scan_s", "value": 1.5, "target": 2, "samples": [1.0, 2.0], "at_least": False, "ok": True}],
    }


def test_the_bundle_weighs_what_its_files_weigh_compressed_and_the_team_s_pages_by_themselves(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_bytes(b"a" * 100_000)
    (tmp_path / "assets" / "noise.js").write_bytes(b"".join((number * number % 65_521).to_bytes(2, "big") for number in range(20_000)))
    for name in ("team", "teamPages", "accountWays", "teamParts", "providerWays", "adminPages", "albumPages", "facePages"):
        (tmp_path / "assets" / f"{name}-Ab1.js").write_bytes(b"b" * 100_000)
    desktop, team, provider, joined, admin, albums, faces = bundle(tmp_path)
    assert [len(each.samples) for each in (desktop, team, provider, joined, admin, albums, faces)] == [2, 3, 1, 1, 1, 1, 1]
    assert 20 < desktop.value < 60
    assert 0 < admin.value < team.value < 1


def test_the_popup_is_painted_when_the_screen_first_looks_as_it_does_in_the_end() -> None:
    def screen(seen: float) -> bytes:
        pixels = 400 * 520
        return b"\x01\0\0\0" * int(pixels * seen) + bytes(4 * (pixels - int(pixels * seen)))

    assert painted([(1.0, screen(0)), (2.0, screen(0.5)), (3.0, screen(0.99)), (4.0, screen(1))]) == 3.0
    with pytest.raises(RuntimeError):
        painted([(1.0, screen(0)), (2.0, screen(0.1))])


def test_the_table_says_what_was_missed() -> None:
    said = {"machine": "m", "versions": "v", "load": "0", "date": "d"}
    table = as_table([at_least("scan_limit", 0.9, 0.85, []), at_most("idle_pss_mb", 130, 120, [])], said)
    assert table.splitlines()[-2:] == ["| `scan_limit` | 0.9 | ≥ 0.85 |", "| `idle_pss_mb` | 130 (missed) | ≤ 120 |"]


def test_each_twenty_photos_have_the_same_shares_of_faces() -> None:
    for twenty in range(3):
        counts = Counter(count_of(20 * twenty + number) for number in range(20))
        assert counts == {count: weight // 5 for count, weight in zip(FACES, WEIGHTS, strict=True)}
    assert [count_of(number) for number in range(20)] != [count_of(number) for number in range(20, 40)]
