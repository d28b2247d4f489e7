"""What differs by operating system: autostart, hotkeys, clipboard, windows, displays."""
