"""Where layers are and how they are opened: found, declared, learnt; carefully, and compiled."""
