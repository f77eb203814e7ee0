"""The automaton of sequences: its graph, and the two ways to run it."""
