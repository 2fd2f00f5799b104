"""Voices: one linear head per brand on the shared encoder, and what explains its verdicts."""
