"""Traces of calls: what is told (port), and to whom (otel). Off unless the operator names a collector."""
