"""Signed releases of voices and encoders: publishing them, and installing them on laptops.

The publisher's side is `publish` and `release_folder`, the laptop's `fetch`, `staging`, `install`
and `clearing`; both use `index`, `signing` and `archive`.
"""
