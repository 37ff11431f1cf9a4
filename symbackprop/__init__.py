"""Derives the gradients of neural networks symbolically and proves them right."""
