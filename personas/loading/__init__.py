"""From the bytes of a file to a catalogue, with every fault and its place, and again after each edit.

    watching ── polls the file; each edit goes to ──▶ reader_process ──▶ worker (another process)
                                                                          │
    file (bytes to JSON) ──▶ shared (features, voices, languages) ──▶ rows ──▶ reader ──▶ Persona, or its faults
                                        │                                        │
                                     features                           feature_values, shape

`faults` has what all of them report, `positions` finds the line of a fault, `job_thread` is for calls that may hang.
"""
