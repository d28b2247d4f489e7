"""Redacted copies of photos, animations and videos."""
