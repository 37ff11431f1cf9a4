"""Floor 4, descriptions of networks as people write them: TOML files, equations as text, LaTeX."""
