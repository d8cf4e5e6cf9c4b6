"""What the kinds of KPI share: their interface, and the rows that several of them count."""
