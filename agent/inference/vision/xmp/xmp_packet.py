"""A packet's bytes as UTF-8 text for parsing and editing, and back in the file's own encoding."""

import codecs
import re
from dataclasses import dataclass
from typing import Final

from agent.domain.errors import XmpMalformed

# Encodings that photo programs write, and that XML allows: others (UTF-7, escapes) can only hide content.
_ENCODINGS: Final = frozenset(
    {"utf-8", "ascii", "iso8859-1", "cp1252", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"}
    | {"gb2312", "gbk", "gb18030", "big5", "shift_jis", "euc_jp", "euc_kr"}
)
# The longer ones first: UTF-32's mark begins like UTF-16's.
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNMARKED: Final = ((b"<\0\0\0", "utf-32-le"), (b"\0\0\0<", "utf-32-be"), (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"))
_DECLARED: Final = re.compile(rb"""\s*<\?xml[^>]*?\sencoding\s*=\s*["']([\w.-]{1,40})["']""")


@dataclass(frozen=True, slots=True)
class Packet:
    """`body` is UTF-8, for parsing and editing; the rest restores the file's own form."""

    body: bytes
    encoding: str
    mark: bytes
    tail: bytes  # NULs that some programs append

    def with_body(self, body: bytes) -> bytes:
        """Return the file with another body. Unencodable characters become character references."""
        return self.mark + body.decode("utf-8").encode(self.encoding, "xmlcharrefreplace") + self.tail


def decode(data: bytes) -> Packet:
    """Decode the bytes. Raises XmpMalformed, also if encoding would not give the same bytes again."""
    mark, encoding = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), (b"", ""))
    encoding = encoding or next((name for start, name in _UNMARKED if data.startswith(start)), "") or _declared(data)
    width = 4 if "32" in encoding else 2 if "16" in encoding else 1
    rest = data[len(mark) :]
    end = len(rest.rstrip(b"\0"))
    end += -end % width
    try:
        text = rest[:end].decode(encoding)
        same = text.encode(encoding) == rest[:end]
        body = text.encode("utf-8")
    except UnicodeError:
        raise XmpMalformed from None
    if not same:
        raise XmpMalformed
    return Packet(body, encoding, mark, rest[end:])


def _declared(data: bytes) -> str:
    found = _DECLARED.match(data)
    try:
        name = codecs.lookup(found[1].decode("ascii")).name if found else "utf-8"
    except (LookupError, UnicodeError):
        raise XmpMalformed from None
    if name not in _ENCODINGS:
        raise XmpMalformed
    return name
