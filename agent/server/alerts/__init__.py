"""Alerts: the server watches itself, and reports what needs the person who runs it."""
