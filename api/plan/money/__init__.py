"""Money in a statement: amounts by currency, and amounts converted to the reporting currency."""
