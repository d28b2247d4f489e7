"""Links by which people on photos see and change what they agreed to."""
