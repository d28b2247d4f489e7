"""Names in XMP: read from photos and sidecars, written to sidecars."""
