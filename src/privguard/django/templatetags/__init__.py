"""Template tags, by the names under which templates load them."""
