"""Floor 5, the code generator: programs as flat kernels, and kernels as NumPy functions and stand-alone modules."""
