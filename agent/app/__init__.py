"""The composition root: the processes, their event loop and wiring, and the routes and commands of every room."""
