"""Notifications of the operating system."""
