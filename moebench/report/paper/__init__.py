"""The page about one paper, and the blocks of Markdown that its README takes in."""
