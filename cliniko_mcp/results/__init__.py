"""What every answer becomes: the envelope, its size, rows, names and the cursor."""
