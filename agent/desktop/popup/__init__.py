"""The popup: its process, windows, pickers, and when it is shown."""
