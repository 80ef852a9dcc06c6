"""The demo clinic: a faithful Cliniko in memory, below the HTTP seam, for trying, testing and measuring.

`core.Sandbox` answers requests; they reach it through `transport.SandboxTransport` or, on a port, `port.asgi_app`.
"""
