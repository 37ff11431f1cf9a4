"""Floor 3, layers and losses as equations. They know nothing of differentiation."""
