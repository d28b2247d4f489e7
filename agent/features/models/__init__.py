"""The model files: listing, fetching and verifying them."""
