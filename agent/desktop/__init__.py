"""Tray icon and popup window."""
