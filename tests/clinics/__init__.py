"""Generated clinics: whole ones as raw rows, a way to work in them, and what is true of them by another computation."""
