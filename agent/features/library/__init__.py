"""The library: photos are ingested, indexed, shown and maintained."""
