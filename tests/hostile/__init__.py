"""The hostile hour (`make hostile`): five minutes in which a closed server is abused in every way that we know.

__main__ ─▶ hour (one phase after another) ─▶ kinds, in a process of their own (attackers): who does what
             ├─▶ claims: what must hold when it is over
             └─▶ fuzz ─▶ targets: parsers, one after another, by atheris
"""
