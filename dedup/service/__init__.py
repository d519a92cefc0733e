"""An index over HTTP: ``dedup serve``.

`serving` starts the server, `access` checks requests, `endpoints` answers them, `api_document` describes the answers as
OpenAPI, and `request_metrics` counts them for Prometheus.
"""
