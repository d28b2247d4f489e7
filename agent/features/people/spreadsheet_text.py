"""The encoding of text that spreadsheets write: UTF-8, UTF-16 (“Unicode text”), or that of a Chinese or Western Windows."""

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from io import BytesIO
from typing import BinaryIO, Final

# What Chinese text consists of in the encodings of GB 18030; Western letters with accents seldom stand side by side.
_PAIR: Final = re.compile(rb"[\x81-\xfe][\x80-\xfe]")
_NOT_ASCII: Final = re.compile(rb"[\x80-\xff]")
_PART: Final = 1 << 20  # bytes


def decoded(content: bytes) -> str:
    """Return the text; what can't be decoded becomes U+FFFD."""
    return content.decode(encoding_of(BytesIO(content)), errors="replace")


def encoding_of(content: BinaryIO) -> str:
    """Return the encoding of a file of any length, which is read to its end."""
    part = content.read(_PART)
    if part.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return "utf-16"
    decoder, is_utf8, chinese, western = getincrementaldecoder("utf-8")(), True, 0, 0
    while part:
        if is_utf8:
            try:
                decoder.decode(part)
            except UnicodeDecodeError:
                is_utf8 = False
        rest, pairs = _PAIR.subn(b"", part)
        chinese, western = chinese + pairs, western + len(_NOT_ASCII.findall(rest))
        part = content.read(_PART)
    return "utf-8-sig" if is_utf8 else "gb18030" if chinese > western else "cp1252"
