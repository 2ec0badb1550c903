"""What only our own tests need."""
