"""The model files: listed, fetched and verified."""
