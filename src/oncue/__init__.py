"""OnCue: events come in, patterns watch them, matches start workflows, workflows call the world."""

__version__ = "0.1.0"
