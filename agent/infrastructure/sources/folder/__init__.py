"""Watched folders as a source."""
