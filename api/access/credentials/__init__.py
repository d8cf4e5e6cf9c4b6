"""Credentials: the tokens of API keys, what the database knows of them, and who may use them."""
