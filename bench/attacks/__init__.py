"""What strangers do to a server, and what fifty callers who behave feel of it: `python -m bench attacks`.

Those who attack are a `process` of their own, with an address of their own, on the load's core; `attacker` is what they
have in common, `kinds` names what they do, a file for each kind. `cases` is the list of all that is tried, `neighbours`
are those who want to be served meanwhile, `measure` takes the figures of one case, `run` those of all.
"""
