"""Floor 2, elementwise functions: one record each."""
