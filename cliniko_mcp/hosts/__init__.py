"""Installing into a host: where each keeps its configuration, and how an entry is put in and taken out again."""
