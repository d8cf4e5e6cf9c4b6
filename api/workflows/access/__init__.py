"""Access: API keys, what members may do, and members who leave."""
