"""Replicas of a server for many under load, as processes of this computer: what is measured and what has to hold."""

RESULT = "benchmarks/hosted.json"
