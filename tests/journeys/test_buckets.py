"""A team's server reads a bucket: photos are added, changed and removed, a listing is cut, the server is killed, keys are revoked."""

import json
import shutil
import stat
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.domain.events import ImageIndexed
from agent.features.library.schemas import ImagePage
from agent.features.redaction.schemas import CoverRequest, RedactionBatchOut
from agent.interfaces.web.runtime_file import find
from agent.server.libraries.bucket_schemas import BucketOut, BucketsOut
from tests.support.journey import Journey
from tests.support.real_program import WAIT_S
from tests.support.real_server import RealServer
from tests.support.s3_server import KEY_ID, SECRET
from tests.support.s3_store import S3Store

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]
NAME = "bucket-1"
PAGE = 50
KEYLESS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[S3Store]:
    made = S3Store(tmp_path / "objects")
    yield made
    made.kill()


@pytest.fixture
def server(tmp_path: Path, models_folder: Path) -> Iterator[RealServer]:
    # Without keys of this computer's own user.
    made = RealServer(tmp_path, models_folder, {**KEYLESS, "AI_POPUP__SERVER__BUCKETS_INSIDE": "true"})
    yield made
    made.quit()


def source(server: RealServer) -> BucketOut:
    with server.client() as client:
        [found] = client.call("GET", "/api/buckets", BucketsOut).items
    return found


def until(server: RealServer, done: Callable[[BucketOut], bool]) -> BucketOut:
    deadline = time.monotonic() + WAIT_S
    while not done(seen := source(server)):
        assert server.alive and time.monotonic() < deadline, seen
        time.sleep(0.05)
    return seen


def listed(server: RealServer) -> BucketOut:
    """List it now, and wait for the end of a listing that began later."""
    before = source(server).listed_at
    server.post(f"/api/buckets/{NAME}/list")
    return until(server, lambda seen: seen.listed_at != before and seen.failing_since is None)


