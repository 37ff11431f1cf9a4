"""Floor 4, three forms of one derivation: index, matrix and scalar."""
