"""Formulas as people write them: from notes in LaTeX or Markdown to index equations."""
