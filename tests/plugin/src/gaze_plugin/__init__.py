"""One addition of each kind to quickgaze; `pyproject.toml` gives them their names."""
