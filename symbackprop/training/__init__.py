"""Floor 6: gradient descent with the compiled functions."""
