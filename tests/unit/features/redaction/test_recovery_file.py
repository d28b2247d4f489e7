"""What is kept of an original opens with its key only, and is what it was, or nothing."""

import hashlib
import json
import os
import secrets
import struct
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from agent.domain.errors import CopyUnwritable, ImageChanged, ImageUnreadable, KeptDamaged, NotRestorable, RestoreKeyWrong
from agent.features.redaction import recovery_file as module
from agent.features.redaction.recovery_file import Recovery, RecoveryFileStore
from agent.inference.engine.renderer import KeptRegion

KEY = bytes(range(32))
COST = module._COST  # the real one
FILES = RecoveryFileStore(lambda: KEY)
REGIONS = (KeptRegion(3, 4, b"first png"), KeptRegion(-5, 0, b""), KeptRegion(7, 9, bytes(5000)))
NAME = "图 שלום \udcff.jpg"
KEPT = Recovery("c" * 64, "o" * 64, NAME, REGIONS)


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_COST", {"n": 16, "r": 8, "p": 1})
    monkeypatch.setattr(module, "_PIECE", 1000)


@pytest.fixture
def original(tmp_path: Path) -> Path:
    path = tmp_path / "original.jpg"
    path.write_bytes(secrets.token_bytes(3000))
    return path


def whole(original: Path) -> Recovery:
    return Recovery("c" * 64, sha256(original.read_bytes()).hexdigest(), original.name, whole=True)


@pytest.mark.parametrize("passphrase", [None, "", "correct horse", "密码"])
def test_regions_come_back_as_they_were(tmp_path: Path, passphrase: str | None) -> None:
    path = tmp_path / "a.aipopup"

    FILES.keep(str(path), KEPT, None, passphrase)

    assert FILES.opened(str(path), passphrase) == KEPT
    assert os.name == "nt" or path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("length", [0, 1, 820, 999, 1000, 1001, 3000, 12_345])
def test_a_whole_file_comes_back_byte_for_byte(tmp_path: Path, original: Path, length: int) -> None:
    original.write_bytes(secrets.token_bytes(length))
    path, output = tmp_path / "a.aipopup", tmp_path / "out.jpg"
    FILES.keep(str(path), whole(original), str(original), None)

    FILES.original(str(path), None, str(output))

    assert output.read_bytes() == original.read_bytes()
    assert FILES.opened(str(path), None) == whole(original)


def test_nothing_of_it_can_be_read_without_the_key(tmp_path: Path, original: Path) -> None:
    path = tmp_path / "a.aipopup"

    FILES.keep(str(path), whole(original), str(original), None)

    content = path.read_bytes()
    assert original.read_bytes()[:16] not in content
    assert b"original" not in content and b"c" * 64 not in content


def test_each_file_has_a_key_of_its_own(tmp_path: Path) -> None:
    for name in "ab":
        FILES.keep(str(tmp_path / name), KEPT, None, "one passphrase")

    one, other = ((tmp_path / name).read_bytes() for name in "ab")
    (length,) = struct.unpack(">I", one[8:12])
    assert one[12 : 12 + length] != other[12 : 12 + length]
    assert one[12 + length :] != other[12 + length :]


@pytest.mark.parametrize(("given", "tried"), [(None, "guess"), ("right", None), ("right", "wrong")])
def test_the_wrong_key_opens_nothing(tmp_path: Path, original: Path, given: str | None, tried: str | None) -> None:
    path, output = tmp_path / "a.aipopup", tmp_path / "out.jpg"
    FILES.keep(str(path), whole(original), str(original), given)

    with pytest.raises(RestoreKeyWrong):
        FILES.opened(str(path), tried)
    with pytest.raises(RestoreKeyWrong):
        FILES.original(str(path), tried, str(output))
    assert not output.exists()


def test_nor_does_another_librarys_key(tmp_path: Path) -> None:
    FILES.keep(str(tmp_path / "a"), KEPT, None, None)

    with pytest.raises(RestoreKeyWrong):
        RecoveryFileStore(lambda: bytes(32)).opened(str(tmp_path / "a"), None)


