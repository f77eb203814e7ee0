"""Values far from what a key has shown before: what is expected, how far is far, and what is learnt."""
