"""Signing in: sessions of our own pages, sign-in with a key or an OpenID Connect provider, and its bearer tokens."""
