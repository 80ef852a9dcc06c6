"""The demo clinic: a faithful Cliniko in memory, below the HTTP seam, for trying, testing and measuring.

`core.Sandbox` answers; `transport.SandboxTransport` is its face for the HTTP client, `port.asgi_app` the one on a port.
"""
