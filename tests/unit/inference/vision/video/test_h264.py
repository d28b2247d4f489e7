"""Which frames of H.264 a film can begin with."""

import pytest

from agent.inference.vision.video.video_opening import is_sync_point

AVCC = bytes((1, 100, 0, 13, 0xFF))  # four bytes tell a unit's length
PARAMETERS, IDR, INTRA = b"\x67\x64\x00", b"\x65\x88\x84", b"\x41\x88\x84"


@pytest.mark.parametrize(("picture", "anew"), [(IDR, True), (INTRA, False)])
def test_a_picture_that_nothing_looks_behind_begins_anew(picture: bytes, anew: bool) -> None:
    started = b"\x00\x00\x00\x01" + PARAMETERS + b"\x00\x00\x01" + picture
    measured = b"".join(len(unit).to_bytes(4) + unit for unit in (PARAMETERS, picture))
    assert is_sync_point(started, None) is anew
    assert is_sync_point(started, b"\x00\x00\x00\x01" + PARAMETERS) is anew
    assert is_sync_point(measured, AVCC) is anew


@pytest.mark.parametrize("packet", [b"", b"\x00\x00\x01", b"\x00\x00\x00\x09", b"\xff" * 9])
@pytest.mark.parametrize("extradata", [None, AVCC])
def test_what_is_damaged_begins_nothing(packet: bytes, extradata: bytes | None) -> None:
    assert not is_sync_point(packet, extradata)
