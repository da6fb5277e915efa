"""What may be made of two channels: the names of the choices, and the plain mixes among them."""

# By themselves; by the evidence; as one record, with the least noise; or by fixed gains.
CHOICES = ("auto", "separate", "combine", "left", "right", "sum", "vertical")
GAINS = {"left": (1.0, 0.0), "right": (0.0, 1.0), "sum": (0.5, 0.5), "vertical": (0.5, -0.5)}
