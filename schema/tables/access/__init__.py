"""The tables of access: API keys, what members may do, and the sessions of pages."""
