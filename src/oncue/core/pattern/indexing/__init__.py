"""How the index of patterns is made: what can be asked, in which order, and the code that asks."""
