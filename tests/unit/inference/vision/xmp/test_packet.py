"""Sidecars in every encoding: read, and written back as they were."""

import pytest

from agent.domain.errors import XmpMalformed
from agent.inference.vision.xmp.xmp_packet import decode
from tests.support.xmp_packets import DIGIKAM

TEXT = '<?xml version="1.0"?>\n<a>梅</a>\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_an_encoding_is_told_by_the_first_bytes_and_kept(encoding: str) -> None:
    data = TEXT.encode(encoding)
    packet = decode(data)
    assert packet.body.decode() == TEXT
    assert packet.with_body(packet.body) == data


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "windows-1252", "GB18030", "Shift_JIS", "UTF-8"])
def test_an_encoding_that_is_declared_is_kept(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><a>x</a>'
    packet = decode(text.encode(encoding))
    assert packet.with_body(packet.body.replace(b"x", "é".encode())) == text.replace(
        "x", "é" if encoding != "Shift_JIS" else "&#233;"
    ).encode(encoding)


def test_what_an_encoding_cannot_write_becomes_a_reference() -> None:
    packet = decode(b'<?xml version="1.0" encoding="ascii"?><a>x</a>')
    assert packet.with_body(packet.body.replace(b"x", "梅".encode())).endswith(b"<a>&#26757;</a>")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_padding_and_rubbish_at_the_end_stay(encoding: str) -> None:
    data = DIGIKAM.encode(encoding) + bytes(64)
    packet = decode(data)
    assert packet.body == DIGIKAM.encode()
    assert packet.with_body(packet.body) == data


@pytest.mark.parametrize(
    "data",
    [
        b"<a>\xff</a>",
        b"\xff\xfe<\0a",
        "<a>\ud800</a>".encode("utf-16-le", "surrogatepass"),
        *(f'<?xml version="1.0" encoding="{name}"?><a/>'.encode() for name in ("utf-7", "base64", "nobody-knows")),
    ],
)
def test_bytes_that_are_no_text_are_malformed(data: bytes) -> None:
    with pytest.raises(XmpMalformed):
        decode(data)
