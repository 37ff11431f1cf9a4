"""Floor 6, diagnosis: what is wrong with a wrong gradient, found by making the same mistake in the derived one."""
