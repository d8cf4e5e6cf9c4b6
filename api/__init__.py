"""What happens: the server, the command line, and everything between them and the tables."""
