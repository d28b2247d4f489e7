"""What only a computer with a screen has: tray, popup, notifications, captures, and the team server it joined."""
