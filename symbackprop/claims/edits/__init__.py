"""Edits of one side of a formula, each undoing one fault: what it would say if that fault had not been made."""
