"""For tests of OnCue and of automations: a clock that obeys, and vendors that are none."""
