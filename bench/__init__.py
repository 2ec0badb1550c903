"""Benchmarks: the cost and the latency of the server on this machine (`make bench`).

    load.py = callers.py (the crowd) ─▶ server_process.py (the server, on a core of its own) ─▶ upstream.py, model.py

Audio carries marks (marks.py): whoever receives a piece can compute its latency and find what was lost or repeated.
Each other file is one benchmark, with a `run` that returns `report.Part`s.
"""
