"""Faults: processes are killed and connections cut while others write; nothing acknowledged is lost or doubled."""
