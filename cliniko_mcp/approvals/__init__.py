"""Asking a person: a question and its life, and the ways to a person."""
