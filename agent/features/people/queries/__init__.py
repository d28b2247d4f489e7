"""The SQL of people, faces and clusters."""
