"""What documents say, in each language."""
