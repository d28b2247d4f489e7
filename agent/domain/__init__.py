"""What is true: plain data and rules, with no input or output."""
