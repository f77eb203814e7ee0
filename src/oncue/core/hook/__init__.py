"""Hooks: whose webhooks are let in, by which scheme, and what event becomes of one."""
