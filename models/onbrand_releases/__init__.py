"""Releases: signed folders of voices and encoders, and their installation on a laptop.

A publisher writes one with `onbrand_releases.publish`; here is what both sides know of it (`index`,
`signing`, `archive`) and what the laptop does (`fetch`, `install`, `installed`).
"""
