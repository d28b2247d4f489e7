"""The XMP namespaces that we read or write, and prefixes for them."""

from collections.abc import Mapping
from html import escape
from typing import Final

RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
MWG: Final = "http://www.metadataworkinggroup.com/schemas/regions/"
ST_AREA: Final = "http://ns.adobe.com/xmp/sType/Area#"
ST_DIM: Final = "http://ns.adobe.com/xap/1.0/sType/Dimensions#"
MP: Final = "http://ns.microsoft.com/photo/1.2/"
MP_REGIONS: Final = "http://ns.microsoft.com/photo/1.2/t/RegionInfo#"
MP_REGION: Final = "http://ns.microsoft.com/photo/1.2/t/Region#"
ACDSEE: Final = "http://ns.acdsee.com/regions/"
ACDSEE_AREA: Final = "http://ns.acdsee.com/sType/Area#"
PHOTOSHOP: Final = "http://ns.adobe.com/photoshop/1.0/"
XML: Final = "http://www.w3.org/XML/1998/namespace"  # its prefix is bound without a declaration
OURS: Final = "urn:my-ai-popup:regions#"

_PREFIXES: Final = {RDF: "rdf", MWG: "mwg-rs", ST_AREA: "stArea", ST_DIM: "stDim", OURS: "ai-popup"}


class Prefixes:
    """Prefixes for inserted elements: those in scope there, and new ones that `declared` binds."""

    def __init__(self, scope: Mapping[str, str]) -> None:
        self._taken = dict(scope)  # prefix -> namespace
        self._new: dict[str, str] = {}

    def name(self, namespace: str, local: str) -> str:
        for prefix, bound in self._taken.items():
            if prefix and bound == namespace:
                return f"{prefix}:{local}"
        prefix = wanted = _PREFIXES.get(namespace, "other")
        number = 1
        while prefix in self._taken:
            number += 1
            prefix = f"{wanted}{number}"
        self._taken[prefix] = self._new[prefix] = namespace
        return f"{prefix}:{local}"

    @property
    def declared(self) -> str:
        """Return attributes that declare the new prefixes, for the enclosing element."""
        return "".join(f' xmlns:{prefix}="{escape(namespace)}"' for prefix, namespace in self._new.items())
