"""The outside world: files, folders, keys, the encrypted store, models."""
