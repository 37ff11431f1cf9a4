"""One module for each subject that mistakes are made about; ``table`` has them all."""
