"""What several curated tools share: people and places by name, spans of clinic time, the diary, free time."""
