"""Floor 3, reverse mode: the pullback of one equation, the sweep over a program, and the record of both."""
