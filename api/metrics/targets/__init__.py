"""The targets of the accord that figures are compared with or divided by."""
