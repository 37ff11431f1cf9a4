"""Floor 1, the language: indices, variables, equations, programs, their checker and their meaning."""
