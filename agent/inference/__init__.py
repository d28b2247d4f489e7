"""The child processes that decode and infer, the RPC to them, and their pure vision code."""
