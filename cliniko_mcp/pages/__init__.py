"""The pages of the hosted mode that people open in a browser: login, first set-up, connections. No scripts."""
