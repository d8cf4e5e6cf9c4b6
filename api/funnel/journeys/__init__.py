"""Journeys: first entries into stages with what every dimension said then, stored beside the entries."""
