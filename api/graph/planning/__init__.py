"""The root fields of planning: what a revenue target asks for, and why revenue was not another one."""
