"""Who may come in, and who may talk to whom."""
