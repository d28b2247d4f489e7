"""Writes elements of another packet from their parsed values, without copying any of its bytes."""

import re
from html import escape  # its result is also XML, and xml.sax.saxutils would load all of urllib
from typing import Final

from agent.people.sidecars.xmp_names import XML, Prefixes
from agent.people.sidecars.xmp_tree import Node

_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def written(node: Node, prefixes: Prefixes) -> str:
    """Return an element with its attributes and children, on one line. New prefixes are declared by `prefixes`."""
    name = _qualified(node.name, prefixes)
    attributes = "".join(f' {_qualified(each, prefixes)}="{encoded(value)}"' for each, value in node.attributes.items())
    inside = "".join(written(child, prefixes) for child in node.children) or encoded(node.text)
    return f"<{name}{attributes}>{inside}</{name}>" if inside else f"<{name}{attributes}/>"


def encoded(text: str) -> str:
    """Return text for an element or an attribute; control characters, including line ends, become character references."""
    return _CONTROLS.sub(lambda found: f"&#{ord(found[0])};", escape(text))


def _qualified(name: str, prefixes: Prefixes) -> str:
    namespace, _, local = name.rpartition(" ")
    if namespace == XML:
        return f"xml:{local}"
    return prefixes.name(namespace, local) if namespace else local
