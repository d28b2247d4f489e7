"""Names in XMP: read from photos and sidecars, and written to sidecars."""
