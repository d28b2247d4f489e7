"""What a desktop and a team server both have: the product."""
