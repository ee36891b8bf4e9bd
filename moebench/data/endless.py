"""The length of a pass over training data that never ends."""

# Lightning reads one batch ahead of a loader without a length, to detect its end; the position it
# saves would then be one batch too far. Floats represent this number exactly, so that a fraction of
# it is still a valid length.
ENDLESS = 2**53
