"""Families of hard noise with known truth: what real records and transfers do to a recording, one cause at a time."""
