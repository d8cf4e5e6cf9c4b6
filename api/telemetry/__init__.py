"""What the server says of itself: log lines, metrics for Prometheus, and spans for OpenTelemetry.

    request_record.py  what one request did, as its log line has it
    correlation.py     ids of requests and traces, as clients send them
    statements.py      the time of statements, for the record, the metrics and the trace
    masking.py         text without personal data and secrets
    log_lines.py       one line of JSON or of plain text for each event, of uvicorn too
    instruments.py     counters and histograms
    sampled.py         what is read when the metrics are: pools, lanes, jobs, and how far the data are behind
    tracing.py         spans, if the package opentelemetry-api is installed

The package knows no database and no HTTP, so that every layer may use it.
"""
