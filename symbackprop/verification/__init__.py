"""Floor 6, verification: gradients held against finite differences of the loss, weight by weight."""
