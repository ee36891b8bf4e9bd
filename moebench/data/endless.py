"""The length of a pass over training data that never ends."""

# Lightning reads one batch ahead of a loader without a length, to see its end coming; the place it
# saves would be one batch too far. Floats hold this number, so a share of it is still a length.
ENDLESS = 2**53