def test_120_photos_of_a_bucket(server: RealServer, store: S3Store, samples_folder: Path, tmp_path: Path) -> None:
    journey = Journey(server, samples_folder, tmp_path)
    album = journey.album("made", faces=10, plain=110)
    photos = sorted(album.iterdir())
    (store.folder / "2026").mkdir()
    for photo in photos[:100]:
        shutil.copyfile(photo, store.folder / "2026" / photo.name)
    server.serve()

    # A listing that is cut after its first page: what it showed is there, and nothing counts as gone.
    store.goes(page=PAGE, cut=True)
    [library] = [json.loads(line)["name"] for line in server.run("libraries", "list", "--json").stdout.splitlines()]
    address = f"s3://{store.BUCKET}/2026"
    added = server.run("libraries", "add-source", library, address, "--endpoint", store.endpoint, "--json", input=f"{KEY_ID}\n{SECRET}\n")
    assert json.loads(added.stdout)["name"] == NAME, added.stderr
    failing = until(server, lambda seen: seen.failing_since is not None)
    assert failing.problem is not None and failing.problem.code == "bucket.not_reached"
    server.settled(PAGE)
    assert server.run("libraries", "check-source", NAME).returncode == 0, "one page can be listed"

    store.goes(page=PAGE)
    assert listed(server).problem is None
    server.settled(100)

    # Ten are added, one of them twice and once in a folder, five change, fifteen are removed.
    for photo in photos[100:110]:
        shutil.copyfile(photo, store.folder / "2026" / photo.name)
    (store.folder / "2026" / "again").mkdir()
    shutil.copyfile(photos[100], store.folder / "2026" / "again" / "照片 +1.jpg")
    shutil.copyfile(photos[100], server.watched / "copy.jpg")
    for photo, other in zip(photos[:5], photos[110:115], strict=True):
        shutil.copyfile(other, store.folder / "2026" / photo.name)
    for photo in photos[5:20]:
        (store.folder / "2026" / photo.name).unlink()
    listed(server)
    server.settled(95)
    assert until(server, lambda seen: seen.photos == 96).photos == 96
    with server.client() as client:
        shown = {image.path: image for image in client.call("GET", "/api/images?limit=200", ImagePage).items}
    [twice] = [image for image in shown.values() if image.places == 3]
    with server.library() as held:
        stored = held.image(twice.id)
        assert stored is not None
        places = {path for _, path in stored.places}
    assert places == {f"s3://{NAME}/{photos[100].name}", f"s3://{NAME}/again/照片 +1.jpg", str(server.watched / "copy.jpg")}

    # Pictures, the original, and a covered copy of a photo that is only in the bucket.
    only = shown[f"s3://{NAME}/{photos[30].name}"]
    with server.visitor() as visitor:
        visitor.headers["authorization"] = f"Bearer {find(server.paths.runtime).token}"
        for picture in ("thumbnail", "preview?side=960"):
            assert visitor.get(f"/api/images/{only.id}/{picture}").content[:2] == b"\xff\xd8"
        original = visitor.get(f"/api/images/{only.id}/original")
        assert original.content == photos[30].read_bytes()
        assert photos[30].name in original.headers["content-disposition"]
    with server.client() as client:
        begun = client.call("POST", "/api/redactions", RedactionBatchOut, CoverRequest(images=(only.id,), out=str(tmp_path / "covered")))
    copy = tmp_path / "covered" / photos[30].name
    server.until(lambda _: copy.exists())
    with server.library() as held:
        assert [item.source for item in held.redaction_items(begun.uid, limit=9).items] == [only.path]

    # The keys are revoked, and the server is killed and started again: photos stay, and the time since then.
    store.goes(page=PAGE, key_id="another")
    shutil.copyfile(photos[119], store.folder / "2026" / "late.jpg")
    server.post(f"/api/buckets/{NAME}/list")
    revoked = until(server, lambda seen: seen.failing_since is not None)
    assert revoked.problem is not None and revoked.problem.code == "bucket.keys_wrong"
    checked = server.run("libraries", "check-source", NAME, "--json")
    assert (checked.returncode, json.loads(checked.stdout)["problem"]["code"]) == (1, "bucket.keys_wrong")
    server.kill()
    server.serve()
    assert source(server).failing_since == revoked.failing_since
    server.settled(95)
    store.goes(page=PAGE)
    assert listed(server).photos >= 96
    server.settled(96)

    # The store itself is gone for a while.
    store.kill()
    server.post(f"/api/buckets/{NAME}/list")
    lost = until(server, lambda seen: seen.failing_since is not None)
    assert lost.problem is not None and lost.problem.code == "bucket.not_reached"
    store.start()
    assert listed(server).photos == 97

    with server.library() as held:
        indexed = Counter(each.event.image_id for each in held.events(after=0, limit=10_000) if isinstance(each.event, ImageIndexed))
    assert set(indexed.values()) == {1}, "no photo is analysed twice"
    check_secret(server)

    # A removed source takes its photos along, but for the one that is in a folder too; the bucket keeps them.
    assert server.run("libraries", "remove-source", NAME, "--yes").returncode == 0
    server.settled(1)
    assert len([path for path in store.folder.rglob("*") if path.is_file()]) == 97
    assert list(server.paths.keys.glob(f"bucket-{NAME}*")) == []


def check_secret(server: RealServer) -> None:
    """The secret is in its own file, for its owner alone, and nowhere else."""
    [kept] = server.paths.keys.glob(f"bucket-{NAME}*")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    written = [server.paths.settings, *server.paths.logs.iterdir(), server.home / "errors.txt"]
    for file in written:
        text = file.read_text(errors="replace")
        assert SECRET not in text and KEY_ID not in text, file.name
    with server.client() as client:
        assert SECRET not in json.dumps(client.get_json("/api/buckets"))
