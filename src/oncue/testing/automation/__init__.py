"""Tests of automations: events in, a virtual clock, simulated vendors, expected effects out."""
