"""Everything that is a function of one article, computed batch by batch and stored for matching."""
