"""Measures attacks: what fifty well-behaved callers feel while a server is attacked (`python -m bench attacks`).

    run ─▶ cases (what is tried) ─▶ measure (one case) ─▶ launcher ─▶ process (the attackers) ─▶ kinds ─▶ attacker
                                      ├─▶ neighbours: those who want to be served meanwhile
                                      ├─▶ memory: of the server and its children
                                      └─▶ server: how it is started, how late its event loop was

The attackers are a process on the load's core, with IP addresses of their own. `attacker` is what all attacks use;
there is a file for each kind: bodies, clips, log_flood, profiles, replies, silence, waiting.
"""
