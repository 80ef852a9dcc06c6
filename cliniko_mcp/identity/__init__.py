"""Who calls over HTTP: tokens in, persons and their scopes out; the gate before the protocol."""
