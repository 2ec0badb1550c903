"""What one call owns: decisions without I/O, whose only effect is to tell."""
