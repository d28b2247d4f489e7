"""The team server that this desktop joined."""
