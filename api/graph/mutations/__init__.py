"""Mutations: their inputs and payloads, derived from tables and commands, and how they run."""
