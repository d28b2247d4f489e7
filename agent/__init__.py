"""AI Popup: finds the faces in new photos on this machine and shows them in a small popup."""

__version__ = "0.1.0"
