"""KPIs whose value a formula computes from several parts. The records behind each part can be listed."""
