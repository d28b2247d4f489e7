"""The store, the sources of photos, and the foundations; it knows no feature."""
