"""What can be done: the use cases, and the ports they need."""
