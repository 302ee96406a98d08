"""Exact values, each with its game, its assumptions and its source."""
