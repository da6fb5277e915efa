"""What the published method takes for the level of the noise."""

# The number that each mode needs.
NOISE_MODES = {"fixed-gain": "gain", "fixed-snr": "snr", "estimated-gain": None, "estimated-snr": None}
