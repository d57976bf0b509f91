"""A document that is read, asked, changed and collapsed."""
