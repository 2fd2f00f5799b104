"""Labelled lines: reading the files that voices are trained from, and the store that keeps them."""
