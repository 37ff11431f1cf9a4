"""Drawings of networks and computational graphs, in no format yet."""
