"""What lanes share."""