def test_guessing_a_passphrase_costs_what_the_format_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Worked out by another implementation: N = 2^17, r = 8, p = 1 is 128 MB and about half a second a guess."""
    monkeypatch.setattr(module, "_COST", COST)
    RecoveryFileStore(lambda: KEY).keep(str(tmp_path / "a"), KEPT, None, "correct horse battery")
    raw = (tmp_path / "a").read_bytes()
    header = json.loads(raw[raw.index(b"{") : raw.index(b"}") + 1])
    salts = [b64decode(header[name]) for name in ("scrypt", "salt")]
    slow = hashlib.scrypt(b"correct horse battery", salt=salts[0], n=1 << 17, r=8, p=1, dklen=32, maxmem=256 << 20)

    def derived(key: bytes, salt: bytes | None, purpose: bytes) -> bytes:
        return HKDF(SHA256(), 32, salt=salt, info=b"ai-popup kept " + purpose).derive(key)

    assert derived(derived(slow, salts[1], b"file"), None, b"check") == b64decode(header["check"])
    assert min(map(len, salts)) >= 16


def test_a_passphrase_is_the_same_however_its_letters_were_typed(tmp_path: Path) -> None:
    FILES.keep(str(tmp_path / "a"), KEPT, None, "caf\u00e9")

    assert RecoveryFileStore(lambda: KEY).opened(str(tmp_path / "a"), "cafe\u0301") == KEPT


def test_no_byte_can_be_changed_or_left_out_unseen(tmp_path: Path, original: Path) -> None:
    path, output = tmp_path / "a.aipopup", tmp_path / "out.jpg"
    FILES.keep(str(path), whole(original), str(original), None)
    good = path.read_bytes()

    for changed in range(0, len(good), 7):
        path.write_bytes(good[:changed] + bytes([good[changed] ^ 1]) + good[changed + 1 :])
        with pytest.raises((KeptDamaged, NotRestorable, RestoreKeyWrong)):
            FILES.original(str(path), None, str(output))
    for length in (0, 5, 9, 40, len(good) - 1, len(good) - 16, len(good) - 1016):
        path.write_bytes(good[:length])
        with pytest.raises((KeptDamaged, NotRestorable, RestoreKeyWrong)):
            FILES.original(str(path), None, str(output))
    path.write_bytes(good + b"x")
    with pytest.raises(KeptDamaged):
        FILES.original(str(path), None, str(output))
    assert not output.exists()


def test_pieces_can_neither_change_places_nor_be_cut_off_where_one_ends(tmp_path: Path, original: Path) -> None:
    path, output = tmp_path / "a.aipopup", tmp_path / "out.jpg"
    FILES.keep(str(path), whole(original), str(original), None)
    good = path.read_bytes()
    (length,) = struct.unpack(">I", good[8:12])
    start, piece = 12 + length, 1016

    first, second, rest = good[start : start + piece], good[start + piece : start + 2 * piece], good[start + 2 * piece :]
    for pieces in (second + first + rest, first + second, first + rest, first + second + second + rest):
        path.write_bytes(good[:start] + pieces)
        with pytest.raises(KeptDamaged):
            FILES.original(str(path), None, str(output))
    assert not output.exists()


def test_a_header_that_asks_for_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for content in (b"AIPOPUP\x01" + struct.pack(">I", 2**31), b"AIPOPUP\x01\x00\x00\x00\x02{}", b"AIPOPUP\x01\x00\x00\x00\x02\xff\xff"):
        path.write_bytes(content)
        with pytest.raises(KeptDamaged):
            FILES.opened(str(path), None)
    for header in (json.dumps({"key": "other", "scrypt": "", "salt": "", "check": ""}).encode(), b"[" * 4096):
        path.write_bytes(b"AIPOPUP\x01" + struct.pack(">I", len(header)) + header)
        with pytest.raises(KeptDamaged):
            FILES.opened(str(path), None)


@pytest.mark.parametrize("content", [b"", b"AIPOPUP\x02", b"a photo"])
def test_what_is_no_such_file_keeps_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)

    with pytest.raises(NotRestorable):
        FILES.opened(str(tmp_path / "a"), None)
    with pytest.raises(NotRestorable):
        FILES.opened(str(tmp_path / "none"), None)


def test_what_is_there_and_cannot_be_read_is_not_said_to_keep_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()  # one that may not be read is readable for root

    with pytest.raises(ImageUnreadable):
        FILES.opened(str(tmp_path / "a"), None)


def test_regions_are_no_whole_file(tmp_path: Path) -> None:
    FILES.keep(str(tmp_path / "a"), KEPT, None, None)

    with pytest.raises(NotRestorable):
        FILES.original(str(tmp_path / "a"), None, str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_an_original_that_changed_meanwhile_is_not_kept_for_another(tmp_path: Path, original: Path) -> None:
    kept = whole(original)
    original.write_bytes(b"another")

    with pytest.raises(ImageChanged):
        FILES.keep(str(tmp_path / "a"), kept, str(original), None)


def test_nothing_that_is_there_is_written_over(tmp_path: Path, original: Path) -> None:
    path = tmp_path / "a"
    FILES.keep(str(path), whole(original), str(original), None)

    with pytest.raises(CopyUnwritable):
        FILES.keep(str(path), KEPT, None, None)
    with pytest.raises(CopyUnwritable):
        FILES.original(str(path), None, str(original))
    assert original.exists()
