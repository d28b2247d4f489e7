"""From pixels to faces: pure functions over arrays."""
