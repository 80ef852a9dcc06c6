"""What several curated tools have in common: people and places by name, spans of clinic time, the diary, and free time."""
