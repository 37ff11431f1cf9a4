"""Formulas that somebody else asserts, held against the derivation: outcome, evidence, and what is wrong."""
