"""Names of faces as other photo programs keep them: read from XMP inside a photo or beside it, written beside it only."""

from agent.adapters.xmp.sidecars import Forgotten, Origin, Reading, Sidecars, Written

__all__ = ["Forgotten", "Origin", "Reading", "Sidecars", "Written"]
