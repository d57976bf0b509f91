"""JMESPath over the expanded tree: the grammar, the walk, and compiled code."""
