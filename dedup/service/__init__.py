"""An index over HTTP: ``dedup serve``.

`serving` starts the server, `access` says who may ask, `endpoints` answers, `api_document` describes the answers as
OpenAPI, and `request_metrics` counts them for Prometheus.
"""
