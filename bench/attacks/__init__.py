"""What strangers do to a server, and what fifty callers who behave feel of it: `python -m bench attacks`.

Those who attack are a process of their own (`attacker`), with an address of their own, on the load's core; a file for
each kind says what they do. `cases` is the list of all, `neighbours` are those who want to be served meanwhile, `run`
measures.
"""
