"""Questions on which papers disagree, and when each side is right at this scale."""
