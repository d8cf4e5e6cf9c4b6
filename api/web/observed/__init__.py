"""What the HTTP edge reports: a log line and figures for each request, and the metrics for Prometheus."""
