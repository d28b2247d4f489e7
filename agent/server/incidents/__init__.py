"""Incidents of a team server: rules that watch the record, what they found, the first step, and messages about it."""
