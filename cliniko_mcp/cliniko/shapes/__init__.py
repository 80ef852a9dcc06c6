"""Shapes that several resources share: structured content, custom fields, phone numbers, repeats, the account."""
