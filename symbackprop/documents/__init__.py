"""Floor 5, derivations as documents: one tree, an emitter for each format."""
