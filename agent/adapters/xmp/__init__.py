"""Names of faces as other photo programs keep them: read from XMP inside a photo or beside it, written beside it only."""

from agent.adapters.xmp.sidecars import Sidecars

__all__ = ["Sidecars"]
