"""How a server for many is watched: metrics, traces, and whose request a line of the log is about. No names, no ids."""
